import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from common.postgres.tables import CreateTables


class Migration(migrations.Migration):

    replaces = [
        ('payments', '0001_initial'),
        ('payments', '0002_limits_and_payees'),
        ('payments', '0003_standing_orders'),
        ('payments', '0004_fees'),
        ('payments', '0005_bulk_files'),
        ('payments', '0006_integrator_holds'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0010_closing_interest'),
        ('identity', '0006_loan_permissions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='Review',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('payload', models.JSONField()),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField(db_index=True)),
                        ('consumed_at', models.DateTimeField(null=True)),
                        ('actor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='payments_review_expires_later')],
                    },
                ),
                migrations.CreateModel(
                    name='Payment',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('TRANSFER', 'Transfer'), ('OWN_TRANSFER', 'Transfer between own accounts'), ('DEPOSIT', 'Deposit'), ('WITHDRAWAL', 'Withdrawal')], max_length=12)),
                        ('status', models.CharField(choices=[('COMPLETED', 'Completed'), ('HELD', 'Under review'), ('REFUSED', 'Refused'), ('CANCELLED', 'Cancelled'), ('REVERSED', 'Reversed')], max_length=9)),
                        ('client_id', models.UUIDField()),
                        ('payload_sha256', models.CharField(max_length=64)),
                        ('amount_minor', models.BigIntegerField()),
                        ('fee_minor', models.BigIntegerField(default=0)),
                        ('currency', models.CharField(max_length=3)),
                        ('description', models.CharField(blank=True, max_length=140)),
                        ('payee_name', models.CharField(blank=True, max_length=140, verbose_name="payee's name as typed")),
                        ('payee_match', models.CharField(blank=True, choices=[('MATCH', 'Match'), ('CLOSE', 'Close match'), ('NO_MATCH', 'No match')], max_length=8, verbose_name='name check')),
                        ('outside_account', models.CharField(blank=True, max_length=34, verbose_name='account at another bank')),
                        ('channel', models.CharField(choices=[('PORTAL', 'Portal'), ('API', 'API'), ('TELLER', 'Counter'), ('ORDER', 'Standing order'), ('BULK', 'Bulk file')], max_length=6)),
                        ('source', models.CharField(blank=True, choices=[('', 'None'), ('CASH', 'Cash at the counter'), ('SANDBOX', 'Sandbox funding source'), ('INTEGRATOR', 'Integrator'), ('OUTSIDE', 'Account at another bank')], max_length=10, verbose_name='source or destination')),
                        ('country', models.CharField(blank=True, max_length=2)),
                        ('decision_id', models.UUIDField(null=True)),
                        ('hold_cause', models.CharField(blank=True, choices=[('', 'None'), ('FLAGGED', 'Flagged by the checks'), ('UNSCREENED', 'The checks did not answer')], max_length=10)),
                        ('reasons', models.JSONField(default=list)),
                        ('hold_id', models.UUIDField(null=True, unique=True)),
                        ('entry_id', models.BigIntegerField(null=True, unique=True)),
                        ('refusal_code', models.CharField(blank=True, max_length=40)),
                        ('refusal_text', models.CharField(blank=True, max_length=500)),
                        ('created_at', models.DateTimeField()),
                        ('decided_at', models.DateTimeField(null=True)),
                        ('expires_at', models.DateTimeField(null=True)),
                        ('reversal_entry_id', models.BigIntegerField(null=True, unique=True)),
                        ('reversed_at', models.DateTimeField(null=True)),
                        ('credit_account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payments_in', to='accounts.account')),
                        ('debit_account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payments_out', to='accounts.account')),
                        ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('initiated_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('reversed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('amount_base_minor', models.BigIntegerField(null=True, verbose_name='amount in the base currency')),
                        ('fee_note', models.CharField(blank=True, max_length=250, verbose_name='how the fee was made up')),
                        ('fee_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.feeversion')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['debit_account', '-created_at', 'id'], name='payments_payment_debit'), models.Index(fields=['credit_account', '-created_at', 'id'], name='payments_payment_credit'), models.Index(fields=['-created_at', 'id'], name='payments_payment_newest'), models.Index(condition=models.Q(('status', 'HELD')), fields=['expires_at'], name='payments_payment_held'), models.Index(fields=['debit_account', 'credit_account', 'outside_account', 'created_at'], name='payments_payment_pair')],
                        'constraints': [models.UniqueConstraint(fields=('initiated_by', 'client_id'), name='payments_payment_client_id_unique'), models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='payments_payment_amount_positive'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='payments_payment_currency'), models.CheckConstraint(condition=models.Q(('country__regex', '^([A-Z]{2})?$')), name='payments_payment_country'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', False), ('entry_id__isnull', False), ('reversal_entry_id__isnull', True), ('status', 'COMPLETED')), models.Q(('decided_at__isnull', True), ('entry_id__isnull', True), ('expires_at__isnull', False), ('hold_cause__in', ['FLAGGED', 'UNSCREENED']), ('hold_id__isnull', False), ('status', 'HELD')), models.Q(('decided_at__isnull', False), ('entry_id__isnull', True), ('status', 'REFUSED'), models.Q(('refusal_code', ''), _negated=True)), models.Q(('decided_at__isnull', False), ('entry_id__isnull', True), ('hold_id__isnull', False), ('status', 'CANCELLED')), models.Q(('entry_id__isnull', False), ('reversal_entry_id__isnull', False), ('reversed_at__isnull', False), ('reversed_by__isnull', False), ('status', 'REVERSED')), _connector='OR'), name='payments_payment_status_facts'), models.CheckConstraint(condition=models.Q(models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('initiated_by')), _negated=True), _connector='OR'), models.Q(('reversed_by__isnull', True), models.Q(('reversed_by', models.F('initiated_by')), _negated=True), _connector='OR')), name='payments_payment_four_eyes'), models.CheckConstraint(condition=models.Q(('fee_minor', 0), models.Q(('fee_minor__gt', 0), ('kind__in', ['TRANSFER', 'WITHDRAWAL'])), _connector='OR'), name='payments_payment_fee'), models.CheckConstraint(condition=models.Q(('channel__in', ['PORTAL', 'API', 'TELLER', 'ORDER', 'BULK'])), name='payments_payment_channel'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['TRANSFER', 'OWN_TRANSFER']), ('source', ''), ('credit_account__isnull', False), ('debit_account__isnull', False), models.Q(('debit_account', models.F('credit_account')), _negated=True)), models.Q(('credit_account__isnull', False), ('debit_account__isnull', True), ('kind', 'DEPOSIT'), ('source__in', ['CASH', 'SANDBOX', 'INTEGRATOR'])), models.Q(('credit_account__isnull', True), ('debit_account__isnull', False), ('kind', 'WITHDRAWAL'), ('source__in', ['CASH', 'OUTSIDE', 'INTEGRATOR'])), _connector='OR'), name='payments_payment_parties')],
                    },
                ),
                migrations.CreateModel(
                    name='Limit',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('channel', models.CharField(choices=[('PORTAL', 'Portal'), ('API', 'API'), ('BULK', 'Bulk file')], max_length=6)),
                        ('set_by', models.CharField(choices=[('BANK', 'The bank'), ('CUSTOMER', 'The customer')], max_length=8)),
                        ('per_payment_minor', models.BigIntegerField(null=True, verbose_name='per payment')),
                        ('daily_minor', models.BigIntegerField(null=True, verbose_name='per day')),
                        ('monthly_minor', models.BigIntegerField(null=True, verbose_name='per calendar month')),
                        ('new_payee_minor', models.BigIntegerField(null=True, verbose_name='to a new payee')),
                        ('changed_at', models.DateTimeField()),
                        ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('customer', 'channel', 'set_by'), name='payments_limit_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('customer__isnull', False), ('set_by', 'BANK'), _connector='OR'), name='payments_limit_default_is_the_banks'), models.CheckConstraint(condition=models.Q(('per_payment_minor__isnull', True), ('per_payment_minor__gte', 0), _connector='OR'), name='payments_limit_per_payment'), models.CheckConstraint(condition=models.Q(('daily_minor__isnull', True), ('daily_minor__gte', 0), _connector='OR'), name='payments_limit_daily'), models.CheckConstraint(condition=models.Q(('monthly_minor__isnull', True), ('monthly_minor__gte', 0), _connector='OR'), name='payments_limit_monthly'), models.CheckConstraint(condition=models.Q(('new_payee_minor__isnull', True), ('new_payee_minor__gte', 0), _connector='OR'), name='payments_limit_new_payee'), models.CheckConstraint(condition=models.Q(('channel__in', ['PORTAL', 'API', 'BULK'])), name='payments_limit_channel')],
                    },
                ),
                migrations.CreateModel(
                    name='Payee',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=140)),
                        ('iban', models.CharField(blank=True, max_length=34, verbose_name='IBAN')),
                        ('name_match', models.CharField(blank=True, choices=[('MATCH', 'Match'), ('CLOSE', 'Close match'), ('NO_MATCH', 'No match')], max_length=8, verbose_name='name check')),
                        ('created_at', models.DateTimeField()),
                        ('removed_at', models.DateTimeField(null=True)),
                        ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                        ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='payees', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('customer', 'account', 'iban'), name='payments_payee_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('account__isnull', False), ('iban', ''), models.Q(('name_match', ''), _negated=True)), models.Q(('account__isnull', True), ('name_match', ''), models.Q(('iban', ''), _negated=True)), _connector='OR'), name='payments_payee_target'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='payments_payee_name')],
                    },
                ),
                migrations.CreateModel(
                    name='StandingOrder',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('TRANSFER', 'Transfer'), ('OWN_TRANSFER', 'Transfer between own accounts'), ('WITHDRAWAL', 'Withdrawal')], max_length=12)),
                        ('iban', models.CharField(blank=True, max_length=34, verbose_name='IBAN')),
                        ('payee_name', models.CharField(blank=True, max_length=140)),
                        ('payee_match', models.CharField(blank=True, choices=[('MATCH', 'Match'), ('CLOSE', 'Close match'), ('NO_MATCH', 'No match')], max_length=8, verbose_name='name check')),
                        ('amount_minor', models.BigIntegerField()),
                        ('currency', models.CharField(max_length=3)),
                        ('description', models.CharField(blank=True, max_length=140)),
                        ('unit', models.CharField(choices=[('ONCE', 'Once'), ('WEEK', 'Weeks'), ('MONTH', 'Months')], max_length=5)),
                        ('every', models.PositiveSmallIntegerField(default=1)),
                        ('first_date', models.DateField()),
                        ('last_date', models.DateField(null=True)),
                        ('next_index', models.PositiveIntegerField(default=0)),
                        ('next_date', models.DateField(null=True)),
                        ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('PAUSED', 'Paused'), ('CANCELLED', 'Cancelled'), ('ENDED', 'Ended')], max_length=9)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('credit_account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                        ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='standing_orders', to=settings.AUTH_USER_MODEL)),
                        ('debit_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('status', 'ACTIVE')), fields=['next_date'], name='payments_standing_due')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='payments_standing_amount'), models.CheckConstraint(condition=models.Q(('every__gte', 1), ('every__lte', 52)), name='payments_standing_every'), models.CheckConstraint(condition=models.Q(('last_date__isnull', True), ('last_date__gte', models.F('first_date')), _connector='OR'), name='payments_standing_dates'), models.CheckConstraint(condition=models.Q(models.Q(('credit_account__isnull', True), ('kind', 'WITHDRAWAL'), models.Q(('iban', ''), _negated=True)), models.Q(('credit_account__isnull', False), ('iban', ''), ('kind__in', ['TRANSFER', 'OWN_TRANSFER']), models.Q(('debit_account', models.F('credit_account')), _negated=True)), _connector='OR'), name='payments_standing_target'), models.CheckConstraint(condition=models.Q(models.Q(('next_date__isnull', True), ('status__in', ['CANCELLED', 'ENDED'])), models.Q(('next_date__isnull', False), ('status__in', ['ACTIVE', 'PAUSED'])), _connector='OR'), name='payments_standing_open_has_a_date')],
                    },
                ),
                migrations.CreateModel(
                    name='StandingRun',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('due_date', models.DateField()),
                        ('status', models.CharField(choices=[('WAITING', 'Waiting'), ('DONE', 'Done'), ('FAILED', 'Failed'), ('SKIPPED', 'Skipped')], max_length=7)),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('next_attempt_at', models.DateTimeField(null=True)),
                        ('failure_code', models.CharField(blank=True, max_length=40)),
                        ('failure_text', models.CharField(blank=True, max_length=300)),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='payments.standingorder')),
                        ('payment', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='standing_run', to='payments.payment')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('status', 'WAITING')), fields=['next_attempt_at'], name='payments_run_waiting')],
                        'constraints': [models.UniqueConstraint(fields=('order', 'due_date'), name='payments_run_once'), models.CheckConstraint(condition=models.Q(models.Q(('next_attempt_at__isnull', False), ('payment__isnull', True), ('status', 'WAITING')), models.Q(('next_attempt_at__isnull', True), ('payment__isnull', False), ('status', 'DONE')), models.Q(('next_attempt_at__isnull', True), ('payment__isnull', True), ('status', 'FAILED'), models.Q(('failure_code', ''), _negated=True)), models.Q(('next_attempt_at__isnull', True), ('payment__isnull', True), ('status', 'SKIPPED')), _connector='OR'), name='payments_run_facts')],
                    },
                ),
                migrations.CreateModel(
                    name='BulkFile',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=100)),
                        ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                        ('size', models.PositiveIntegerField(verbose_name='size (bytes)')),
                        ('mode', models.CharField(choices=[('EACH', 'Each row on its own'), ('WHOLE', 'All or nothing')], max_length=5)),
                        ('currency', models.CharField(max_length=3)),
                        ('country', models.CharField(blank=True, max_length=2, verbose_name='confirmed from')),
                        ('status', models.CharField(choices=[('CHECKED', 'To be confirmed'), ('CONFIRMED', 'Waiting to start'), ('RUNNING', 'Being paid'), ('DONE', 'Done'), ('REFUSED', 'Nothing was paid'), ('CANCELLED', 'Cancelled')], max_length=9)),
                        ('created_at', models.DateTimeField(verbose_name='uploaded at')),
                        ('expires_at', models.DateTimeField(verbose_name='to be confirmed before')),
                        ('confirmed_at', models.DateTimeField(null=True)),
                        ('started_at', models.DateTimeField(null=True)),
                        ('finished_at', models.DateTimeField(null=True)),
                        ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bulk_files', to=settings.AUTH_USER_MODEL)),
                        ('debit_account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['customer', '-created_at'], name='payments_bulkfile_newest'), models.Index(condition=models.Q(('status__in', ['CONFIRMED', 'RUNNING'])), fields=['confirmed_at'], name='payments_bulkfile_waiting')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('mode__in', ['EACH', 'WHOLE'])), name='payments_bulkfile_mode'), models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='payments_bulkfile_sha256'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='payments_bulkfile_currency'), models.CheckConstraint(condition=models.Q(('country__regex', '^([A-Z]{2})?$')), name='payments_bulkfile_country'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='payments_bulkfile_expires_later'), models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('finished_at__isnull', True), ('started_at__isnull', True), ('status', 'CHECKED')), models.Q(('confirmed_at__isnull', False), ('finished_at__isnull', True), ('started_at__isnull', True), ('status', 'CONFIRMED')), models.Q(('confirmed_at__isnull', False), ('finished_at__isnull', True), ('started_at__isnull', False), ('status', 'RUNNING')), models.Q(('confirmed_at__isnull', False), ('finished_at__isnull', False), ('started_at__isnull', False), ('status__in', ['DONE', 'REFUSED'])), models.Q(('finished_at__isnull', False), ('started_at__isnull', True), ('status', 'CANCELLED')), _connector='OR'), name='payments_bulkfile_status_facts')],
                    },
                ),
                migrations.CreateModel(
                    name='BulkRow',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('number', models.PositiveIntegerField(verbose_name='row')),
                        ('payee_name', models.CharField(max_length=140, verbose_name='name')),
                        ('payee_number', models.CharField(max_length=40, verbose_name='account')),
                        ('amount_minor', models.BigIntegerField()),
                        ('fee_minor', models.BigIntegerField(default=0)),
                        ('reference', models.CharField(blank=True, max_length=140)),
                        ('name_match', models.CharField(blank=True, choices=[('MATCH', 'Match'), ('CLOSE', 'Close match'), ('NO_MATCH', 'No match')], max_length=8, verbose_name='name check')),
                        ('check_code', models.CharField(choices=[('OK', 'Ready'), ('NAME_CLOSE', 'Name is close'), ('NAME_NO_MATCH', 'Name does not match'), ('OTHER_BANK', 'Ready, other bank'), ('UNKNOWN_PAYEE', 'Unknown account'), ('OWN_ACCOUNT', 'Your own account'), ('NOT_USABLE', 'Cannot receive'), ('WRONG_CURRENCY', 'Another currency'), ('DUPLICATE', 'Repeats a row'), ('OVER_LIMIT', 'Over your limit'), ('NO_MONEY', 'Not enough money')], max_length=16, verbose_name='check')),
                        ('check_text', models.CharField(blank=True, max_length=300)),
                        ('status', models.CharField(choices=[('WAITING', 'Waiting'), ('SKIPPED', 'Not payable'), ('DONE', 'Done'), ('FAILED', 'Not paid')], max_length=7)),
                        ('failure_code', models.CharField(blank=True, max_length=40)),
                        ('failure_text', models.CharField(blank=True, max_length=300)),
                        ('file', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='payments.bulkfile')),
                        ('payment', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bulk_row', to='payments.payment')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('status', 'WAITING')), fields=['file', 'number'], name='payments_bulkrow_waiting')],
                        'constraints': [models.UniqueConstraint(fields=('file', 'number'), name='payments_bulkrow_once'), models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0), ('fee_minor__gte', 0)), name='payments_bulkrow_amount'), models.CheckConstraint(condition=models.Q(models.Q(('failure_code', ''), ('payment__isnull', True), ('status__in', ['WAITING', 'SKIPPED'])), models.Q(('failure_code', ''), ('payment__isnull', False), ('status', 'DONE')), models.Q(('payment__isnull', True), ('status', 'FAILED'), models.Q(('failure_code', ''), _negated=True)), _connector='OR'), name='payments_bulkrow_facts'), models.CheckConstraint(condition=models.Q(('check_code__in', ['OK', 'NAME_CLOSE', 'NAME_NO_MATCH', 'OTHER_BANK']), ('status', 'SKIPPED'), _connector='OR'), name='payments_bulkrow_only_payable_rows_wait')],
                    },
                ),
                migrations.CreateModel(
                    name='IntegratorHold',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('amount_minor', models.BigIntegerField()),
                        ('currency', models.CharField(max_length=3)),
                        ('description', models.CharField(blank=True, max_length=140)),
                        ('client_id', models.UUIDField()),
                        ('payload_sha256', models.CharField(max_length=64)),
                        ('hold_id', models.UUIDField(unique=True)),
                        ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('POSTED', 'Posted'), ('VOIDED', 'Voided'), ('EXPIRED', 'Expired')], max_length=7)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                        ('api_client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='identity.apiclient')),
                        ('payment', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payments.payment')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['api_client', '-created_at'], name='payments_integratorhold_newest'), models.Index(condition=models.Q(('status', 'ACTIVE')), fields=['expires_at'], name='payments_integratorhold_active')],
                        'constraints': [models.UniqueConstraint(fields=('api_client', 'client_id'), name='payments_integratorhold_client_id_unique'), models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='payments_integratorhold_amount'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='payments_integratorhold_currency'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='payments_integratorhold_expires_later'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('payment__isnull', True), ('status', 'ACTIVE')), models.Q(('ended_at__isnull', False), ('payment__isnull', False), ('status', 'POSTED')), models.Q(('ended_at__isnull', False), ('payment__isnull', True), ('status__in', ['VOIDED', 'EXPIRED'])), _connector='OR'), name='payments_integratorhold_status_facts')],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='review',
                    trigger=pgtrigger.compiler.Trigger(name='review_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."actor_id" IS DISTINCT FROM (NEW."actor_id") OR OLD."payload" IS DISTINCT FROM (NEW."payload") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8cdbc8328de345450db23e80e0cbaf711a0c6a6d', operation='UPDATE', pgid='pgtrigger_review_stays_40877', table='payments_review', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='review',
                    trigger=pgtrigger.compiler.Trigger(name='consumed_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."consumed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='46d84c507407191c70e20dc6f850116a517ccd62', operation='UPDATE', pgid='pgtrigger_consumed_once_6e990', table='payments_review', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='payment',
                    trigger=pgtrigger.compiler.Trigger(name='status_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{HELD:COMPLETED,HELD:REFUSED,HELD:CANCELLED,COMPLETED:REVERSED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='fa8513d106f14d4915cbb2ee88e6aa876920f550', operation='UPDATE', pgid='pgtrigger_status_moves_38771', table='payments_payment', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='payment',
                    trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1232e32e89d68337f257565d606138f459d32e40', operation='DELETE', pgid='pgtrigger_never_deleted_075ea', table='payments_payment', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='payment',
                    trigger=pgtrigger.compiler.Trigger(name='facts_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."payload_sha256" IS DISTINCT FROM (NEW."payload_sha256") OR OLD."debit_account_id" IS DISTINCT FROM (NEW."debit_account_id") OR OLD."credit_account_id" IS DISTINCT FROM (NEW."credit_account_id") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."fee_minor" IS DISTINCT FROM (NEW."fee_minor") OR OLD."fee_note" IS DISTINCT FROM (NEW."fee_note") OR OLD."fee_version_id" IS DISTINCT FROM (NEW."fee_version_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."amount_base_minor" IS DISTINCT FROM (NEW."amount_base_minor") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."payee_name" IS DISTINCT FROM (NEW."payee_name") OR OLD."payee_match" IS DISTINCT FROM (NEW."payee_match") OR OLD."outside_account" IS DISTINCT FROM (NEW."outside_account") OR OLD."initiated_by_id" IS DISTINCT FROM (NEW."initiated_by_id") OR OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."decision_id" IS DISTINCT FROM (NEW."decision_id") OR OLD."hold_cause" IS DISTINCT FROM (NEW."hold_cause") OR OLD."reasons" IS DISTINCT FROM (NEW."reasons") OR OLD."hold_id" IS DISTINCT FROM (NEW."hold_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1e0fbf9ea4556561fd00f0174eeb72e75391cfbe', operation='UPDATE', pgid='pgtrigger_facts_stay_5c6fd', table='payments_payment', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='limit',
                    trigger=pgtrigger.compiler.Trigger(name='limit_stays_whose_it_is', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."set_by" IS DISTINCT FROM (NEW."set_by"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ff08d3fb14b326f3fc1d1bf2f13b77499a027b34', operation='UPDATE', pgid='pgtrigger_limit_stays_whose_it_is_fb7a7', table='payments_limit', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='payee',
                    trigger=pgtrigger.compiler.Trigger(name='payee_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."iban" IS DISTINCT FROM (NEW."iban") OR OLD."name_match" IS DISTINCT FROM (NEW."name_match") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='24edbdf372a0ed7776584da89088e43cb4412797', operation='UPDATE', pgid='pgtrigger_payee_stays_17294', table='payments_payee', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='standingorder',
                    trigger=pgtrigger.compiler.Trigger(name='terms_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."debit_account_id" IS DISTINCT FROM (NEW."debit_account_id") OR OLD."credit_account_id" IS DISTINCT FROM (NEW."credit_account_id") OR OLD."iban" IS DISTINCT FROM (NEW."iban") OR OLD."payee_name" IS DISTINCT FROM (NEW."payee_name") OR OLD."payee_match" IS DISTINCT FROM (NEW."payee_match") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."unit" IS DISTINCT FROM (NEW."unit") OR OLD."every" IS DISTINCT FROM (NEW."every") OR OLD."first_date" IS DISTINCT FROM (NEW."first_date") OR OLD."last_date" IS DISTINCT FROM (NEW."last_date") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f93f4a30a8105e01f6f7ed472f76992b62d454b6', operation='UPDATE', pgid='pgtrigger_terms_stay_ea191', table='payments_standingorder', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='standingorder',
                    trigger=pgtrigger.compiler.Trigger(name='standing_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{ACTIVE:PAUSED,PAUSED:ACTIVE,ACTIVE:CANCELLED,PAUSED:CANCELLED,ACTIVE:ENDED,PAUSED:ENDED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='f1a30b5370424c6cef92157729ee2ed4a605773c', operation='UPDATE', pgid='pgtrigger_standing_moves_1c768', table='payments_standingorder', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='standingorder',
                    trigger=pgtrigger.compiler.Trigger(name='standing_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d5b8046d11a6a727f9bab39f5a56219e82ef0bb4', operation='DELETE', pgid='pgtrigger_standing_never_deleted_380ca', table='payments_standingorder', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='standingrun',
                    trigger=pgtrigger.compiler.Trigger(name='run_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."due_date" IS DISTINCT FROM (NEW."due_date"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='38e5fcad2b32bb83c75caa8f80172418dfa860c3', operation='UPDATE', pgid='pgtrigger_run_stays_feb29', table='payments_standingrun', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='standingrun',
                    trigger=pgtrigger.compiler.Trigger(name='run_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{WAITING:DONE,WAITING:FAILED,WAITING:SKIPPED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='4a2de16eaeefa9b527501ce5d34bdf8e1df414fd', operation='UPDATE', pgid='pgtrigger_run_moves_146f9', table='payments_standingrun', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='standingrun',
                    trigger=pgtrigger.compiler.Trigger(name='run_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5d269406c225ef60fc05a05bcf18cd68ca996489', operation='DELETE', pgid='pgtrigger_run_never_deleted_4b360', table='payments_standingrun', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='bulkfile',
                    trigger=pgtrigger.compiler.Trigger(name='bulkfile_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."debit_account_id" IS DISTINCT FROM (NEW."debit_account_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."sha256" IS DISTINCT FROM (NEW."sha256") OR OLD."size" IS DISTINCT FROM (NEW."size") OR OLD."mode" IS DISTINCT FROM (NEW."mode") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c58566de19d2b343b9c5447249ad6dc817fbf315', operation='UPDATE', pgid='pgtrigger_bulkfile_stays_8fdd4', table='payments_bulkfile', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='bulkfile',
                    trigger=pgtrigger.compiler.Trigger(name='bulkfile_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{CHECKED:CONFIRMED,CHECKED:CANCELLED,CONFIRMED:CANCELLED,CONFIRMED:RUNNING,RUNNING:DONE,RUNNING:REFUSED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='f892a898030763acb39633b17ee8554da9d11858', operation='UPDATE', pgid='pgtrigger_bulkfile_moves_e8953', table='payments_bulkfile', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='bulkfile',
                    trigger=pgtrigger.compiler.Trigger(name='bulkfile_is_a_record', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."confirmed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b13dac3c3cc8b839159f9bf0361e864c69eb4f54', operation='DELETE', pgid='pgtrigger_bulkfile_is_a_record_ffef5', table='payments_bulkfile', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='bulkrow',
                    trigger=pgtrigger.compiler.Trigger(name='bulkrow_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."file_id" IS DISTINCT FROM (NEW."file_id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."payee_name" IS DISTINCT FROM (NEW."payee_name") OR OLD."payee_number" IS DISTINCT FROM (NEW."payee_number") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."fee_minor" IS DISTINCT FROM (NEW."fee_minor") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."name_match" IS DISTINCT FROM (NEW."name_match") OR OLD."check_code" IS DISTINCT FROM (NEW."check_code") OR OLD."check_text" IS DISTINCT FROM (NEW."check_text"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='da8adb739b2aa8c9867b5ff6c132c4dab2386ce0', operation='UPDATE', pgid='pgtrigger_bulkrow_stays_e5220', table='payments_bulkrow', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='bulkrow',
                    trigger=pgtrigger.compiler.Trigger(name='bulkrow_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{WAITING:DONE,WAITING:FAILED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='c97b949643631380240d7b3155e56f78a7c67c22', operation='UPDATE', pgid='pgtrigger_bulkrow_moves_eccf6', table='payments_bulkrow', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='bulkrow',
                    trigger=pgtrigger.compiler.Trigger(name='bulkrow_is_a_record', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IN (\'DONE\', \'FAILED\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9d5c270682f5339a7126dde347ad2199d1da61e3', operation='DELETE', pgid='pgtrigger_bulkrow_is_a_record_95556', table='payments_bulkrow', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='integratorhold',
                    trigger=pgtrigger.compiler.Trigger(name='integratorhold_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."api_client_id" IS DISTINCT FROM (NEW."api_client_id") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."payload_sha256" IS DISTINCT FROM (NEW."payload_sha256") OR OLD."hold_id" IS DISTINCT FROM (NEW."hold_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='683af3c43a183c822d993629d729924df73dba31', operation='UPDATE', pgid='pgtrigger_integratorhold_stays_cec25', table='payments_integratorhold', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='integratorhold',
                    trigger=pgtrigger.compiler.Trigger(name='integratorhold_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{ACTIVE:POSTED,ACTIVE:VOIDED,ACTIVE:EXPIRED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='3bdc8284fe7409ecc3627f9292b89ae7cbf81b85', operation='UPDATE', pgid='pgtrigger_integratorhold_moves_1523a', table='payments_integratorhold', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='integratorhold',
                    trigger=pgtrigger.compiler.Trigger(name='integratorhold_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='282739e6eaaaa57faf8089a761fb4178d3efe6af', operation='DELETE', pgid='pgtrigger_integratorhold_never_deleted_83b4f', table='payments_integratorhold', when='BEFORE')),
                ),
            ],
        ),
    ]
