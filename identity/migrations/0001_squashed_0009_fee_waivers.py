import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from common.postgres.tables import CreateTables


class Migration(migrations.Migration):

    replaces = [
        ('identity', '0001_initial'),
        ('identity', '0002_kyc_document_permission'),
        ('identity', '0003_payment_limits_permission'),
        ('identity', '0004_reconcile_permission'),
        ('identity', '0005_reactivate_permission'),
        ('identity', '0006_loan_permissions'),
        ('identity', '0007_fraud_switch_permission'),
        ('identity', '0008_connected_persons'),
        ('identity', '0009_fee_waivers'),
    ]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='User',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail address')),
                        ('full_name', models.CharField(blank=True, max_length=150, verbose_name='name')),
                        ('is_active', models.BooleanField(default=True, verbose_name='active')),
                        ('is_staff', models.BooleanField(default=False, help_text='Can enter the back office.', verbose_name='staff')),
                        ('date_joined', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                        ('password_changed_at', models.DateTimeField(editable=False, null=True)),
                        ('sign_in_epoch', models.PositiveIntegerField(default=0, editable=False)),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ],
                    options={
                        'permissions': [('kyc_view', 'Can see KYC applications'), ('kyc_document_view', 'Can open the documents of KYC applications'), ('kyc_decide', 'Can approve or reject KYC applications'), ('account_view', 'Can see every account'), ('account_open_for_customer', 'Can open an account for a customer'), ('account_freeze', 'Can freeze and unfreeze accounts'), ('account_close', 'Can close accounts'), ('account_reactivate', 'Can reactivate dormant accounts'), ('fee_waive', 'Can waive the monthly fee of accounts'), ('ledger_view', 'Can see the ledger'), ('ledger_reconcile', 'Can match outside statements with the ledger'), ('payment_view', 'Can see every payment'), ('payment_deposit', 'Can pay cash into an account'), ('payment_withdraw', 'Can pay cash out of an account'), ('payment_reverse', 'Can reverse a payment'), ('payment_limits', 'Can set the limits of payments'), ('fraud_view', 'Can see fraud cases, decisions and rules'), ('fraud_decide', 'Can release or decline held transfers'), ('fraud_edit_rules', 'Can edit fraud rules'), ('fraud_approve_rules', "Can put another person's fraud rule live"), ('fraud_switch', 'Can switch features, layers and thresholds of the fraud engine'), ('loan_view', 'Can see loans and applications'), ('loan_decide', 'Can decide about loan applications'), ('loan_service', 'Can restructure loans and write them off'), ('user_view', 'Can see users'), ('user_manage', 'Can create staff, assign roles and unlock users'), ('audit_view', 'Can see the audit trail'), ('product_edit', 'Can edit products and reference rates'), ('notification_view', 'Can see sent messages'), ('health_view', 'Can see the state of the installation')],
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='identity_user_email_unique'), models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='identity_user_email_lowercase')],
                    },
                ),
                migrations.CreateModel(
                    name='ApiClient',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=100, unique=True)),
                        ('key_id', models.CharField(editable=False, max_length=24, unique=True)),
                        ('secret_hash', models.CharField(editable=False, max_length=64)),
                        ('scopes', models.JSONField(default=list)),
                        ('is_active', models.BooleanField(default=True, verbose_name='active')),
                        ('created_at', models.DateTimeField()),
                        ('last_used_at', models.DateTimeField(editable=False, null=True)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_clients', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='ApiSession',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('ip', models.GenericIPAddressField(null=True)),
                        ('user_agent', models.CharField(blank=True, max_length=300)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField(db_index=True)),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_sessions', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='SecondFactorTries',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('count', models.PositiveSmallIntegerField(default=0)),
                        ('since', models.DateTimeField()),
                        ('used_digest', models.CharField(blank=True, max_length=64)),
                        ('used_at', models.DateTimeField(null=True)),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='second_factor_tries', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='TransactionPin',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('hashed', models.CharField(max_length=200)),
                        ('failed_count', models.PositiveSmallIntegerField(default=0)),
                        ('locked_at', models.DateTimeField(null=True)),
                        ('set_at', models.DateTimeField()),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='pin', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='Connection',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('relation', models.CharField(choices=[('PARTNER', 'Husband, wife or partner'), ('PARENT', 'Parent'), ('CHILD', 'Child'), ('SIBLING', 'Brother or sister'), ('OTHER_RELATIVE', 'Another relative'), ('HOUSEHOLD', 'Lives in the same household'), ('BUSINESS', 'Business together')], max_length=14)),
                        ('declared_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('staff', models.F('person')), _negated=True), name='identity_connection_others'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('staff', 'person'), name='identity_connection_once')],
                    },
                ),
            ],
        ),
    ]
