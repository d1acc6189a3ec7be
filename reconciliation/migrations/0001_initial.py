import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from common.postgres.tables import CreateTables


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('ledger', '0005_daily_balances'),
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='Match',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('rule', models.CharField(choices=[('REFERENCE', 'By reference'), ('AMOUNT', 'By amount and date'), ('SUM', 'By sum'), ('MANUAL', 'By hand')], max_length=9)),
                        ('amount_minor', models.BigIntegerField(verbose_name='amount (minor units)')),
                        ('currency', models.CharField(max_length=3)),
                        ('made_at', models.DateTimeField()),
                        ('reason', models.TextField(blank=True)),
                        ('undone_at', models.DateTimeField(null=True)),
                        ('undo_reason', models.TextField(blank=True)),
                        ('ledger_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.ledgeraccount')),
                        ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name_plural': 'matches',
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('undo_reason', ''), ('undone_at', None), ('undone_by', None)), models.Q(('undone_at__isnull', False), ('undone_by__isnull', False), models.Q(('undo_reason', ''), _negated=True)), _connector='OR'), name='reconciliation_match_undone'), models.CheckConstraint(condition=models.Q(models.Q(('made_by__isnull', False), ('rule', 'MANUAL'), models.Q(('reason', ''), _negated=True)), models.Q(('made_by', None), models.Q(('rule', 'MANUAL'), _negated=True)), _connector='OR'), name='reconciliation_match_by_hand')],
                    },
                ),
                migrations.CreateModel(
                    name='MatchedPosting',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('entry_id', models.BigIntegerField()),
                        ('no', models.SmallIntegerField()),
                        ('stands', models.BooleanField(default=True)),
                        ('match', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='reconciliation.match')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(condition=models.Q(('stands', True)), fields=('entry_id', 'no'), name='reconciliation_matchedposting_once')],
                    },
                ),
                migrations.CreateModel(
                    name='OutsideStatement',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('currency', models.CharField(max_length=3)),
                        ('source', models.CharField(choices=[('csv', 'csv'), ('ofx', 'ofx'), ('camt053', 'camt053')], max_length=7, verbose_name='format')),
                        ('file_name', models.CharField(max_length=100)),
                        ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                        ('first_date', models.DateField()),
                        ('last_date', models.DateField()),
                        ('line_count', models.PositiveIntegerField()),
                        ('imported_at', models.DateTimeField()),
                        ('imported_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('ledger_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.ledgeraccount')),
                    ],
                    options={
                        'verbose_name': 'outside statement',
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('ledger_account', 'sha256'), name='reconciliation_outsidestatement_file_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Line',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('number', models.PositiveIntegerField()),
                        ('booked_date', models.DateField()),
                        ('amount_minor', models.BigIntegerField(verbose_name='amount (minor units)')),
                        ('currency', models.CharField(max_length=3)),
                        ('reference', models.CharField(blank=True, max_length=140)),
                        ('description', models.CharField(blank=True, max_length=500)),
                        ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='reconciliation.outsidestatement')),
                    ],
                    options={
                        'verbose_name': 'statement line',
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('statement', 'number'), name='reconciliation_line_number')],
                    },
                ),
                migrations.CreateModel(
                    name='MatchedLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('stands', models.BooleanField(default=True)),
                        ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='matches', to='reconciliation.line')),
                        ('match', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='reconciliation.match')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(condition=models.Q(('stands', True)), fields=('line',), name='reconciliation_matchedline_once')],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='match',
                    trigger=pgtrigger.compiler.Trigger(name='facts_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."ledger_account_id" IS DISTINCT FROM (NEW."ledger_account_id") OR OLD."rule" IS DISTINCT FROM (NEW."rule") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."made_by_id" IS DISTINCT FROM (NEW."made_by_id") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."reason" IS DISTINCT FROM (NEW."reason"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c676a6e095729fb577f754e1acb4ee1e4546dd92', operation='UPDATE', pgid='pgtrigger_facts_fixed_f40f1', table='reconciliation_match', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='match',
                    trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='7148dabe653cd2e9fa4ca62e6fc1eecb127b1902', operation='DELETE', pgid='pgtrigger_no_delete_8e794', table='reconciliation_match', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='outsidestatement',
                    trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f009bb9001db7de965cfd942d393b427d84a6c38', operation='UPDATE OR DELETE', pgid='pgtrigger_never_changed_ad947', table='reconciliation_outsidestatement', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='line',
                    trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c40dee72bca3a73d56eb79ff3e8e66707e8b05de', operation='UPDATE OR DELETE', pgid='pgtrigger_never_changed_bb832', table='reconciliation_line', when='BEFORE')),
                ),
            ],
        ),
    ]
