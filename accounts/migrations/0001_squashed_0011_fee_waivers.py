import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from common.postgres.tables import CreateTables


class Migration(migrations.Migration):

    replaces = [
        ('accounts', '0001_initial'),
        ('accounts', '0002_terms_at_opening'),
        ('accounts', '0003_monthly_statements'),
        ('accounts', '0004_interest'),
        ('accounts', '0005_business_accounts'),
        ('accounts', '0006_fees'),
        ('accounts', '0007_no_flat_fee'),
        ('accounts', '0008_account_fees'),
        ('accounts', '0009_dormancy'),
        ('accounts', '0010_closing_interest'),
        ('accounts', '0011_fee_waivers'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('ledger', '0006_plans_for_empty_months'),
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='Product',
                    fields=[
                        ('code', models.CharField(max_length=12, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=60)),
                        ('kind', models.CharField(choices=[('SAVINGS', 'Savings'), ('CURRENT', 'Current'), ('SALARY', 'Salary'), ('WALLET', 'Wallet'), ('BUSINESS', 'Business')], max_length=8)),
                        ('currency', models.CharField(max_length=3)),
                        ('min_opening_minor', models.BigIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='minimum opening deposit (minor units)')),
                        ('min_balance_minor', models.BigIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name='minimum balance (minor units)')),
                        ('overdraft_minor', models.BigIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name='overdraft (minor units)')),
                        ('interest_rate', models.DecimalField(decimal_places=2, default=0, max_digits=5, validators=[django.core.validators.MinValueValidator(0)], verbose_name='interest rate (% a year)')),
                        ('description', models.CharField(blank=True, max_length=200)),
                        ('is_open', models.BooleanField(default=True, verbose_name='open for new accounts')),
                        ('compounding', models.CharField(choices=[('NONE', 'Each month, when it is posted'), ('DAILY', 'Every day')], default='NONE', max_length=5)),
                        ('day_count', models.CharField(choices=[('ACT/365', 'ACT/365'), ('ACT/360', 'ACT/360'), ('ACT/ACT', 'ACT/ACT'), ('30E/360', '30E/360')], default='ACT/365', max_length=8)),
                        ('overdraft_rate', models.DecimalField(decimal_places=2, default=0, max_digits=5, validators=[django.core.validators.MinValueValidator(0)], verbose_name='overdraft interest rate (% a year)')),
                        ('allows_bulk', models.BooleanField(default=False, help_text='Its accounts, old ones too, may pay a file of payments at once.', verbose_name='bulk payments')),
                        ('dormant_after_days', models.PositiveIntegerField(default=0, help_text='Days without use by the owner; 0 for never. The owner is warned 30 days before.', verbose_name='dormant after (days)')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='accounts_product_currency'), models.CheckConstraint(condition=models.Q(('min_balance_minor', 0), ('overdraft_minor', 0), _connector='OR'), name='accounts_product_minimum_or_overdraft', violation_error_message='A product has a minimum balance or an overdraft, not both.'), models.CheckConstraint(condition=models.Q(('min_opening_minor__gte', models.F('min_balance_minor'))), name='accounts_product_opening_covers_balance', violation_error_message='The opening deposit must cover the minimum balance.'), models.CheckConstraint(condition=models.Q(('compounding__in', ['NONE', 'DAILY']), ('day_count__in', ['ACT/365', 'ACT/360', 'ACT/ACT', '30E/360'])), name='accounts_product_interest'), models.CheckConstraint(condition=models.Q(('kind__in', ['SAVINGS', 'CURRENT', 'SALARY', 'WALLET', 'BUSINESS'])), name='accounts_product_kind'), models.CheckConstraint(condition=models.Q(('min_balance_minor__gte', 0), ('overdraft_minor__gte', 0), ('interest_rate__gte', 0), ('min_opening_minor__gt', 0), ('overdraft_rate__gte', 0)), name='accounts_product_terms_not_negative'), models.CheckConstraint(condition=models.Q(('dormant_after_days', 0), models.Q(('dormant_after_days__gte', 60), ('dormant_after_days__lte', 36500)), _connector='OR'), name='accounts_product_dormant_after', violation_error_message='An account may become dormant after 60 days or later, or never: 0.')],
                    },
                ),
                migrations.CreateModel(
                    name='ReferenceRate',
                    fields=[
                        ('currency', models.CharField(max_length=3, primary_key=True, serialize=False)),
                        ('rate_to_base', models.DecimalField(decimal_places=8, help_text='One unit in the base currency.', max_digits=18, verbose_name='rate to the base currency')),
                        ('as_of', models.DateField(verbose_name='as of')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('rate_to_base__gt', 0)), name='accounts_referencerate_positive'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='accounts_referencerate_currency')],
                    },
                ),
                migrations.CreateModel(
                    name='Account',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('number', models.CharField(editable=False, max_length=16, unique=True)),
                        ('currency', models.CharField(max_length=3)),
                        ('nickname', models.CharField(blank=True, max_length=40)),
                        ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('FROZEN', 'Frozen'), ('DORMANT', 'Dormant'), ('CLOSED', 'Closed')], default='ACTIVE', max_length=7)),
                        ('client_id', models.UUIDField(help_text='Chosen by the caller; the same one again opens nothing new.')),
                        ('opening_minor', models.BigIntegerField(verbose_name='opening deposit (minor units)')),
                        ('opening_source', models.CharField(choices=[('OWN_ACCOUNT', 'OWN_ACCOUNT'), ('SANDBOX', 'SANDBOX'), ('CASH', 'CASH')], max_length=12)),
                        ('opened_at', models.DateTimeField()),
                        ('closed_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('ledger_account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.ledgeraccount')),
                        ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('opening_account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                        ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bank_accounts', to=settings.AUTH_USER_MODEL)),
                        ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='accounts.product')),
                        ('interest_rate', models.DecimalField(decimal_places=2, default=0, max_digits=5, verbose_name='interest rate (% a year)')),
                        ('compounding', models.CharField(choices=[('NONE', 'Each month, when it is posted'), ('DAILY', 'Every day')], default='NONE', max_length=5)),
                        ('day_count', models.CharField(choices=[('ACT/365', 'ACT/365'), ('ACT/360', 'ACT/360'), ('ACT/ACT', 'ACT/ACT'), ('30E/360', '30E/360')], default='ACT/365', max_length=8)),
                        ('overdraft_rate', models.DecimalField(decimal_places=2, default=0, max_digits=5, verbose_name='overdraft interest rate (% a year)')),
                        ('active_at', models.DateTimeField(verbose_name='last used by its owner')),
                        ('dormancy_warned_at', models.DateTimeField(null=True)),
                        ('dormant_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['owner', 'opened_at'], name='accounts_account_owner'), models.Index(fields=['status', 'opened_at'], name='accounts_account_status'), models.Index(condition=models.Q(('status', 'ACTIVE')), fields=['product', 'active_at'], name='accounts_account_silent')],
                        'constraints': [models.UniqueConstraint(fields=('owner', 'client_id'), name='accounts_account_client_id_unique'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='accounts_account_currency'), models.CheckConstraint(condition=models.Q(('number__regex', '^BP[0-9]{14}$')), name='accounts_account_number'), models.CheckConstraint(condition=models.Q(('opening_minor__gt', 0)), name='accounts_account_opening_positive'), models.CheckConstraint(condition=models.Q(models.Q(('opening_account__isnull', False), ('opening_source', 'OWN_ACCOUNT')), models.Q(('opening_account__isnull', True), ('opening_source__in', ['SANDBOX', 'CASH'])), _connector='OR'), name='accounts_account_opening_source'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('status', 'CLOSED')), models.Q(models.Q(('status', 'CLOSED'), _negated=True), ('closed_at__isnull', True)), _connector='OR'), name='accounts_account_closed_at'), models.CheckConstraint(condition=models.Q(('compounding__in', ['NONE', 'DAILY']), ('day_count__in', ['ACT/365', 'ACT/360', 'ACT/ACT', '30E/360'])), name='accounts_account_interest'), models.CheckConstraint(condition=models.Q(('interest_rate__gte', 0), ('overdraft_rate__gte', 0)), name='accounts_account_terms_not_negative'), models.CheckConstraint(condition=models.Q(('status__in', ['ACTIVE', 'FROZEN', 'DORMANT', 'CLOSED'])), name='accounts_account_status'), models.CheckConstraint(condition=models.Q(models.Q(('dormancy_warned_at__isnull', False), ('dormant_at__isnull', False), ('status', 'DORMANT')), models.Q(models.Q(('status', 'DORMANT'), _negated=True), ('dormant_at__isnull', True)), _connector='OR'), name='accounts_account_dormant_at')],
                    },
                ),
                migrations.CreateModel(
                    name='StatementFile',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120, unique=True)),
                        ('created_at', models.DateTimeField()),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='MonthlyStatement',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('month', models.DateField(help_text='Its first day.')),
                        ('number', models.PositiveIntegerField()),
                        ('after_seq', models.BigIntegerField()),
                        ('last_seq', models.BigIntegerField()),
                        ('opening_minor', models.BigIntegerField(verbose_name='opening balance (minor units)')),
                        ('paid_in_minor', models.BigIntegerField(verbose_name='paid in (minor units)')),
                        ('paid_out_minor', models.BigIntegerField(verbose_name='paid out (minor units)')),
                        ('closing_minor', models.BigIntegerField(verbose_name='closing balance (minor units)')),
                        ('form', models.CharField(max_length=7, verbose_name='format')),
                        ('size', models.BigIntegerField(verbose_name='size (bytes)')),
                        ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                        ('issued_at', models.DateTimeField()),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='monthly_statements', to='accounts.account')),
                        ('file', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='statement', to='accounts.statementfile')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('account', 'month'), name='accounts_monthlystatement_once'), models.UniqueConstraint(fields=('account', 'number'), name='accounts_monthlystatement_number'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='accounts_monthlystatement_first_day'), models.CheckConstraint(condition=models.Q(('number__gt', 0)), name='accounts_monthlystatement_number_positive'), models.CheckConstraint(condition=models.Q(('closing_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('opening_minor'), '+', models.F('paid_in_minor')), '-', models.F('paid_out_minor')))), name='accounts_monthlystatement_adds_up'), models.CheckConstraint(condition=models.Q(('after_seq__gte', 0), ('last_seq__gte', models.F('after_seq'))), name='accounts_monthlystatement_stretch'), models.CheckConstraint(condition=models.Q(('form__in', ['pdf', 'csv'])), name='accounts_monthlystatement_form'), models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='accounts_monthlystatement_sha256')],
                    },
                ),
                migrations.CreateModel(
                    name='InterestPosting',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('period', models.DateField(help_text='The first day of its month; of a closing, of the month of closing.')),
                        ('since', models.DateField()),
                        ('until', models.DateField()),
                        ('earned_minor', models.BigIntegerField(verbose_name='paid to the customer (minor units)')),
                        ('charged_minor', models.BigIntegerField(verbose_name='overdraft interest charged (minor units)')),
                        ('unpaid_minor', models.BigIntegerField(verbose_name='overdraft interest carried over (minor units)')),
                        ('entry_id', models.BigIntegerField(null=True, unique=True, verbose_name='ledger entry')),
                        ('posted_at', models.DateTimeField()),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='interest_postings', to='accounts.account')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('account', 'period'), name='accounts_interestposting_once'), models.CheckConstraint(condition=models.Q(('period__day', 1)), name='accounts_interestposting_first_day'), models.CheckConstraint(condition=models.Q(('charged_minor__gte', 0), ('earned_minor__gte', 0), ('unpaid_minor__gte', 0)), name='accounts_interestposting_not_negative'), models.CheckConstraint(condition=models.Q(models.Q(('charged_minor', 0), ('earned_minor', 0), ('entry_id__isnull', True)), models.Q(models.Q(('charged_minor', 0), ('earned_minor', 0), _negated=True), ('entry_id__isnull', False)), _connector='OR'), name='accounts_interestposting_entry'), models.CheckConstraint(condition=models.Q(('since__lte', models.F('until'))), name='accounts_interestposting_stretch')],
                    },
                ),
                migrations.CreateModel(
                    name='FeeVersion',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('operation', models.CharField(choices=[('TRANSFER', 'Transfer to others'), ('WITHDRAWAL', 'Withdrawal to another bank'), ('CASH_WITHDRAWAL', 'Cash at the counter'), ('STANDING_ORDER', 'Payment by standing order'), ('MONTHLY', 'Account, a month')], max_length=15)),
                        ('band_count', models.PositiveSmallIntegerField(default=1)),
                        ('least_minor', models.BigIntegerField(null=True, verbose_name='least (minor units)')),
                        ('most_minor', models.BigIntegerField(null=True, verbose_name='most (minor units)')),
                        ('valid_from', models.DateTimeField()),
                        ('entered_at', models.DateTimeField()),
                        ('entered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fee_versions', to='accounts.product')),
                    ],
                    options={
                        'verbose_name': 'fee',
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['product', 'operation', '-valid_from', '-id'], name='accounts_feeversion_newest')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('operation__in', ['TRANSFER', 'WITHDRAWAL', 'CASH_WITHDRAWAL', 'STANDING_ORDER', 'MONTHLY'])), name='accounts_feeversion_operation'), models.CheckConstraint(condition=models.Q(('band_count__gte', 1), ('band_count__lte', 4)), name='accounts_feeversion_bands'), models.CheckConstraint(condition=models.Q(models.Q(('least_minor__isnull', True), ('least_minor__gte', 0), _connector='OR'), models.Q(('most_minor__isnull', True), ('most_minor__gte', 0), _connector='OR'), models.Q(('least_minor__isnull', True), ('most_minor__isnull', True), ('most_minor__gte', models.F('least_minor')), _connector='OR')), name='accounts_feeversion_bounds'), models.CheckConstraint(condition=models.Q(('entered_by__isnull', True), ('valid_from__gte', models.F('entered_at')), _connector='OR'), name='accounts_feeversion_not_for_the_past')],
                    },
                ),
                migrations.CreateModel(
                    name='FeeBand',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('position', models.PositiveSmallIntegerField()),
                        ('from_minor', models.BigIntegerField(verbose_name='from (minor units)')),
                        ('fixed_minor', models.BigIntegerField(verbose_name='fixed part (minor units)')),
                        ('rate', models.DecimalField(decimal_places=4, max_digits=7, verbose_name='per cent of the amount')),
                        ('fee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bands', to='accounts.feeversion')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('fee', 'position'), name='accounts_feeband_position'), models.UniqueConstraint(fields=('fee', 'from_minor'), name='accounts_feeband_from'), models.CheckConstraint(condition=models.Q(models.Q(('from_minor', 0), ('position', 1)), models.Q(('from_minor__gt', 0), ('position__gt', 1)), _connector='OR'), name='accounts_feeband_first_from_zero'), models.CheckConstraint(condition=models.Q(('fixed_minor__gte', 0), ('rate__gte', 0), ('rate__lte', 100)), name='accounts_feeband_not_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='AccountFee',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('period', models.DateField(help_text='The first day of its month.')),
                        ('basis_minor', models.BigIntegerField(verbose_name='balance it was priced by (minor units)')),
                        ('amount_minor', models.BigIntegerField(verbose_name='fee (minor units)')),
                        ('note', models.CharField(blank=True, max_length=250, verbose_name='how it was made up')),
                        ('asked_at', models.DateTimeField()),
                        ('tried_at', models.DateTimeField(verbose_name='last tried at')),
                        ('entry_id', models.BigIntegerField(null=True, unique=True, verbose_name='ledger entry')),
                        ('collected_at', models.DateTimeField(null=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='account_fees', to='accounts.account')),
                        ('fee_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.feeversion')),
                    ],
                    options={
                        'verbose_name': 'account fee',
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('amount_minor__gt', 0), ('entry_id__isnull', True)), fields=['account', 'period'], name='accounts_accountfee_open')],
                        'constraints': [models.UniqueConstraint(fields=('account', 'period'), name='accounts_accountfee_once'), models.CheckConstraint(condition=models.Q(('period__day', 1)), name='accounts_accountfee_first_day'), models.CheckConstraint(condition=models.Q(('amount_minor__gte', 0), ('basis_minor__gte', 0)), name='accounts_accountfee_not_negative'), models.CheckConstraint(condition=models.Q(models.Q(('collected_at__isnull', True), ('entry_id__isnull', True)), models.Q(('amount_minor__gt', 0), ('collected_at__isnull', False), ('entry_id__isnull', False)), _connector='OR'), name='accounts_accountfee_collected')],
                    },
                ),
                migrations.CreateModel(
                    name='FeeWaiver',
                    fields=[
                        ('fee', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='waiver', serialize=False, to='accounts.accountfee')),
                        ('refund_entry_id', models.BigIntegerField(null=True, unique=True, verbose_name='ledger entry that gave it back')),
                        ('waived_at', models.DateTimeField()),
                        ('waived_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='account',
                    trigger=pgtrigger.compiler.Trigger(name='identity_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."owner_id" IS DISTINCT FROM (NEW."owner_id") OR OLD."product_id" IS DISTINCT FROM (NEW."product_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."ledger_account_id" IS DISTINCT FROM (NEW."ledger_account_id") OR OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."opening_minor" IS DISTINCT FROM (NEW."opening_minor") OR OLD."opening_source" IS DISTINCT FROM (NEW."opening_source") OR OLD."opening_account_id" IS DISTINCT FROM (NEW."opening_account_id") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d321d6d7c905a766c4926e241ab59a053bdb05d7', operation='UPDATE', pgid='pgtrigger_identity_fixed_3f41c', table='accounts_account', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='account',
                    trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5c35318198a1f736a4370b93a5ece7017cf596c3', operation='DELETE', pgid='pgtrigger_no_delete_da29c', table='accounts_account', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='account',
                    trigger=pgtrigger.compiler.Trigger(name='status_fsm', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{ACTIVE:FROZEN,FROZEN:ACTIVE,ACTIVE:CLOSED,ACTIVE:DORMANT,DORMANT:ACTIVE,DORMANT:FROZEN}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e5fee8aa8d4505d46d2be34d4da434867d8143a0', operation='UPDATE', pgid='pgtrigger_status_fsm_63848', table='accounts_account', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='monthlystatement',
                    trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d5ad8c6f2462b2fcea59173783d84eef0802af6f', operation='UPDATE OR DELETE', pgid='pgtrigger_never_changed_5b84c', table='accounts_monthlystatement', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='interestposting',
                    trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ef852304f2f9d2c1a37dc37e47f16812320e0b36', operation='UPDATE OR DELETE', pgid='pgtrigger_never_changed_fd5ea', table='accounts_interestposting', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='feeversion',
                    trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8b220e4c7c23e46e17c92ef9035c82c0333b1697', operation='UPDATE OR DELETE', pgid='pgtrigger_never_changed_3e42f', table='accounts_feeversion', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='feeband',
                    trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7cbc41cb8725449dc9ae550f894631d8ab8d7231', operation='UPDATE OR DELETE', pgid='pgtrigger_never_changed_a6b74', table='accounts_feeband', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='feeband',
                    trigger=pgtrigger.compiler.Trigger(name='has_its_place', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF NEW.position > (SELECT v.band_count FROM accounts_feeversion v WHERE v.id = NEW.fee_id) THEN\n                    RAISE EXCEPTION 'this version has no such band' USING ERRCODE = 'check_violation';\n                END IF;\n                RETURN NEW;\n                ", hash='61637363933be4ae6fa56fe2dd581728a1997720', operation='INSERT', pgid='pgtrigger_has_its_place_ce876', table='accounts_feeband', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='accountfee',
                    trigger=pgtrigger.compiler.Trigger(name='asked_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."period" IS DISTINCT FROM (NEW."period") OR OLD."fee_version_id" IS DISTINCT FROM (NEW."fee_version_id") OR OLD."basis_minor" IS DISTINCT FROM (NEW."basis_minor") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."note" IS DISTINCT FROM (NEW."note") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a55f0f43365455675fb3ddf721c0fe40ee1e1439', operation='UPDATE', pgid='pgtrigger_asked_once_35ed3', table='accounts_accountfee', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='accountfee',
                    trigger=pgtrigger.compiler.Trigger(name='collected_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."entry_id" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ed6dad137aa8a553828dc326853654285f2238c0', operation='UPDATE', pgid='pgtrigger_collected_once_abdaa', table='accounts_accountfee', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='accountfee',
                    trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9ad795e00986fe1eaa4ecff9a8d16f271071947a', operation='DELETE', pgid='pgtrigger_never_deleted_126f9', table='accounts_accountfee', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='feewaiver',
                    trigger=pgtrigger.compiler.Trigger(name='never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='64dbd6ed9ba413da0c8acca0991b241fd29a28ba', operation='UPDATE OR DELETE', pgid='pgtrigger_never_changed_74820', table='accounts_feewaiver', when='BEFORE')),
                ),
            ],
        ),
    ]
