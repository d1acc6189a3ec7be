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
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='StoredFile',
                    fields=[
                        ('name', models.CharField(editable=False, max_length=80, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_index=True)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='Application',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('state', models.CharField(choices=[('DRAFT', 'Draft'), ('PENDING', 'Being checked'), ('APPROVED', 'Approved'), ('REJECTED', 'Rejected'), ('EXPIRED', 'Expired')], default='DRAFT', max_length=10)),
                        ('first_name', models.CharField(blank=True, max_length=80)),
                        ('last_name', models.CharField(blank=True, max_length=80)),
                        ('date_of_birth', models.DateField(null=True)),
                        ('nationality', models.CharField(blank=True, max_length=2)),
                        ('document_kind', models.CharField(blank=True, choices=[('PASSPORT', 'Passport'), ('ID_CARD', 'National identity card'), ('RESIDENCE_PERMIT', 'Residence permit')], max_length=20)),
                        ('document_country', models.CharField(blank=True, max_length=2, verbose_name='issuing country')),
                        ('document_expiry', models.DateField(null=True)),
                        ('number_sealed', models.BinaryField(default=b'')),
                        ('number_digest', models.CharField(blank=True, editable=False, max_length=64)),
                        ('number_masked', models.CharField(blank=True, editable=False, max_length=16, verbose_name='document number')),
                        ('address', models.CharField(blank=True, max_length=160)),
                        ('city', models.CharField(blank=True, max_length=80)),
                        ('postcode', models.CharField(blank=True, max_length=16)),
                        ('home_country', models.CharField(blank=True, max_length=2, verbose_name='country')),
                        ('phone', models.CharField(blank=True, max_length=20)),
                        ('occupation', models.CharField(blank=True, choices=[('EMPLOYED', 'Employed'), ('SELF_EMPLOYED', 'Self-employed'), ('PUBLIC_SERVICE', 'Public service'), ('STUDENT', 'Student or trainee'), ('RETIRED', 'Retired'), ('HOMEMAKER', 'At home'), ('UNEMPLOYED', 'Between jobs'), ('OTHER', 'Something else')], max_length=20)),
                        ('source_of_funds', models.CharField(blank=True, choices=[('SALARY', 'Salary or wages'), ('BUSINESS', 'Income from my business'), ('PENSION', 'Pension or benefits'), ('SAVINGS', 'Savings'), ('INVESTMENTS', 'Investments or rent'), ('FAMILY', 'Support from family'), ('OTHER', 'Something else')], max_length=20)),
                        ('expected_monthly', models.CharField(blank=True, choices=[('UNDER_1K', 'Under 1,000'), ('1K_TO_3K', '1,000 to 3,000'), ('3K_TO_10K', '3,000 to 10,000'), ('10K_TO_50K', '10,000 to 50,000'), ('OVER_50K', 'Over 50,000')], max_length=12)),
                        ('created_at', models.DateTimeField()),
                        ('submitted_at', models.DateTimeField(null=True)),
                        ('decided_at', models.DateTimeField(null=True)),
                        ('rejection_kind', models.CharField(blank=True, choices=[('RETRY', 'May try again'), ('FINAL', 'Final')], max_length=5)),
                        ('public_reason', models.TextField(blank=True)),
                        ('internal_comment', models.TextField(blank=True)),
                        ('expires_at', models.DateTimeField(null=True)),
                        ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='kyc_decisions', to=settings.AUTH_USER_MODEL)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='kyc_applications', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['user', '-created_at'], name='kyc_application_user'), models.Index(condition=models.Q(('state', 'PENDING')), fields=['submitted_at'], name='kyc_application_queue'), models.Index(condition=models.Q(('state__in', ['DRAFT', 'APPROVED'])), fields=['expires_at'], name='kyc_application_due'), models.Index(condition=models.Q(('number_digest', ''), _negated=True), fields=['number_digest'], name='kyc_application_number')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['DRAFT', 'PENDING'])), fields=('user',), name='kyc_application_one_open_per_user'), models.UniqueConstraint(condition=models.Q(('state', 'APPROVED')), fields=('user',), name='kyc_application_one_approved_per_user'), models.CheckConstraint(condition=models.Q(('state__in', ['DRAFT', 'PENDING', 'APPROVED', 'REJECTED', 'EXPIRED']), models.Q(('rejection_kind', ''), ('rejection_kind__in', ['RETRY', 'FINAL']), _connector='OR')), name='kyc_application_state_known'), models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('user')), _negated=True), _connector='OR'), name='kyc_application_not_own_judge'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['APPROVED', 'REJECTED']), _negated=True), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('submitted_at__isnull', False)), _connector='OR'), name='kyc_application_decision_complete'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'PENDING'), _negated=True), models.Q(('decided_at', None), ('submitted_at__isnull', False)), _connector='OR'), name='kyc_application_pending_submitted'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['DRAFT', 'APPROVED']), _negated=True), ('expires_at__isnull', False), _connector='OR'), name='kyc_application_end_known'), models.CheckConstraint(condition=models.Q(models.Q(('public_reason__gt', ''), ('rejection_kind__gt', ''), ('state', 'REJECTED')), models.Q(models.Q(('state', 'REJECTED'), _negated=True), ('rejection_kind', '')), _connector='OR'), name='kyc_application_rejection_explained')],
                    },
                ),
                migrations.CreateModel(
                    name='Document',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('IDENTITY', 'Identity document'), ('ADDRESS', 'Proof of address'), ('SELFIE', 'Photo of yourself')], max_length=10)),
                        ('content_type', models.CharField(max_length=20)),
                        ('size', models.PositiveIntegerField(help_text='Bytes.')),
                        ('pages', models.PositiveSmallIntegerField()),
                        ('sha256', models.CharField(help_text='Of the stored file.', max_length=64)),
                        ('source_sha256', models.CharField(help_text='Of the file as it was sent.', max_length=64)),
                        ('original_name', models.CharField(max_length=100)),
                        ('uploaded_at', models.DateTimeField()),
                        ('application', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='kyc.application')),
                        ('stored', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='document', to='kyc.storedfile')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['source_sha256'], name='kyc_document_source')],
                        'constraints': [models.UniqueConstraint(fields=('application', 'kind', 'source_sha256'), name='kyc_document_once_per_application'), models.CheckConstraint(condition=models.Q(('content_type__in', ['application/pdf', 'image/jpeg', 'image/png'])), name='kyc_document_content_type'), models.CheckConstraint(condition=models.Q(('pages__gt', 0), ('size__gt', 0)), name='kyc_document_size_positive')],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='application',
                    trigger=pgtrigger.compiler.Trigger(name='state_machine', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{DRAFT:PENDING,DRAFT:EXPIRED,PENDING:APPROVED,PENDING:REJECTED,APPROVED:EXPIRED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='523b6b35c613d93c12ca9bbf03597a2dcb0da989', operation='UPDATE', pgid='pgtrigger_state_machine_f9c56', table='kyc_application', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='application',
                    trigger=pgtrigger.compiler.Trigger(name='details_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."state" = \'DRAFT\') AND (OLD."first_name" IS DISTINCT FROM (NEW."first_name") OR OLD."last_name" IS DISTINCT FROM (NEW."last_name") OR OLD."date_of_birth" IS DISTINCT FROM (NEW."date_of_birth") OR OLD."nationality" IS DISTINCT FROM (NEW."nationality") OR OLD."document_kind" IS DISTINCT FROM (NEW."document_kind") OR OLD."document_country" IS DISTINCT FROM (NEW."document_country") OR OLD."document_expiry" IS DISTINCT FROM (NEW."document_expiry") OR OLD."address" IS DISTINCT FROM (NEW."address") OR OLD."city" IS DISTINCT FROM (NEW."city") OR OLD."postcode" IS DISTINCT FROM (NEW."postcode") OR OLD."home_country" IS DISTINCT FROM (NEW."home_country") OR OLD."phone" IS DISTINCT FROM (NEW."phone") OR OLD."occupation" IS DISTINCT FROM (NEW."occupation") OR OLD."source_of_funds" IS DISTINCT FROM (NEW."source_of_funds") OR OLD."expected_monthly" IS DISTINCT FROM (NEW."expected_monthly") OR OLD."number_sealed" IS DISTINCT FROM (NEW."number_sealed") OR OLD."number_digest" IS DISTINCT FROM (NEW."number_digest") OR OLD."number_masked" IS DISTINCT FROM (NEW."number_masked") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id") OR OLD."submitted_at" IS DISTINCT FROM (NEW."submitted_at")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='87d1550b4fed21b63b10b481d0a47548b2284df1', operation='UPDATE', pgid='pgtrigger_details_final_31260', table='kyc_application', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='document',
                    trigger=pgtrigger.compiler.Trigger(name='unchangeable', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='53ef9ff39e0abe22ec58601d3fd0d94173e8e441', operation='UPDATE', pgid='pgtrigger_unchangeable_7aa3d', table='kyc_document', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='document',
                    trigger=pgtrigger.compiler.Trigger(name='only_in_draft', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF (\n                        SELECT state FROM kyc_application\n                        WHERE id = CASE TG_OP WHEN 'INSERT' THEN NEW.application_id ELSE OLD.application_id END\n                    ) IN ('PENDING', 'APPROVED') THEN\n                        RAISE EXCEPTION 'kyc: documents of a submitted application are final'\n                            USING ERRCODE = 'check_violation';\n                    END IF;\n                    IF TG_OP = 'INSERT' THEN\n                        RETURN NEW;\n                    END IF;\n                    RETURN OLD;\n                ", hash='8041780acb6a32fc02fbc947194ec0fe7c68f579', operation='INSERT OR DELETE', pgid='pgtrigger_only_in_draft_ac72d', table='kyc_document', when='BEFORE')),
                ),
            ],
        ),
    ]
