import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.lookups
import loans.models.product
import loans.rules.spending
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from common.postgres.tables import CreateTables


class Migration(migrations.Migration):

    replaces = [
        ('loans', '0001_lending'),
        ('loans', '0002_choices_and_pauses'),
        ('loans', '0003_tranches'),
        ('loans', '0004_product_choices'),
        ('loans', '0005_rhythm'),
        ('loans', '0006_order_of_spending'),
        ('loans', '0007_collecting'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0010_closing_interest'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='Bucket',
                    fields=[
                        ('from_days', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=30)),
                        ('provision_percent', models.DecimalField(decimal_places=2, max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))])),
                        ('told', models.CharField(max_length=200, verbose_name='what the customer reads')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('provision_percent__gte', 0), ('provision_percent__lte', 100)), name='loans_bucket_percent')],
                    },
                ),
                migrations.CreateModel(
                    name='LoanProduct',
                    fields=[
                        ('code', models.CharField(max_length=12, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=60)),
                        ('kind', models.CharField(choices=[('PERSONAL', 'Personal'), ('HOME', 'Home'), ('VEHICLE', 'Vehicle'), ('EDUCATION', 'Education'), ('BUSINESS', 'Business')], max_length=9)),
                        ('currency', models.CharField(max_length=3)),
                        ('description', models.CharField(blank=True, max_length=200)),
                        ('min_amount_minor', models.BigIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='smallest amount')),
                        ('max_amount_minor', models.BigIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='largest amount')),
                        ('min_instalments', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='fewest instalments')),
                        ('max_instalments', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1200)], verbose_name='most instalments')),
                        ('annual_rate', models.DecimalField(decimal_places=2, help_text='Asked of every score below the lowest band.', max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))], verbose_name='rate (% a year)')),
                        ('method', models.CharField(choices=[('EQUAL_INSTALMENT', 'Equal instalments'), ('EQUAL_PRINCIPAL', 'Equal principal'), ('FLAT', 'Flat'), ('FIXED_INSTALMENT', 'Fixed instalment, the rest with the last one')], default='EQUAL_INSTALMENT', max_length=16)),
                        ('day_count', models.CharField(choices=[('30/360', '30/360'), ('ACTUAL/365', 'ACTUAL/365'), ('ACTUAL/360', 'ACTUAL/360'), ('ACTUAL/364', 'ACTUAL/364'), ('ACTUAL/ACTUAL', 'ACTUAL/ACTUAL')], default='30/360', max_length=13)),
                        ('arrangement_fee_percent', models.DecimalField(decimal_places=2, default=0, max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))], verbose_name='arrangement fee (% of the amount)')),
                        ('instalment_fee_minor', models.BigIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name='fee per instalment')),
                        ('penalty_percent', models.DecimalField(decimal_places=2, default=0, max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))], verbose_name='late penalty (%)')),
                        ('penalty_grace_days', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MaxValueValidator(366)], verbose_name='days before a penalty')),
                        ('principal_grace', models.PositiveSmallIntegerField(default=0, verbose_name='first instalments without principal')),
                        ('prepayment', models.CharField(choices=[('REDUCE_TERM', 'Fewer instalments'), ('REDUCE_INSTALMENT', 'Smaller instalments'), ('NEXT_INSTALMENTS', 'The next instalments in advance')], default='REDUCE_TERM', max_length=18, verbose_name='an extra payment means')),
                        ('allocation', models.JSONField(default=loans.rules.spending.default_order, validators=[loans.models.product.require_order], verbose_name='a payment is spent on')),
                        ('takes_partial', models.BooleanField(default=True, verbose_name='collect in part when the account holds less')),
                        ('cooling_off_days', models.PositiveSmallIntegerField(default=14, validators=[django.core.validators.MaxValueValidator(60)], verbose_name='days to withdraw after signing')),
                        ('is_open', models.BooleanField(default=True, verbose_name='open for new applications')),
                        ('interest_basis', models.CharField(choices=[('PLANNED', 'As planned, however late a payment is'), ('ACTUAL', 'On what is owed each day, the overdue included')], default='PLANNED', max_length=7, verbose_name='interest is')),
                        ('payoff_interest', models.CharField(choices=[('TO_DATE', 'Interest to the day'), ('TO_PERIOD_END', 'Interest to the end of the period')], default='TO_DATE', max_length=13, verbose_name='paying off costs')),
                        ('max_tranches', models.PositiveSmallIntegerField(default=1, help_text='1: all of it at once.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(4)], verbose_name='paid out in at most so many parts')),
                        ('arrangement_fee_minor', models.BigIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name='arrangement fee')),
                        ('fixed_instalment_percent', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))], verbose_name='fixed instalment (% of the amount)')),
                        ('instalment_fee_basis', models.CharField(choices=[('FLAT', 'an amount'), ('PRINCIPAL', '% of its principal'), ('INSTALMENT', '% of principal and interest')], default='FLAT', max_length=10, verbose_name="each instalment's fee is")),
                        ('instalment_fee_percent', models.DecimalField(decimal_places=2, default=0, max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))], verbose_name='fee per instalment (%)')),
                        ('interest_grace', models.PositiveSmallIntegerField(default=0, help_text='It is due with the first instalment after them.', verbose_name='first instalments without interest')),
                        ('penalty_basis', models.CharField(choices=[('PRINCIPAL_AND_INTEREST', '% of the overdue principal and interest'), ('PRINCIPAL', '% of the overdue principal'), ('FLAT', 'an amount')], default='PRINCIPAL_AND_INTEREST', max_length=22, verbose_name='a late penalty is')),
                        ('penalty_minor', models.BigIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name='late penalty')),
                        ('every', models.PositiveSmallIntegerField(default=1, help_text='Stays as it is: another rhythm is another product.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(366)], verbose_name='an instalment every')),
                        ('frequency', models.CharField(choices=[('MONTHS', 'months'), ('WEEKS', 'weeks'), ('DAYS', 'days')], default='MONTHS', max_length=6, verbose_name='counted in')),
                        ('retries', models.PositiveSmallIntegerField(default=10, help_text='When the account held too little. Every due day begins anew.', validators=[django.core.validators.MaxValueValidator(90)], verbose_name='tries after a due day')),
                        ('retry_days', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(31)], verbose_name='days from one try to the next')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['PERSONAL', 'HOME', 'VEHICLE', 'EDUCATION', 'BUSINESS'])), name='loans_product_kind'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='loans_product_currency'), models.CheckConstraint(condition=models.Q(('max_amount_minor__gte', models.F('min_amount_minor')), ('min_amount_minor__gt', 0)), name='loans_product_amounts'), models.CheckConstraint(condition=models.Q(('max_tranches', 1), models.Q(('max_tranches__gte', 1), ('max_tranches__lte', 4), models.Q(('method', 'FLAT'), _negated=True)), _connector='OR'), name='loans_product_tranches', violation_error_message='A flat loan is paid out at once.'), models.CheckConstraint(condition=models.Q(('interest_grace__lt', models.F('min_instalments')), ('max_instalments__gte', models.F('min_instalments')), ('max_instalments__lte', 1200), ('min_instalments__gte', 1), ('principal_grace__lt', models.F('min_instalments'))), name='loans_product_terms', violation_error_message='The limits have to fit each other, and a grace leaves one instalment at least.'), models.CheckConstraint(condition=models.Q(models.Q(('fixed_instalment_percent__gt', 0), ('fixed_instalment_percent__isnull', False), ('method', 'FIXED_INSTALMENT')), models.Q(models.Q(('method', 'FIXED_INSTALMENT'), _negated=True), ('fixed_instalment_percent__isnull', True)), _connector='OR'), name='loans_product_fixed_instalment', violation_error_message='A fixed instalment, and only that, needs its share of the amount.'), models.CheckConstraint(condition=models.Q(models.Q(('instalment_fee_basis', 'FLAT'), ('instalment_fee_percent', 0)), models.Q(('instalment_fee_basis__in', ['PRINCIPAL', 'INSTALMENT']), ('instalment_fee_minor', 0), ('instalment_fee_percent__gt', 0)), _connector='OR'), name='loans_product_instalment_fee', violation_error_message='Give the fee per instalment as an amount or in per cent, as chosen.'), models.CheckConstraint(condition=models.Q(models.Q(('penalty_basis', 'FLAT'), ('penalty_minor__gt', 0), ('penalty_percent', 0)), models.Q(('penalty_basis__in', ['PRINCIPAL', 'PRINCIPAL_AND_INTEREST']), ('penalty_minor', 0)), _connector='OR'), name='loans_product_penalty', violation_error_message='Give the late penalty as an amount or in per cent, as chosen.'), models.CheckConstraint(condition=models.Q(('annual_rate__gte', 0), ('annual_rate__lte', 100), ('arrangement_fee_minor__gte', 0), ('arrangement_fee_percent__gte', 0), ('arrangement_fee_percent__lt', 100), ('instalment_fee_minor__gte', 0), ('penalty_percent__gte', 0), ('penalty_percent__lte', 100)), name='loans_product_charges'), models.CheckConstraint(condition=models.Q(models.Q(('every__gte', 1), ('every__lte', 366), ('frequency', 'MONTHS'), ('max_instalments__lte', django.db.models.expressions.CombinedExpression(models.Value(1200), '/', models.F('every')))), models.Q(('every__gte', 1), ('every__lte', 366), ('frequency', 'WEEKS'), ('max_instalments__lte', django.db.models.expressions.CombinedExpression(models.Value(5200), '/', models.F('every')))), models.Q(('every__gte', 1), ('every__lte', 366), ('frequency', 'DAYS'), ('max_instalments__lte', django.db.models.expressions.CombinedExpression(models.Value(36500), '/', models.F('every')))), _connector='OR'), name='loans_product_rhythm', violation_error_message='A loan runs for a hundred years at most.'), models.CheckConstraint(condition=models.Q(('allocation__contains', ['PAST_DUE:PENALTY', 'PAST_DUE:FEE', 'PAST_DUE:INTEREST', 'PAST_DUE:PRINCIPAL', 'DUE:PENALTY', 'DUE:FEE', 'DUE:INTEREST', 'DUE:PRINCIPAL', 'IN_ADVANCE:PENALTY', 'IN_ADVANCE:FEE', 'IN_ADVANCE:INTEREST', 'IN_ADVANCE:PRINCIPAL']), django.db.models.lookups.Exact(models.Func('allocation', function='jsonb_array_length', output_field=models.IntegerField()), 12)), name='loans_product_allocation'), models.CheckConstraint(condition=models.Q(('retries__lte', 90), ('retry_days__gte', 1), ('retry_days__lte', 31)), name='loans_product_retries')],
                    },
                ),
                migrations.CreateModel(
                    name='Application',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('status', models.CharField(choices=[('DRAFT', 'Draft'), ('SUBMITTED', 'Submitted'), ('REFERRED', 'Referred'), ('APPROVED', 'Approved'), ('DECLINED', 'Declined'), ('ACCEPTED', 'Accepted'), ('WITHDRAWN', 'Withdrawn'), ('EXPIRED', 'Expired')], default='DRAFT', max_length=9)),
                        ('amount_minor', models.BigIntegerField()),
                        ('currency', models.CharField(max_length=3)),
                        ('instalments', models.PositiveSmallIntegerField()),
                        ('purpose', models.CharField(blank=True, max_length=140)),
                        ('employment', models.CharField(blank=True, choices=[('EMPLOYED', 'Employed'), ('SELF_EMPLOYED', 'Self-employed'), ('RETIRED', 'Retired'), ('STUDENT', 'Student'), ('OTHER', 'Something else')], max_length=13)),
                        ('income_minor', models.BigIntegerField(null=True)),
                        ('obligations_minor', models.BigIntegerField(null=True)),
                        ('offered_rate', models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                        ('offered_terms', models.JSONField(null=True)),
                        ('offer_until', models.DateField(null=True)),
                        ('created_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('submitted_at', models.DateTimeField(null=True)),
                        ('decided_at', models.DateTimeField(null=True)),
                        ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                        ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='loan_applications', to=settings.AUTH_USER_MODEL)),
                        ('first_approver', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('second_approver', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='applications', to='loans.loanproduct')),
                        ('tranches', models.JSONField(default=list)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('status', 'REFERRED')), fields=['submitted_at'], name='loans_application_queue'), models.Index(condition=models.Q(('status', 'APPROVED')), fields=['offer_until'], name='loans_application_offers')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0), ('instalments__gt', 0)), name='loans_application_amount'), models.CheckConstraint(condition=models.Q(models.Q(('income_minor__isnull', True), ('income_minor__gte', 0), _connector='OR'), models.Q(('obligations_minor__isnull', True), ('obligations_minor__gte', 0), _connector='OR')), name='loans_application_figures'), models.CheckConstraint(condition=models.Q(('status__in', ['DRAFT', 'WITHDRAWN']), models.Q(('account__isnull', False), ('income_minor__isnull', False), ('obligations_minor__isnull', False), ('submitted_at__isnull', False), models.Q(('employment', ''), _negated=True)), _connector='OR'), name='loans_application_complete'), models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['APPROVED', 'ACCEPTED']), _negated=True), models.Q(('offer_until__isnull', False), ('offered_rate__isnull', False), ('offered_terms__isnull', False)), _connector='OR'), name='loans_application_offer'), models.CheckConstraint(condition=models.Q(models.Q(('first_approver__isnull', True), models.Q(('first_approver', models.F('customer')), _negated=True), _connector='OR'), models.Q(('second_approver__isnull', True), models.Q(('second_approver', models.F('customer')), _negated=True), _connector='OR')), name='loans_application_not_own'), models.CheckConstraint(condition=models.Q(('second_approver__isnull', True), models.Q(('first_approver__isnull', False), models.Q(('second_approver', models.F('first_approver')), _negated=True)), _connector='OR'), name='loans_application_four_eyes'), models.UniqueConstraint(condition=models.Q(('status__in', ['DRAFT', 'SUBMITTED', 'REFERRED', 'APPROVED'])), fields=('customer',), name='loans_application_one_open')],
                    },
                ),
                migrations.CreateModel(
                    name='Loan',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('currency', models.CharField(max_length=3)),
                        ('principal_minor', models.BigIntegerField()),
                        ('annual_rate', models.DecimalField(decimal_places=2, max_digits=5)),
                        ('apr', models.DecimalField(decimal_places=2, max_digits=9, null=True, verbose_name='APR')),
                        ('terms', models.JSONField()),
                        ('takes_partial', models.BooleanField()),
                        ('cooling_off_until', models.DateField()),
                        ('status', models.CharField(choices=[('ACTIVE', 'Active'), ('CLOSED', 'Closed'), ('CANCELLED', 'Cancelled'), ('WRITTEN_OFF', 'Written off')], default='ACTIVE', max_length=11)),
                        ('start_date', models.DateField()),
                        ('maturity_date', models.DateField()),
                        ('disbursed_at', models.DateTimeField()),
                        ('closed_at', models.DateTimeField(null=True)),
                        ('principal_balance_minor', models.BigIntegerField(default=0)),
                        ('interest_balance_minor', models.BigIntegerField(default=0)),
                        ('fee_balance_minor', models.BigIntegerField(default=0)),
                        ('penalty_balance_minor', models.BigIntegerField(default=0)),
                        ('suspended_minor', models.BigIntegerField(default=0)),
                        ('allowance_minor', models.BigIntegerField(default=0)),
                        ('written_off_minor', models.BigIntegerField(default=0)),
                        ('recovered_minor', models.BigIntegerField(default=0)),
                        ('events_count', models.PositiveIntegerField(default=0)),
                        ('last_event_date', models.DateField()),
                        ('accrued_to', models.DateField()),
                        ('accruals_from', models.DateField()),
                        ('accruals', models.JSONField()),
                        ('next_due_date', models.DateField(null=True)),
                        ('days_past_due', models.PositiveIntegerField(default=0)),
                        ('worst_days_past_due', models.PositiveIntegerField(default=0)),
                        ('non_performing_since', models.DateField(null=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                        ('application', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='loan', to='loans.application')),
                        ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='loans', to=settings.AUTH_USER_MODEL)),
                        ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='loans', to='loans.loanproduct')),
                        ('disbursed_minor', models.BigIntegerField()),
                        ('retries', models.PositiveSmallIntegerField(default=10)),
                        ('retry_days', models.PositiveSmallIntegerField(default=1)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('status', 'ACTIVE')), fields=['next_due_date'], name='loans_loan_due'), models.Index(condition=models.Q(('status', 'ACTIVE')), fields=['accrued_to', 'id'], name='loans_loan_accrue')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('status', 'ACTIVE')), models.Q(('allowance_minor', 0), ('closed_at__isnull', False), ('fee_balance_minor', 0), ('interest_balance_minor', 0), ('penalty_balance_minor', 0), ('principal_balance_minor', 0)), _connector='OR'), name='loans_loan_ended_owes_nothing'), models.CheckConstraint(condition=models.Q(('allowance_minor__gte', 0), ('disbursed_minor__gt', 0), ('disbursed_minor__lte', models.F('principal_minor')), ('fee_balance_minor__gte', 0), ('interest_balance_minor__gte', 0), ('penalty_balance_minor__gte', 0), ('principal_balance_minor__gte', 0), ('principal_balance_minor__lte', models.F('disbursed_minor')), ('principal_minor__gt', 0), ('recovered_minor__gte', 0), ('recovered_minor__lte', models.F('written_off_minor')), ('suspended_minor__gte', 0), ('suspended_minor__lte', models.F('interest_balance_minor')), ('written_off_minor__gte', 0)), name='loans_loan_amounts')],
                    },
                ),
                migrations.CreateModel(
                    name='LoanEvent',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('number', models.PositiveIntegerField()),
                        ('day', models.DateField()),
                        ('type', models.CharField(choices=[('DISBURSEMENT', 'Disbursement'), ('REPAYMENT', 'Repayment'), ('PAYOFF', 'Payoff'), ('CHARGE', 'Charge'), ('RESCHEDULE', 'Reschedule'), ('MORATORIUM', 'Moratorium'), ('WRITE_OFF', 'Write_off')], max_length=12)),
                        ('fields', models.JSONField(default=dict)),
                        ('client_id', models.UUIDField()),
                        ('principal_minor', models.BigIntegerField(default=0)),
                        ('interest_minor', models.BigIntegerField(default=0)),
                        ('fee_minor', models.BigIntegerField(default=0)),
                        ('penalty_minor', models.BigIntegerField(default=0)),
                        ('at', models.DateTimeField()),
                        ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='loans.loan')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('loan', 'number'), name='loans_event_order'), models.UniqueConstraint(fields=('loan', 'client_id'), name='loans_event_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Collection',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('outcome', models.CharField(choices=[('COLLECTED', 'Collected'), ('PARTIAL', 'Collected in part'), ('FAILED', 'Not collected')], max_length=9)),
                        ('due_minor', models.BigIntegerField()),
                        ('collected_minor', models.BigIntegerField()),
                        ('reason', models.CharField(blank=True, max_length=40)),
                        ('at', models.DateTimeField()),
                        ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='collections', to='loans.loan')),
                        ('event', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='collection', to='loans.loanevent')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('loan', 'day'), name='loans_collection_once_a_day'), models.CheckConstraint(condition=models.Q(models.Q(('collected_minor', models.F('due_minor')), ('event__isnull', False), ('outcome', 'COLLECTED')), models.Q(('collected_minor__gt', 0), ('collected_minor__lt', models.F('due_minor')), ('event__isnull', False), ('outcome', 'PARTIAL')), models.Q(('collected_minor', 0), ('event__isnull', True), ('outcome', 'FAILED'), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='loans_collection_facts')],
                    },
                ),
                migrations.CreateModel(
                    name='Movement',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('DISBURSEMENT', 'Paid out'), ('ACCRUAL', 'Accrued'), ('REPAYMENT', 'Repaid'), ('CANCELLATION', 'Cancelled'), ('SUSPENSION', 'Interest suspended'), ('PROVISION', 'Set aside'), ('WRITE_OFF', 'Written off'), ('RECOVERY', 'Recovered')], max_length=12)),
                        ('period', models.CharField(max_length=40)),
                        ('day', models.DateField()),
                        ('principal_minor', models.BigIntegerField(default=0)),
                        ('interest_minor', models.BigIntegerField(default=0)),
                        ('fee_minor', models.BigIntegerField(default=0)),
                        ('penalty_minor', models.BigIntegerField(default=0)),
                        ('suspended_minor', models.BigIntegerField(default=0)),
                        ('allowance_minor', models.BigIntegerField(default=0)),
                        ('entry_id', models.BigIntegerField()),
                        ('at', models.DateTimeField()),
                        ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='loans.loan')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['entry_id'], name='loans_movement_entry')],
                        'constraints': [models.UniqueConstraint(fields=('loan', 'kind', 'period'), name='loans_movement_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Notice',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(max_length=12)),
                        ('period', models.CharField(max_length=40)),
                        ('day', models.DateField()),
                        ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='loans.loan')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('loan', 'kind', 'period'), name='loans_notice_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Policy',
                    fields=[
                        ('version', models.PositiveIntegerField(primary_key=True, serialize=False)),
                        ('approve_from_score', models.PositiveSmallIntegerField(default=70, verbose_name='approve from this score')),
                        ('refer_from_score', models.PositiveSmallIntegerField(default=40, verbose_name='refer from this score, decline below')),
                        ('approve_up_to_minor', models.BigIntegerField(default=2500000, verbose_name='approve by itself up to')),
                        ('second_officer_above_minor', models.BigIntegerField(default=5000000, verbose_name='a second officer above')),
                        ('approve_up_to_burden', models.PositiveSmallIntegerField(default=40, verbose_name='approve up to this burden (% of income)')),
                        ('decline_above_burden', models.PositiveSmallIntegerField(default=60, verbose_name='decline above this burden (% of income)')),
                        ('created_at', models.DateTimeField()),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name_plural': 'policies',
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('approve_from_score__lte', 100), ('approve_up_to_burden__lte', models.F('decline_above_burden')), ('approve_up_to_minor__gte', 0), ('refer_from_score__lte', models.F('approve_from_score')), ('second_officer_above_minor__gte', 0)), name='loans_policy_limits')],
                    },
                ),
                migrations.CreateModel(
                    name='Decision',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('outcome', models.CharField(choices=[('APPROVE', 'Approve'), ('RECOMMEND', 'Recommend to a second officer'), ('REFER', 'Refer'), ('DECLINE', 'Decline')], max_length=9)),
                        ('reason', models.CharField(blank=True, max_length=2000)),
                        ('reasons', models.JSONField(default=list)),
                        ('score', models.SmallIntegerField()),
                        ('score_version', models.CharField(max_length=12)),
                        ('inputs', models.JSONField()),
                        ('at', models.DateTimeField()),
                        ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='loans.application')),
                        ('officer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='loans.policy')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('officer__isnull', True), ('reason', '')), models.Q(('officer__isnull', False), models.Q(('reason', ''), _negated=True), models.Q(('outcome', 'REFER'), _negated=True)), _connector='OR'), name='loans_decision_by_whom')],
                    },
                ),
                migrations.CreateModel(
                    name='RateBand',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('min_score', models.PositiveSmallIntegerField()),
                        ('annual_rate', models.DecimalField(decimal_places=2, max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal(0)), django.core.validators.MaxValueValidator(Decimal(100))], verbose_name='rate (% a year)')),
                        ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bands', to='loans.loanproduct')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('product', 'min_score'), name='loans_rateband_once'), models.CheckConstraint(condition=models.Q(('annual_rate__gte', 0), ('annual_rate__lte', 100)), name='loans_rateband_rate')],
                    },
                ),
                migrations.CreateModel(
                    name='Restructure',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('status', models.CharField(choices=[('PROPOSED', 'Proposed'), ('APPROVED', 'Approved'), ('REFUSED', 'Refused')], default='PROPOSED', max_length=8)),
                        ('instalments', models.PositiveSmallIntegerField(null=True)),
                        ('annual_rate', models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                        ('first_due_date', models.DateField(null=True)),
                        ('reason', models.CharField(max_length=2000)),
                        ('made_at', models.DateTimeField()),
                        ('checked_at', models.DateTimeField(null=True)),
                        ('answer', models.CharField(blank=True, max_length=2000)),
                        ('checker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='restructures', to='loans.loan')),
                        ('maker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('pause_instalments', models.PositiveSmallIntegerField(null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('checker__isnull', True), models.Q(('checker', models.F('maker')), _negated=True), _connector='OR'), name='loans_restructure_four_eyes'), models.CheckConstraint(condition=models.Q(models.Q(('checked_at__isnull', True), ('checker__isnull', True), ('status', 'PROPOSED')), models.Q(models.Q(('status', 'PROPOSED'), _negated=True), ('checked_at__isnull', False), ('checker__isnull', False)), _connector='OR'), name='loans_restructure_decided'), models.UniqueConstraint(condition=models.Q(('status', 'PROPOSED')), fields=('loan',), name='loans_restructure_one_open'), models.CheckConstraint(condition=models.Q(('pause_instalments__isnull', True), models.Q(('annual_rate__isnull', True), ('first_due_date__isnull', True), ('instalments__isnull', True)), _connector='OR'), name='loans_restructure_pause_alone')],
                    },
                ),
                migrations.CreateModel(
                    name='Instalment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.PositiveSmallIntegerField()),
                        ('from_date', models.DateField()),
                        ('due_date', models.DateField()),
                        ('principal_minor', models.BigIntegerField()),
                        ('interest_minor', models.BigIntegerField()),
                        ('fee_minor', models.BigIntegerField()),
                        ('penalty_minor', models.BigIntegerField()),
                        ('paid_principal_minor', models.BigIntegerField()),
                        ('paid_interest_minor', models.BigIntegerField()),
                        ('paid_fee_minor', models.BigIntegerField()),
                        ('paid_penalty_minor', models.BigIntegerField()),
                        ('outstanding_minor', models.BigIntegerField()),
                        ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='instalments', to='loans.loan')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('loan', 'number'), name='loans_instalment_once'), models.CheckConstraint(condition=models.Q(('paid_fee_minor__gte', 0), ('paid_fee_minor__lte', models.F('fee_minor')), ('paid_interest_minor__gte', 0), ('paid_interest_minor__lte', models.F('interest_minor')), ('paid_penalty_minor__gte', 0), ('paid_penalty_minor__lte', models.F('penalty_minor')), ('paid_principal_minor__gte', 0), ('paid_principal_minor__lte', models.F('principal_minor'))), name='loans_instalment_paid_within_due')],
                    },
                ),
                migrations.CreateModel(
                    name='Tranche',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('number', models.PositiveSmallIntegerField()),
                        ('amount_minor', models.BigIntegerField()),
                        ('planned_date', models.DateField()),
                        ('status', models.CharField(choices=[('PLANNED', 'Planned'), ('ASKED', 'Waits for a second officer'), ('PAID', 'Paid out'), ('CANCELLED', 'Not paid out')], default='PLANNED', max_length=9)),
                        ('reason', models.CharField(blank=True, max_length=2000)),
                        ('made_at', models.DateTimeField(null=True)),
                        ('checked_at', models.DateTimeField(null=True)),
                        ('answer', models.CharField(blank=True, max_length=2000)),
                        ('paid_date', models.DateField(null=True)),
                        ('checker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('event', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tranche', to='loans.loanevent')),
                        ('loan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tranches', to='loans.loan')),
                        ('maker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('loan', 'number'), name='loans_tranche_once'), models.UniqueConstraint(condition=models.Q(('status', 'ASKED')), fields=('loan',), name='loans_tranche_one_asked'), models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0), ('number__gte', 2)), name='loans_tranche_amount'), models.CheckConstraint(condition=models.Q(('checker__isnull', True), models.Q(('checker', models.F('maker')), _negated=True), _connector='OR'), name='loans_tranche_four_eyes'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'ASKED'), _negated=True), models.Q(('made_at__isnull', False), ('maker__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='loans_tranche_asked'), models.CheckConstraint(condition=models.Q(models.Q(('checked_at__isnull', False), ('checker__isnull', False), ('event__isnull', False), ('maker__isnull', False), ('paid_date__isnull', False), ('status', 'PAID')), models.Q(models.Q(('status', 'PAID'), _negated=True), ('event__isnull', True), ('paid_date__isnull', True)), _connector='OR'), name='loans_tranche_paid')],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='application',
                    trigger=pgtrigger.compiler.Trigger(name='application_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{DRAFT:SUBMITTED,DRAFT:WITHDRAWN,SUBMITTED:REFERRED,SUBMITTED:APPROVED,SUBMITTED:DECLINED,SUBMITTED:WITHDRAWN,REFERRED:APPROVED,REFERRED:DECLINED,REFERRED:WITHDRAWN,APPROVED:ACCEPTED,APPROVED:WITHDRAWN,APPROVED:EXPIRED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='7fefdac6cfae7d86fbaaac3c112e0cb496c4d4fa', operation='UPDATE', pgid='pgtrigger_application_moves_ad4c3', table='loans_application', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='application',
                    trigger=pgtrigger.compiler.Trigger(name='application_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='68b619f1bdb4e4381b743396891b9a1517f8beb9', operation='DELETE', pgid='pgtrigger_application_never_deleted_a8019', table='loans_application', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='application',
                    trigger=pgtrigger.compiler.Trigger(name='application_figures_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'DRAFT\') AND (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."product_id" IS DISTINCT FROM (NEW."product_id") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."instalments" IS DISTINCT FROM (NEW."instalments") OR OLD."tranches" IS DISTINCT FROM (NEW."tranches") OR OLD."purpose" IS DISTINCT FROM (NEW."purpose") OR OLD."employment" IS DISTINCT FROM (NEW."employment") OR OLD."income_minor" IS DISTINCT FROM (NEW."income_minor") OR OLD."obligations_minor" IS DISTINCT FROM (NEW."obligations_minor")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='809c4ee10d203d81e55a827a805495c29e2b9268', operation='UPDATE', pgid='pgtrigger_application_figures_stay_1d3d9', table='loans_application', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='loan',
                    trigger=pgtrigger.compiler.Trigger(name='loan_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{ACTIVE:CLOSED,ACTIVE:CANCELLED,ACTIVE:WRITTEN_OFF}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6f5a028a506ed1b5d24dfd2bcab320b925c61193', operation='UPDATE', pgid='pgtrigger_loan_moves_e8c62', table='loans_loan', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='loan',
                    trigger=pgtrigger.compiler.Trigger(name='loan_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c076738ddb4ef99cf92f9ca1bca2941824c8598b', operation='DELETE', pgid='pgtrigger_loan_never_deleted_b5cc2', table='loans_loan', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='loan',
                    trigger=pgtrigger.compiler.Trigger(name='loan_terms_stay', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."application_id" IS DISTINCT FROM (NEW."application_id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."product_id" IS DISTINCT FROM (NEW."product_id") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."principal_minor" IS DISTINCT FROM (NEW."principal_minor") OR OLD."annual_rate" IS DISTINCT FROM (NEW."annual_rate") OR OLD."apr" IS DISTINCT FROM (NEW."apr") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."takes_partial" IS DISTINCT FROM (NEW."takes_partial") OR OLD."retries" IS DISTINCT FROM (NEW."retries") OR OLD."retry_days" IS DISTINCT FROM (NEW."retry_days") OR OLD."cooling_off_until" IS DISTINCT FROM (NEW."cooling_off_until") OR OLD."start_date" IS DISTINCT FROM (NEW."start_date") OR OLD."disbursed_at" IS DISTINCT FROM (NEW."disbursed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='48f287566f5b5a7501fc033e63262fc2348ce87e', operation='UPDATE', pgid='pgtrigger_loan_terms_stay_252e1', table='loans_loan', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='loanevent',
                    trigger=pgtrigger.compiler.Trigger(name='event_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='bdedc6da21fad73287c8e76c4ef208e5076c5349', operation='UPDATE OR DELETE', pgid='pgtrigger_event_stays_dc905', table='loans_loanevent', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='collection',
                    trigger=pgtrigger.compiler.Trigger(name='collection_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='47b63860a3ebb2c72f639ffed6c287212f771354', operation='UPDATE OR DELETE', pgid='pgtrigger_collection_stays_bc7b7', table='loans_collection', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='movement',
                    trigger=pgtrigger.compiler.Trigger(name='movement_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='685152d47121e6dacecfbb17f7a452d66c2b2e8a', operation='UPDATE OR DELETE', pgid='pgtrigger_movement_stays_02277', table='loans_movement', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='policy',
                    trigger=pgtrigger.compiler.Trigger(name='policy_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8b30ddcacf864cbe7acd3fc900190301a801a441', operation='UPDATE OR DELETE', pgid='pgtrigger_policy_stays_e54bd', table='loans_policy', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='decision',
                    trigger=pgtrigger.compiler.Trigger(name='decision_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b847d1e6d46654a4b72de9a14e1458dc643cde77', operation='UPDATE OR DELETE', pgid='pgtrigger_decision_stays_8fbfe', table='loans_decision', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='restructure',
                    trigger=pgtrigger.compiler.Trigger(name='restructure_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{PROPOSED:APPROVED,PROPOSED:REFUSED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='cc33eb3eab7511c3529ee04c7194a01978194af8', operation='UPDATE', pgid='pgtrigger_restructure_moves_b2b82', table='loans_restructure', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='restructure',
                    trigger=pgtrigger.compiler.Trigger(name='restructure_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='efac1592e3a7bdf44ee6740dfac315184297e518', operation='DELETE', pgid='pgtrigger_restructure_never_deleted_8fd1b', table='loans_restructure', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='restructure',
                    trigger=pgtrigger.compiler.Trigger(name='restructure_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."loan_id" IS DISTINCT FROM (NEW."loan_id") OR OLD."instalments" IS DISTINCT FROM (NEW."instalments") OR OLD."annual_rate" IS DISTINCT FROM (NEW."annual_rate") OR OLD."first_due_date" IS DISTINCT FROM (NEW."first_due_date") OR OLD."pause_instalments" IS DISTINCT FROM (NEW."pause_instalments") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."maker_id" IS DISTINCT FROM (NEW."maker_id") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='edef3009b996d4ea097b5baebdfc4caa0d3b9d5c', operation='UPDATE', pgid='pgtrigger_restructure_stays_35ff1', table='loans_restructure', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='tranche',
                    trigger=pgtrigger.compiler.Trigger(name='tranche_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{PLANNED:ASKED,PLANNED:CANCELLED,ASKED:PLANNED,ASKED:PAID,ASKED:CANCELLED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='5e658d038c835bf87e96e9ccb548cb8e5430cfb6', operation='UPDATE', pgid='pgtrigger_tranche_moves_56dd1', table='loans_tranche', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='tranche',
                    trigger=pgtrigger.compiler.Trigger(name='tranche_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."loan_id" IS DISTINCT FROM (NEW."loan_id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."planned_date" IS DISTINCT FROM (NEW."planned_date"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b90915b593df464a0e364ec7500f5a01fb1102c8', operation='UPDATE', pgid='pgtrigger_tranche_stays_51593', table='loans_tranche', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='tranche',
                    trigger=pgtrigger.compiler.Trigger(name='tranche_never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='fba5f689acb6b4b1e594c3b829b0fa3f13a2f94d', operation='DELETE', pgid='pgtrigger_tranche_never_deleted_9c523', table='loans_tranche', when='BEFORE')),
                ),
            ],
        ),
    ]
