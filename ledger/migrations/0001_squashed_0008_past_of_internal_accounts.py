"""The ledger in one step, for a database that has none yet."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import ledger.models
from django.db import migrations, models

from common.postgres.tables import CreateTables
from ledger import sql

# Lists pass each text to the server whole; splitting at semicolons would cut function bodies.
DIVIDED = """
CREATE TABLE ledger_entry (
  id bigint PRIMARY KEY,
  external_ref uuid NOT NULL,
  kind varchar(32) NOT NULL,
  description varchar(200) NOT NULL,
  booked_at timestamptz NOT NULL,
  value_date date NOT NULL,
  source_kind varchar(32) NOT NULL,
  source_id varchar(64) NOT NULL,
  created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  reverses_id bigint
) PARTITION BY RANGE (id);
CREATE TABLE ledger_posting (
  no smallint NOT NULL,
  amount bigint NOT NULL,
  currency varchar(3) NOT NULL,
  booked_at timestamptz NOT NULL,
  account_seq bigint,
  balance_after bigint,
  xid xid8,
  account_id bigint NOT NULL,
  entry_id bigint NOT NULL,
  PRIMARY KEY (entry_id, no)
) PARTITION BY RANGE (entry_id);
"""

# The unique index of (account, sequence) is not here: ledger_make_partition gives each partition its own.
PARTITIONS = """
CREATE SEQUENCE ledger_entry_number MAXVALUE 999999999999 OWNED BY ledger_entryreference.entry_id;
SELECT ledger_make_partition('ledger_entry', 'ledger_entry_default', NULL, NULL);
SELECT ledger_make_partition('ledger_posting', 'ledger_posting_default', NULL, NULL);
CREATE INDEX ledger_posting_internal_xid ON ledger_posting (account_id, xid, entry_id) INCLUDE (amount) WHERE account_seq IS NULL;
"""


class Migration(migrations.Migration):

    replaces = [
        ('ledger', '0001_initial'),
        ('ledger', '0002_functions_and_guards'),
        ('ledger', '0003_divide_by_month'),
        ('ledger', '0004_seals'),
        ('ledger', '0005_daily_balances'),
        ('ledger', '0005_check_in_one_statement'),
        ('ledger', '0006_plans_for_empty_months'),
        ('ledger', '0007_search_in_one_statement'),
        ('ledger', '0008_past_of_internal_accounts'),
    ]

    initial = True

    dependencies = []

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='GlCode',
                    fields=[
                        ('code', models.CharField(max_length=8, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=80)),
                        ('kind', models.CharField(choices=[('ASSET', 'Asset'), ('LIABILITY', 'Liability'), ('EQUITY', 'Equity'), ('INCOME', 'Income'), ('EXPENSE', 'Expense')], max_length=9)),
                        ('normal_side', models.CharField(choices=[('DEBIT', 'Debit'), ('CREDIT', 'Credit')], max_length=6)),
                        ('is_internal', models.BooleanField()),
                    ],
                    options={
                        'verbose_name': 'general ledger code',
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['ASSET', 'EXPENSE']), ('normal_side', 'DEBIT')), models.Q(('kind__in', ['LIABILITY', 'EQUITY', 'INCOME']), ('normal_side', 'CREDIT')), _connector='OR'), name='ledger_glcode_normal_side')],
                    },
                ),
                migrations.CreateModel(
                    name='LedgerAccount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120)),
                        ('kind', models.CharField(choices=[('ASSET', 'Asset'), ('LIABILITY', 'Liability'), ('EQUITY', 'Equity'), ('INCOME', 'Income'), ('EXPENSE', 'Expense')], max_length=9)),
                        ('currency', models.CharField(max_length=3)),
                        ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('FROZEN', 'Frozen'), ('CLOSED', 'Closed')], db_default='ACTIVE', max_length=6)),
                        ('is_internal', models.BooleanField()),
                        ('external_ref', models.UUIDField(unique=True)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('gl_code', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='ledger.glcode')),
                    ],
                    options={
                        'verbose_name': 'ledger account',
                        'constraints': [models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='ledger_ledgeraccount_currency'), models.CheckConstraint(condition=models.Q(('status__in', ['ACTIVE', 'FROZEN', 'CLOSED'])), name='ledger_ledgeraccount_status'), models.CheckConstraint(condition=models.Q(('kind__in', ['ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE'])), name='ledger_ledgeraccount_kind'), models.UniqueConstraint(condition=models.Q(('is_internal', True)), fields=('gl_code', 'currency'), name='ledger_ledgeraccount_one_internal'), models.UniqueConstraint(fields=('id', 'currency', 'status'), name='ledger_ledgeraccount_balance_key')],
                    },
                ),
                migrations.CreateModel(
                    name='Hold',
                    fields=[
                        ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ('external_ref', models.UUIDField(unique=True)),
                        ('amount', models.BigIntegerField()),
                        ('expires_at', models.DateTimeField()),
                        ('source_kind', models.CharField(max_length=32)),
                        ('source_id', models.CharField(max_length=64)),
                        ('placed_at', models.DateTimeField()),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='ledger.ledgeraccount')),
                    ],
                    options={
                        'verbose_name': 'hold',
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='ledger_hold_amount_positive'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('placed_at'))), name='ledger_hold_expires_later')],
                    },
                ),
                migrations.CreateModel(
                    name='StatusChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('old_status', models.CharField(choices=[('ACTIVE', 'Active'), ('FROZEN', 'Frozen'), ('CLOSED', 'Closed')], max_length=6)),
                        ('new_status', models.CharField(choices=[('ACTIVE', 'Active'), ('FROZEN', 'Frozen'), ('CLOSED', 'Closed')], max_length=6)),
                        ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='status_changes', to='ledger.ledgeraccount')),
                    ],
                    options={
                        'verbose_name': 'status change',
                    },
                ),
                migrations.CreateModel(
                    name='Balance',
                    fields=[
                        ('account', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='balance', serialize=False, to='ledger.ledgeraccount')),
                        ('posted', models.BigIntegerField(db_default=0)),
                        ('held', models.BigIntegerField(db_default=0)),
                        ('floor', models.BigIntegerField(null=True)),
                        ('seq', models.BigIntegerField(db_default=0)),
                        ('booked_at', models.DateTimeField(null=True)),
                        ('currency', models.CharField(max_length=3)),
                        ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('FROZEN', 'Frozen'), ('CLOSED', 'Closed')], max_length=6)),
                    ],
                    options={
                        'verbose_name': 'balance',
                        'constraints': [models.CheckConstraint(condition=models.Q(('held__gte', 0), models.Q(('floor__isnull', True), ('floor__lte', django.db.models.expressions.CombinedExpression(models.F('posted'), '-', models.F('held'))), _connector='OR')), name='ledger_balance_covers_floor')],
                    },
                ),
                migrations.CreateModel(
                    name='BalanceSnapshot',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('cut', ledger.models.Xid8Field()),
                        ('balance', models.BigIntegerField()),
                        ('postings', models.BigIntegerField()),
                        ('last_booked_at', models.DateTimeField()),
                        ('taken_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='ledger.ledgeraccount')),
                        ('is_late', models.BooleanField(db_default=False)),
                    ],
                    options={
                        'verbose_name': 'balance snapshot',
                        'indexes': [models.Index(fields=['account', 'last_booked_at', 'cut'], name='ledger_balancesnapshot_time'), models.Index(condition=models.Q(('is_late', True)), fields=['account', 'cut'], name='ledger_balancesnapshot_late')],
                        'constraints': [models.UniqueConstraint(fields=('account', 'cut'), name='ledger_balancesnapshot_account_cut')],
                    },
                ),
                migrations.RunSQL(
                    sql=[DIVIDED],
                    reverse_sql=['DROP TABLE ledger_posting, ledger_entry'],
                    state_operations=[
                        migrations.CreateModel(
                            name='Entry',
                            fields=[
                                ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                                ('external_ref', models.UUIDField()),
                                ('kind', models.CharField(max_length=32)),
                                ('description', models.CharField(max_length=200)),
                                ('booked_at', models.DateTimeField()),
                                ('value_date', models.DateField()),
                                ('source_kind', models.CharField(max_length=32)),
                                ('source_id', models.CharField(max_length=64)),
                                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                                ('xid', ledger.models.Xid8Field(db_default=ledger.models.CurrentXid())),
                                ('reverses', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='ledger.entry')),
                            ],
                            options={
                                'verbose_name': 'journal entry',
                                'verbose_name_plural': 'journal entries',
                            },
                        ),
                        migrations.CreateModel(
                            name='Posting',
                            fields=[
                                ('pk', models.CompositePrimaryKey('entry', 'no', blank=True, editable=False, primary_key=True, serialize=False)),
                                ('no', models.SmallIntegerField()),
                                ('amount', models.BigIntegerField()),
                                ('currency', models.CharField(max_length=3)),
                                ('booked_at', models.DateTimeField()),
                                ('account_seq', models.BigIntegerField(null=True)),
                                ('balance_after', models.BigIntegerField(null=True)),
                                ('xid', ledger.models.Xid8Field(null=True)),
                                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.ledgeraccount')),
                                ('entry', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.entry')),
                            ],
                            options={
                                'verbose_name': 'posting',
                                'indexes': [models.Index(condition=models.Q(('account_seq__isnull', True)), fields=['account', 'xid', 'entry'], include=('amount',), name='ledger_posting_internal_xid')],
                                'constraints': [models.UniqueConstraint(condition=models.Q(('account_seq__isnull', False)), fields=('account', 'account_seq'), name='ledger_posting_account_seq')],
                            },
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name='HoldEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('POSTED', 'Posted'), ('VOIDED', 'Voided'), ('EXPIRED', 'Expired')], max_length=8)),
                        ('amount', models.BigIntegerField()),
                        ('happened_at', models.DateTimeField()),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hold_events', to='ledger.entry')),
                        ('hold', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='ledger.hold')),
                    ],
                    options={
                        'verbose_name': 'hold event',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('kind__in', ['POSTED', 'VOIDED', 'EXPIRED'])), fields=('hold',), name='ledger_holdevent_one_terminal'), models.CheckConstraint(condition=models.Q(models.Q(('amount__gt', 0), ('entry__isnull', False), ('kind', 'POSTED')), models.Q(('amount', 0), ('entry__isnull', True), ('kind__in', ['VOIDED', 'EXPIRED'])), _connector='OR'), name='ledger_holdevent_posted_amount')],
                    },
                ),
                migrations.CreateModel(
                    name='EntryReference',
                    fields=[
                        ('external_ref', models.UUIDField(primary_key=True, serialize=False)),
                        ('xid', ledger.models.Xid8Field(db_default=ledger.models.CurrentXid())),
                        ('entry', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reference', to='ledger.entry')),
                        ('reverses', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.entry')),
                    ],
                    options={
                        'verbose_name': 'entry reference',
                        'constraints': [models.UniqueConstraint(condition=models.Q(('reverses__isnull', False)), fields=('reverses',), name='ledger_entryreference_one_reversal')],
                    },
                ),
                migrations.CreateModel(
                    name='Seal',
                    fields=[
                        ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                        ('previous', models.CharField(max_length=64)),
                        ('start', ledger.models.Xid8Field()),
                        ('cut', ledger.models.Xid8Field(unique=True)),
                        ('entries', models.BigIntegerField()),
                        ('first_entry', models.BigIntegerField()),
                        ('last_entry', models.BigIntegerField()),
                        ('rows_digest', models.CharField(max_length=64)),
                        ('digest', models.CharField(max_length=64)),
                        ('sealed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                    options={
                        'verbose_name': 'seal',
                        'constraints': [models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='ledger_seal_number_positive'), models.CheckConstraint(condition=models.Q(('entries__gte', 1)), name='ledger_seal_entries_positive'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$'), ('rows_digest__regex', '^[0-9a-f]{64}$')), name='ledger_seal_digests'), models.UniqueConstraint(fields=('previous',), name='ledger_seal_one_successor')],
                    },
                ),
                migrations.CreateModel(
                    name='DailyMark',
                    fields=[
                        ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='daily_mark', serialize=False, to='ledger.ledgeraccount')),
                        ('seq', models.BigIntegerField()),
                        ('cut', ledger.models.Xid8Field()),
                    ],
                    options={
                        'verbose_name': 'mark of daily balances',
                    },
                ),
                migrations.CreateModel(
                    name='DailyBalance',
                    fields=[
                        ('pk', models.CompositePrimaryKey('account', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('booked', models.BigIntegerField()),
                        ('valued', models.BigIntegerField()),
                        ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='daily_balances', to='ledger.ledgeraccount')),
                    ],
                    options={
                        'verbose_name': 'daily balance',
                    },
                ),
            ],
        ),
        migrations.RunSQL(sql=[sql.all_functions(), PARTITIONS, *map(sql.text, sql.GUARDS)], reverse_sql=migrations.RunSQL.noop),
    ]
