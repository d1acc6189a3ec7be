import django.db.models.deletion
import fraud.models.vectors
import fraud.rules.lists
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from common.postgres.tables import CreateTables
from fraud import sql


class Migration(migrations.Migration):

    replaces = [
        ('fraud', '0001_initial'),
        ('fraud', '0002_activity'),
        ('fraud', '0003_models'),
        ('fraud', '0004_watching'),
        ('fraud', '0005_rule_life'),
        ('fraud', '0006_api_calls'),
        ('fraud', '0007_desk'),
        ('fraud', '0008_gateway'),
        ('fraud', '0009_lists'),
        ('fraud', '0010_model_proof'),
        ('fraud', '0011_switch_names'),
        ('fraud', '0012_label_kind'),
        ('fraud', '0013_webhooks'),
        ('fraud', '0014_past_in_one_call'),
        ('fraud', '0015_step_without_look_up'),
        ('fraud', '0016_shorter_vectors'),
        ('fraud', '0017_deliveries_trimmed'),
    ]

    initial = True

    dependencies = [
        ('identity', '0009_fee_waivers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='AnomalyModel',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('fitted_at', models.DateTimeField(db_index=True)),
                        ('window_from_at', models.DateTimeField()),
                        ('window_to_at', models.DateTimeField()),
                        ('row_count', models.PositiveIntegerField()),
                        ('schema_hash', models.CharField(max_length=64)),
                        ('arrays', models.BinaryField()),
                        ('sha256', models.CharField(max_length=64)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='Decision',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('subject_kind', models.CharField(max_length=40)),
                        ('subject_id', models.UUIDField()),
                        ('customer_id', models.UUIDField()),
                        ('account_ref', models.UUIDField()),
                        ('account_label', models.CharField(blank=True, max_length=80)),
                        ('amount_minor', models.BigIntegerField()),
                        ('currency', models.CharField(max_length=3)),
                        ('amount_base_minor', models.BigIntegerField(null=True)),
                        ('at', models.DateTimeField()),
                        ('transfer_type', models.CharField(max_length=12)),
                        ('channel', models.CharField(max_length=8)),
                        ('beneficiary_ref', models.CharField(blank=True, max_length=64)),
                        ('beneficiary_label', models.CharField(blank=True, max_length=120)),
                        ('ip', models.GenericIPAddressField(null=True)),
                        ('country', models.CharField(blank=True, max_length=2)),
                        ('home_country', models.CharField(blank=True, max_length=2)),
                        ('device', models.CharField(blank=True, max_length=200)),
                        ('outcome', models.CharField(choices=[('APPROVED', 'Approved'), ('FLAGGED', 'Flagged'), ('BLOCKED', 'Blocked')], max_length=8)),
                        ('score', models.FloatField()),
                        ('reasons', models.JSONField(default=list)),
                        ('rule_versions', models.JSONField(default=dict)),
                        ('features', fraud.models.vectors.VectorField()),
                        ('schema_hash', models.CharField(blank=True, max_length=64)),
                        ('latency_ms', models.FloatField()),
                        ('agreement_percent', models.PositiveSmallIntegerField(null=True)),
                        ('confidence', models.CharField(blank=True, max_length=6)),
                        ('layers', models.JSONField(default=dict)),
                        ('model_id', models.UUIDField(null=True)),
                        ('primary_method', models.CharField(blank=True, max_length=20)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['subject_kind', 'subject_id'], name='fraud_decision_subject'), models.Index(fields=['at', 'id'], name='fraud_decision_at'), models.Index(fields=['customer_id', 'at'], name='fraud_decision_customer')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='fraud_decision_amount_positive'), models.CheckConstraint(condition=models.Q(('score__gte', 0.0), ('score__lte', 1.0)), name='fraud_decision_score_range')],
                    },
                ),
                migrations.CreateModel(
                    name='Label',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_fraud', models.BooleanField()),
                        ('labelled_at', models.DateTimeField(db_index=True)),
                        ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='label', to='fraud.decision')),
                        ('labelled_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('kind', models.CharField(blank=True, choices=[('TAKEOVER', 'Takeover: somebody else used the account'), ('MULE', 'Mule: the account passes on stolen money'), ('CARD_TESTING', 'Card testing: stolen cards tried with small amounts'), ('SMURFING', 'Smurfing: a large sum in many small parts'), ('PAYEE_SCAM', 'Payee scam: the customer was deceived into paying'), ('OTHER', 'Another kind')], help_text='Empty: not fraud, or of a kind that nobody gave.', max_length=12, verbose_name='kind of fraud')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('is_fraud', True), ('kind', ''), _connector='OR'), name='fraud_label_kind_of_fraud')],
                    },
                ),
                migrations.CreateModel(
                    name='Rule',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('code', models.CharField(max_length=40)),
                        ('version', models.PositiveIntegerField(default=1)),
                        ('name', models.CharField(max_length=80)),
                        ('condition', models.JSONField()),
                        ('action', models.CharField(choices=[('FLAG', 'Hold for review'), ('BLOCK', 'Refuse')], max_length=5)),
                        ('customer_text', models.CharField(max_length=200, verbose_name='what the customer reads')),
                        ('state', models.CharField(choices=[('DRAFT', 'Draft'), ('BACKTEST', 'Tried on the past'), ('SHADOW', 'In shadow'), ('LIVE', 'Live'), ('RETIRED', 'Retired')], default='DRAFT', max_length=8)),
                        ('created_at', models.DateTimeField()),
                        ('submitted_at', models.DateTimeField(null=True)),
                        ('live_at', models.DateTimeField(null=True)),
                        ('retired_at', models.DateTimeField(null=True)),
                        ('checker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('maker', models.ForeignKey(help_text='Empty: shipped.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('shadow_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('code', 'version'), name='fraud_rule_code_version_unique'), models.UniqueConstraint(condition=models.Q(('state', 'LIVE')), fields=('code',), name='fraud_rule_one_live'), models.CheckConstraint(condition=models.Q(('version__gte', 1)), name='fraud_rule_version_positive'), models.CheckConstraint(condition=models.Q(('maker__isnull', True), ('checker__isnull', True), models.Q(('maker', models.F('checker')), _negated=True), _connector='OR'), name='fraud_rule_maker_is_not_checker'), models.CheckConstraint(condition=models.Q(('live_at__isnull', True), ('maker__isnull', True), ('checker__isnull', False), _connector='OR'), name='fraud_rule_live_was_checked'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'LIVE'), _negated=True), ('live_at__isnull', False), _connector='OR'), name='fraud_rule_live_has_moment'), models.UniqueConstraint(condition=models.Q(('state__in', ['DRAFT', 'BACKTEST', 'SHADOW'])), fields=('code',), name='fraud_rule_one_candidate'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'SHADOW'), _negated=True), ('shadow_at__isnull', False), _connector='OR'), name='fraud_rule_shadow_has_moment')],
                    },
                ),
                migrations.CreateModel(
                    name='Ruleset',
                    fields=[
                        ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                        ('token', models.UUIDField(default=uuid.uuid4)),
                        ('changed_at', models.DateTimeField()),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='fraud_ruleset_single_row')],
                    },
                ),
                migrations.CreateModel(
                    name='AnomalyScore',
                    fields=[
                        ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='anomaly', serialize=False, to='fraud.decision')),
                        ('model_id', models.UUIDField()),
                        ('model_rows', models.PositiveIntegerField()),
                        ('model_window_to_at', models.DateTimeField()),
                        ('percentile', models.FloatField()),
                        ('deviations', models.JSONField(default=list)),
                        ('scored_at', models.DateTimeField()),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('percentile__gte', 0.0), ('percentile__lte', 1.0)), name='fraud_anomalyscore_range')],
                    },
                ),
                migrations.CreateModel(
                    name='Activity',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('customer_id', models.UUIDField()),
                        ('number', models.PositiveIntegerField()),
                        ('at', models.DateTimeField()),
                        ('requested', models.BooleanField()),
                        ('settled_minor', models.BigIntegerField(null=True)),
                        ('account_ref', models.UUIDField()),
                        ('payee_key', models.BigIntegerField()),
                        ('device_key', models.BigIntegerField(null=True)),
                        ('ip_key', models.BigIntegerField(null=True)),
                        ('first_at', models.DateTimeField()),
                        ('last_request_at', models.DateTimeField(null=True)),
                        ('transfers', models.BigIntegerField()),
                        ('requests', models.BigIntegerField()),
                        ('sent_total_minor', models.BigIntegerField()),
                        ('settled', models.BigIntegerField()),
                        ('settled_total_minor', models.BigIntegerField()),
                        ('squares_high', models.BigIntegerField()),
                        ('squares_low', models.BigIntegerField()),
                        ('abroad', models.BigIntegerField()),
                        ('risky', models.BigIntegerField()),
                        ('own', models.BigIntegerField()),
                        ('account_changes', models.BigIntegerField()),
                        ('payee_settled', models.BigIntegerField()),
                        ('decision', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fraud.decision')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['customer_id', 'at', 'number'], name='fraud_activity_window'), models.Index(fields=['customer_id', 'payee_key', 'at', 'number'], name='fraud_activity_pair'), models.Index(condition=models.Q(('requested', True)), fields=['payee_key', 'at'], name='fraud_activity_payee'), models.Index(condition=models.Q(('device_key__isnull', False), ('requested', True)), fields=['device_key', 'at'], name='fraud_activity_device'), models.Index(condition=models.Q(('ip_key__isnull', False), ('requested', True)), fields=['ip_key', 'at'], name='fraud_activity_ip')],
                        'constraints': [models.UniqueConstraint(fields=('customer_id', 'number'), include=('at', 'settled_minor'), name='fraud_activity_number_unique'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='fraud_activity_number_positive')],
                    },
                ),
                migrations.CreateModel(
                    name='EntityReport',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('entity', models.CharField(max_length=11)),
                        ('key', models.BigIntegerField()),
                        ('is_fraud', models.BooleanField()),
                        ('known_at', models.DateTimeField()),
                        ('label', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fraud.label')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('is_fraud', True)), fields=['key', 'known_at'], name='fraud_report_known')],
                        'constraints': [models.UniqueConstraint(fields=('label', 'entity'), name='fraud_report_label_entity_unique')],
                    },
                ),
                migrations.CreateModel(
                    name='ModelVersion',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('number', models.PositiveIntegerField(unique=True)),
                        ('state', models.CharField(choices=[('CHALLENGER', 'Challenger'), ('NOMINATED', 'Waiting for approval'), ('CHAMPION', 'Champion'), ('RETIRED', 'Retired')], default='CHALLENGER', max_length=10)),
                        ('manifest', models.TextField()),
                        ('signature', models.CharField(max_length=64)),
                        ('created_at', models.DateTimeField()),
                        ('nominated_at', models.DateTimeField(null=True)),
                        ('promoted_at', models.DateTimeField(null=True)),
                        ('retired_at', models.DateTimeField(null=True)),
                        ('nominated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('promoted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('trained_by', models.ForeignKey(help_text='Empty: the clock.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'CHAMPION')), fields=('state',), name='fraud_model_one_champion'), models.UniqueConstraint(condition=models.Q(('state', 'NOMINATED')), fields=('state',), name='fraud_model_one_nominated'), models.CheckConstraint(condition=models.Q(('promoted_by__isnull', True), models.Q(('nominated_by__isnull', False), models.Q(('promoted_by', models.F('nominated_by')), _negated=True)), _connector='OR'), name='fraud_model_promoted_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'CHAMPION'), _negated=True), models.Q(('promoted_at__isnull', False), ('promoted_by__isnull', False)), _connector='OR'), name='fraud_model_champion_was_promoted')],
                    },
                ),
                migrations.CreateModel(
                    name='ModelFile',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=40)),
                        ('data', models.BinaryField()),
                        ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='fraud.modelversion')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('version', 'name'), name='fraud_modelfile_name_unique')],
                    },
                ),
                migrations.CreateModel(
                    name='ModelVersionConfig',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('changed_at', models.DateTimeField()),
                        ('reason', models.CharField(max_length=200)),
                        ('layer', models.CharField(choices=[('rules', 'rules'), ('supervised', 'supervised'), ('isolation_forest', 'isolation_forest'), ('one_class_svm', 'one_class_svm'), ('autoencoder', 'autoencoder')], max_length=20)),
                        ('enabled', models.BooleanField()),
                        ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'abstract': False,
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['layer', '-id'], name='fraud_modelconfig_latest')],
                    },
                ),
                migrations.CreateModel(
                    name='ThresholdConfig',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('changed_at', models.DateTimeField()),
                        ('reason', models.CharField(max_length=200)),
                        ('flag_at', models.FloatField()),
                        ('block_at', models.FloatField()),
                        ('changed_by', models.ForeignKey(help_text='Empty: the weekly recalibration.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'abstract': False,
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('block_at__gt', models.F('flag_at')), ('block_at__lte', 1.0), ('flag_at__gt', 0.0)), name='fraud_thresholdconfig_order')],
                    },
                ),
                migrations.CreateModel(
                    name='FeaturesConfig',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('changed_at', models.DateTimeField()),
                        ('reason', models.CharField(max_length=200)),
                        ('name', models.CharField(max_length=60)),
                        ('enabled', models.BooleanField()),
                        ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'abstract': False,
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['name', '-id'], name='fraud_featuresconfig_latest')],
                        'verbose_name': 'switch of the engine',
                        'verbose_name_plural': 'switches of the engine',
                    },
                ),
                migrations.CreateModel(
                    name='DriftReport',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('day', models.DateField(unique=True)),
                        ('rows', models.PositiveIntegerField()),
                        ('features', models.JSONField()),
                        ('score', models.FloatField()),
                        ('alert_share', models.FloatField()),
                        ('label_delay_hours', models.FloatField(null=True)),
                        ('drifted', models.JSONField(default=list)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='ShadowScore',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('outcome', models.CharField(max_length=8)),
                        ('score', models.FloatField()),
                        ('layers', models.JSONField()),
                        ('scored_at', models.DateTimeField()),
                        ('decision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fraud.decision')),
                        ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fraud.modelversion')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('decision', 'version'), name='fraud_shadowscore_once'), models.CheckConstraint(condition=models.Q(('score__gte', 0.0), ('score__lte', 1.0)), name='fraud_shadowscore_range')],
                    },
                ),
                migrations.CreateModel(
                    name='Backtest',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('from_at', models.DateTimeField()),
                        ('to_at', models.DateTimeField()),
                        ('requested_at', models.DateTimeField()),
                        ('decisions_total', models.PositiveIntegerField(default=0)),
                        ('decisions_done', models.PositiveIntegerField(default=0)),
                        ('result', models.JSONField(default=dict)),
                        ('finished_at', models.DateTimeField(null=True)),
                        ('requested_by', models.ForeignKey(help_text='Empty: the clock.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('rule', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='backtests', to='fraud.rule')),
                        ('alive_at', models.DateTimeField(null=True)),
                        ('block_at', models.FloatField(null=True)),
                        ('condition', models.JSONField(null=True)),
                        ('error', models.CharField(blank=True, max_length=200)),
                        ('flag_at', models.FloatField(null=True)),
                        ('kind', models.CharField(choices=[('RULE', 'A rule'), ('THRESHOLDS', 'Thresholds'), ('ENGINE', 'The engine as it is now')], default='RULE', max_length=10)),
                        ('ruleset_token', models.UUIDField(null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['requested_at'], name='fraud_backtest_open')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('to_at__gt', models.F('from_at'))), name='fraud_backtest_period'), models.CheckConstraint(condition=models.Q(models.Q(('condition__isnull', False), ('kind', 'RULE'), ('rule__isnull', False)), models.Q(('block_at__gt', models.F('flag_at')), ('block_at__lte', 1.0), ('flag_at__gt', 0.0), ('kind', 'THRESHOLDS')), models.Q(('kind', 'ENGINE'), ('ruleset_token__isnull', False)), _connector='OR'), name='fraud_backtest_kind_complete')],
                    },
                ),
                migrations.CreateModel(
                    name='SilentHit',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('why', models.CharField(choices=[('SHADOW', 'In shadow'), ('SNOOZED', 'Snoozed'), ('ALLOWED', 'On an allow list')], max_length=7)),
                        ('by', models.UUIDField(null=True)),
                        ('decision', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='silent_hits', to='fraud.decision')),
                        ('rule', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='silent_hits', to='fraud.rule')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['rule', '-id'], name='fraud_silenthit_rule')],
                        'constraints': [models.UniqueConstraint(fields=('decision', 'rule'), name='fraud_silenthit_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ApiCall',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField()),
                        ('method', models.CharField(max_length=8)),
                        ('path', models.CharField(max_length=200)),
                        ('status', models.PositiveSmallIntegerField()),
                        ('code', models.CharField(blank=True, help_text='Of a refusal.', max_length=60)),
                        ('idempotency_key', models.CharField(blank=True, max_length=100)),
                        ('latency_ms', models.FloatField(verbose_name='took, in milliseconds')),
                        ('request_id', models.CharField(blank=True, max_length=64)),
                        ('client', models.ForeignKey(help_text='Empty: a person.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='identity.apiclient')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'API call',
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['at', 'id'], name='fraud_apicall_at'), models.Index(fields=['client', 'at'], name='fraud_apicall_client')],
                    },
                ),
                migrations.CreateModel(
                    name='DeskConfig',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('changed_at', models.DateTimeField()),
                        ('reason', models.CharField(max_length=200)),
                        ('critical_hours', models.PositiveSmallIntegerField()),
                        ('suspicious_hours', models.PositiveSmallIntegerField()),
                        ('sample_hours', models.PositiveSmallIntegerField()),
                        ('sample_share', models.FloatField()),
                        ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'abstract': False,
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('critical_hours__gte', 1), ('sample_hours__gte', 1), ('suspicious_hours__gte', 1)), name='fraud_deskconfig_hours'), models.CheckConstraint(condition=models.Q(('sample_share__gte', 0.0), ('sample_share__lte', 0.1)), name='fraud_deskconfig_share')],
                    },
                ),
                migrations.CreateModel(
                    name='Dossier',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('customer_id', models.UUIDField()),
                        ('rule', models.CharField(blank=True, max_length=40)),
                        ('urgency', models.PositiveSmallIntegerField(choices=[(1, 'Sample'), (2, 'Suspicious'), (3, 'Critical')])),
                        ('opened_at', models.DateTimeField()),
                        ('due_at', models.DateTimeField()),
                        ('closed_at', models.DateTimeField(null=True)),
                        ('assigned_at', models.DateTimeField(null=True)),
                        ('assigned_to', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(models.OrderBy(models.F('urgency'), descending=True), models.F('due_at'), models.F('id'), condition=models.Q(('assigned_to__isnull', True), ('closed_at__isnull', True)), name='fraud_dossier_queue')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('customer_id', 'rule'), name='fraud_dossier_one_open'), models.CheckConstraint(condition=models.Q(models.Q(('assigned_at__isnull', True), ('assigned_to__isnull', True)), models.Q(('assigned_at__isnull', False), ('assigned_to__isnull', False)), _connector='OR'), name='fraud_dossier_assigned_at_a_moment')],
                    },
                ),
                migrations.CreateModel(
                    name='Case',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('subject_kind', models.CharField(max_length=40)),
                        ('subject_id', models.UUIDField()),
                        ('customer_id', models.UUIDField()),
                        ('beneficiary_ref', models.CharField(blank=True, max_length=64)),
                        ('transfer_type', models.CharField(max_length=12)),
                        ('amount_base_minor', models.BigIntegerField(null=True)),
                        ('outcome', models.CharField(choices=[('FLAGGED', 'Held'), ('BLOCKED', 'Refused'), ('SAMPLED', 'Sample')], max_length=8)),
                        ('status', models.CharField(choices=[('OPEN', 'Open'), ('RELEASED', 'Released'), ('DECLINED', 'Declined'), ('EXPIRED', 'Expired'), ('CANCELLED', 'Cancelled')], default='OPEN', max_length=9)),
                        ('reason', models.TextField(blank=True)),
                        ('opened_at', models.DateTimeField()),
                        ('decided_at', models.DateTimeField(null=True)),
                        ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='case', to='fraud.decision')),
                        ('dossier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cases', to='fraud.dossier')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('status', 'OPEN')), fields=['opened_at', 'id'], name='fraud_case_queue'), models.Index(fields=['customer_id', 'opened_at'], name='fraud_case_customer'), models.Index(fields=['subject_kind', 'subject_id'], name='fraud_case_subject'), models.Index(condition=models.Q(('status', 'OPEN')), fields=['dossier', 'opened_at', 'id'], name='fraud_case_of_dossier')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('status', 'OPEN')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status__in', ['RELEASED', 'DECLINED']), models.Q(('reason', ''), _negated=True)), models.Q(('decided_at__isnull', False), ('status__in', ['EXPIRED', 'CANCELLED'])), _connector='OR'), name='fraud_case_decision_complete')],
                    },
                ),
                migrations.CreateModel(
                    name='CaseNote',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('text', models.TextField(max_length=2000)),
                        ('at', models.DateTimeField()),
                        ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='fraud.case')),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='CustomerAnswer',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('is_mine', models.BooleanField()),
                        ('answered_at', models.DateTimeField()),
                        ('ip', models.GenericIPAddressField(null=True)),
                        ('answered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('case', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='answer', to='fraud.case')),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='CaseCheck',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('item', models.CharField(max_length=20)),
                        ('done_at', models.DateTimeField()),
                        ('done_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('dossier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='checks', to='fraud.dossier')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('dossier', 'item'), name='fraud_casecheck_once')],
                    },
                ),
                migrations.CreateModel(
                    name='GatewayTransaction',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('reference', models.CharField(max_length=64)),
                        ('content_sha256', models.CharField(max_length=64)),
                        ('created_at', models.DateTimeField()),
                        ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='identity.apiclient')),
                        ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fraud.decision')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('client', 'reference'), name='fraud_gatewaytransaction_reference_unique')],
                    },
                ),
                migrations.CreateModel(
                    name='Snooze',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('rule_code', models.CharField(max_length=40, verbose_name='rule')),
                        ('holder', models.CharField(choices=[('CUSTOMER', 'Customer'), ('ACCOUNT', 'Account')], max_length=8)),
                        ('holder_id', models.UUIDField()),
                        ('label', models.CharField(max_length=120)),
                        ('reason', models.TextField(max_length=2000)),
                        ('from_at', models.DateTimeField()),
                        ('ends_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('maker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['holder_id'], name='fraud_snooze_holder'), models.Index(fields=['rule_code', 'from_at'], name='fraud_snooze_rule')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('from_at'))), name='fraud_snooze_period'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='fraud_snooze_end_complete')],
                    },
                ),
                migrations.CreateModel(
                    name='ListEntry',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('listing', models.CharField(choices=[(fraud.rules.lists.Listing['BLOCK'], 'Block'), (fraud.rules.lists.Listing['ALLOW'], 'Allow')], max_length=5, verbose_name='list')),
                        ('kind', models.CharField(choices=[(fraud.rules.lists.ListKind['PAYEE'], 'Payee'), (fraud.rules.lists.ListKind['DEVICE'], 'Device'), (fraud.rules.lists.ListKind['NETWORK'], 'Address or network'), (fraud.rules.lists.ListKind['COUNTRY'], 'Country of the request')], max_length=7)),
                        ('value', models.CharField(max_length=200)),
                        ('label', models.CharField(blank=True, max_length=120)),
                        ('shape', models.CharField(max_length=12)),
                        ('key', models.BigIntegerField()),
                        ('rules', models.JSONField(default=list)),
                        ('reason', models.TextField(max_length=2000)),
                        ('state', models.CharField(choices=[('PENDING', 'Waiting for approval'), ('ACTIVE', 'In force'), ('ENDED', 'Ended')], default='PENDING', max_length=7)),
                        ('created_at', models.DateTimeField()),
                        ('active_at', models.DateTimeField(null=True)),
                        ('ends_at', models.DateTimeField(null=True)),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('checker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('maker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'entry of a list',
                        'verbose_name_plural': 'block and allow lists',
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('state', 'ACTIVE')), fields=['key'], name='fraud_listentry_key'), models.Index(condition=models.Q(('state', 'ACTIVE')), fields=['shape'], name='fraud_listentry_shape'), models.Index(fields=['-created_at', 'id'], name='fraud_listentry_latest')],
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('listing', 'BLOCK'), ('rules', [])), models.Q(('ends_at__isnull', False), ('listing', 'ALLOW'), models.Q(('rules', []), _negated=True)), _connector='OR'), name='fraud_listentry_allow_is_bounded'), models.CheckConstraint(condition=models.Q(models.Q(('listing', 'ALLOW'), _negated=True), ('active_at__isnull', True), ('checker__isnull', False), _connector='OR'), name='fraud_listentry_allow_was_checked'), models.CheckConstraint(condition=models.Q(('checker__isnull', True), models.Q(('checker', models.F('maker')), _negated=True), _connector='OR'), name='fraud_listentry_two_people'), models.CheckConstraint(condition=models.Q(models.Q(('listing', 'BLOCK'), _negated=True), ('ended_by__isnull', True), models.Q(('ended_by', models.F('maker')), _negated=True), _connector='OR'), name='fraud_listentry_block_ended_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('active_at__isnull', True), ('ended_at__isnull', True), ('state', 'PENDING')), models.Q(('active_at__isnull', False), ('ended_at__isnull', True), ('state', 'ACTIVE')), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False), ('state', 'ENDED')), _connector='OR'), name='fraud_listentry_state_complete')],
                    },
                ),
                migrations.CreateModel(
                    name='ModelComparison',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('compared_at', models.DateTimeField()),
                        ('frauds', models.PositiveIntegerField()),
                        ('others', models.PositiveIntegerField()),
                        ('champion_precision', models.FloatField(null=True)),
                        ('challenger_precision', models.FloatField(null=True)),
                        ('low', models.FloatField(null=True)),
                        ('high', models.FloatField(null=True)),
                        ('challenger', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comparisons', to='fraud.modelversion')),
                        ('champion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fraud.modelversion')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('high__isnull', True), ('low__isnull', True)), ('low__lte', models.F('high')), _connector='OR'), name='fraud_modelcomparison_interval')],
                    },
                ),
                migrations.CreateModel(
                    name='AlertBudgetConfig',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('changed_at', models.DateTimeField()),
                        ('reason', models.CharField(max_length=200)),
                        ('flagged_share', models.FloatField()),
                        ('blocked_share', models.FloatField()),
                        ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'abstract': False,
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('blocked_share__gt', 0.0), ('flagged_share__gt', models.F('blocked_share')), ('flagged_share__lte', 0.2)), name='fraud_alertbudgetconfig_order')],
                    },
                ),
                migrations.CreateModel(
                    name='Webhook',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('url', models.CharField(max_length=300)),
                        ('set_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='identity.apiclient')),
                        ('set_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'webhook',
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('client',), name='fraud_webhook_one_in_use')],
                    },
                ),
                migrations.CreateModel(
                    name='WebhookDelivery',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('body', models.TextField()),
                        ('created_at', models.DateTimeField()),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('next_attempt_at', models.DateTimeField()),
                        ('last_attempt_at', models.DateTimeField(null=True)),
                        ('last_status', models.PositiveSmallIntegerField(null=True)),
                        ('last_error', models.CharField(blank=True, max_length=120)),
                        ('last_took_ms', models.FloatField(null=True)),
                        ('delivered_at', models.DateTimeField(null=True)),
                        ('given_up_at', models.DateTimeField(null=True)),
                        ('transaction', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fraud.gatewaytransaction')),
                        ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='fraud.webhook')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(condition=models.Q(('delivered_at', None), ('given_up_at', None)), fields=['next_attempt_at', 'id'], name='fraud_webhookdelivery_due'), models.Index(fields=['webhook', '-created_at'], name='fraud_webhookdelivery_log')],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='anomalymodel',
                    trigger=pgtrigger.compiler.Trigger(name='anomaly_model_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='9ea9cc880f97cb3088d3ecca9e437cbed212bbdf', operation='UPDATE', pgid='pgtrigger_anomaly_model_fixed_1f7e5', table='fraud_anomalymodel', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='decision',
                    trigger=pgtrigger.compiler.Trigger(name='decision_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='601c30e88416a35c5b18e78856b898c0debe6ce6', operation='UPDATE OR DELETE', pgid='pgtrigger_decision_append_only_70840', table='fraud_decision', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='decision',
                    trigger=pgtrigger.compiler.Trigger(name='decision_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='9f79d0b6e4c59af39c950410412c5fbb848a411c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_decision_no_truncate_8838f', table='fraud_decision', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='label',
                    trigger=pgtrigger.compiler.Trigger(name='label_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='777485a955058ecc5724ae5f043efdef064159ea', operation='UPDATE OR DELETE', pgid='pgtrigger_label_append_only_87f85', table='fraud_label', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='label',
                    trigger=pgtrigger.compiler.Trigger(name='label_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='dc38de4afc73ef85c9cc690b1c511384b75bebdb', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_label_no_truncate_0d6e6', table='fraud_label', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='rule',
                    trigger=pgtrigger.compiler.Trigger(name='rule_text_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."state" = \'DRAFT\'))', func='RAISE EXCEPTION \'pgtrigger: Cannot update of "code", "version", "name", "condition", "action", "customer_text", "maker_id" rows from % table\', TG_TABLE_NAME;', hash='6eb36fe58773a887a84c3ffb5342001e4b4ef493', operation='UPDATE OF "code", "version", "name", "condition", "action", "customer_text", "maker_id"', pgid='pgtrigger_rule_text_fixed_d5c91', table='fraud_rule', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='rule',
                    trigger=pgtrigger.compiler.Trigger(name='rule_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='2c77565731d2a3a3d34680d9200f08f2ff380b62', operation='DELETE', pgid='pgtrigger_rule_kept_ce5c7', table='fraud_rule', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='rule',
                    trigger=pgtrigger.compiler.Trigger(name='rule_state_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{DRAFT:BACKTEST,DRAFT:RETIRED,BACKTEST:DRAFT,BACKTEST:SHADOW,BACKTEST:RETIRED,SHADOW:DRAFT,SHADOW:LIVE,SHADOW:RETIRED,LIVE:RETIRED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e6c72943510531b6124b7d76c7e6c0abab168481', operation='UPDATE', pgid='pgtrigger_rule_state_moves_a5677', table='fraud_rule', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='rule',
                    trigger=pgtrigger.compiler.Trigger(name='rule_shadow_after_backtest', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."state" = \'SHADOW\' AND NOT (OLD."state" = \'SHADOW\'))', func="\n                    IF NOT EXISTS (SELECT FROM fraud_backtest AS tried WHERE tried.rule_id = NEW.id\n                                      AND tried.condition = NEW.condition AND tried.finished_at IS NOT NULL\n                                      AND tried.error = '') THEN\n                        RAISE EXCEPTION 'rule % v% was not tried on the past as it stands', NEW.code, NEW.version;\n                    END IF;\n                    RETURN NEW;\n                ", hash='6ecb10d0632772679405347a22b038380a46f2e6', operation='UPDATE OF "state"', pgid='pgtrigger_rule_shadow_after_backtest_91da6', table='fraud_rule', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='anomalyscore',
                    trigger=pgtrigger.compiler.Trigger(name='anomaly_score_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5e8d0419e169c84f3e0d8cb23f16fd17d30b4872', operation='UPDATE OR DELETE', pgid='pgtrigger_anomaly_score_append_only_94a12', table='fraud_anomalyscore', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='anomalyscore',
                    trigger=pgtrigger.compiler.Trigger(name='anomaly_score_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='8a2f5d395ac293681a19a694ebfda9edf49e45fa', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_anomaly_score_no_truncate_86651', table='fraud_anomalyscore', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='activity',
                    trigger=pgtrigger.compiler.Trigger(name='activity_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2ff7e3c878b24f60ab43dff0a42596f810ebf56d', operation='UPDATE OR DELETE', pgid='pgtrigger_activity_append_only_66397', table='fraud_activity', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='activity',
                    trigger=pgtrigger.compiler.Trigger(name='activity_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='29ad23ca897aa29f8cec6b02dd2ba9a534a874cd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_activity_no_truncate_f6d3e', table='fraud_activity', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='entityreport',
                    trigger=pgtrigger.compiler.Trigger(name='entity_report_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ade8d9006be260703af6331a6491a0cb4fc66c6f', operation='UPDATE OR DELETE', pgid='pgtrigger_entity_report_append_only_8d795', table='fraud_entityreport', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='entityreport',
                    trigger=pgtrigger.compiler.Trigger(name='entity_report_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='3e49758cf451dddc990cbc58c619bc054f2441d4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_entity_report_no_truncate_8b061', table='fraud_entityreport', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelversion',
                    trigger=pgtrigger.compiler.Trigger(name='model_state_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{CHALLENGER:NOMINATED,CHALLENGER:RETIRED,NOMINATED:CHALLENGER,NOMINATED:CHAMPION,CHAMPION:RETIRED,RETIRED:CHAMPION}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e504d1c48e15068a35693600cce6051b5b1d3198', operation='UPDATE', pgid='pgtrigger_model_state_moves_4cb0c', table='fraud_modelversion', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelversion',
                    trigger=pgtrigger.compiler.Trigger(name='model_content_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "number", "manifest", "signature", "created_at", "trained_by_id" rows from % table\', TG_TABLE_NAME;', hash='731c4948705d0d6dc2a5fda7f9bb110998cdefda', operation='UPDATE OF "number", "manifest", "signature", "created_at", "trained_by_id"', pgid='pgtrigger_model_content_fixed_843aa', table='fraud_modelversion', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelversion',
                    trigger=pgtrigger.compiler.Trigger(name='model_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='cfafed136fd03b4780d187c7bc5c30bd0b9fa6f3', operation='DELETE', pgid='pgtrigger_model_kept_9ea52', table='fraud_modelversion', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelfile',
                    trigger=pgtrigger.compiler.Trigger(name='model_file_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b514792c06509ac33f177922b9c7f177aa57cbce', operation='UPDATE OR DELETE', pgid='pgtrigger_model_file_append_only_76aca', table='fraud_modelfile', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelfile',
                    trigger=pgtrigger.compiler.Trigger(name='model_file_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='70ce8c59280f34891142c87641d055c5acd6b87d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_model_file_no_truncate_22d76', table='fraud_modelfile', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelversionconfig',
                    trigger=pgtrigger.compiler.Trigger(name='model_version_config_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='dcaeefa3cffacca3942c3ae278de24f033ec2115', operation='UPDATE OR DELETE', pgid='pgtrigger_model_version_config_append_only_0b4fb', table='fraud_modelversionconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelversionconfig',
                    trigger=pgtrigger.compiler.Trigger(name='model_version_config_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='02950c3709acf49813b9f1a5cd8976a913e99bd6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_model_version_config_no_truncate_fa298', table='fraud_modelversionconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='thresholdconfig',
                    trigger=pgtrigger.compiler.Trigger(name='threshold_config_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1f616dd22d74c7311e6069bc8880665a0fd17768', operation='UPDATE OR DELETE', pgid='pgtrigger_threshold_config_append_only_feb62', table='fraud_thresholdconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='thresholdconfig',
                    trigger=pgtrigger.compiler.Trigger(name='threshold_config_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='fbdd8c9365e886687bc89cf54513f963583f9bf1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_threshold_config_no_truncate_f554e', table='fraud_thresholdconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='featuresconfig',
                    trigger=pgtrigger.compiler.Trigger(name='features_config_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='4c90136855e0654525582b3378a6636533d2c26a', operation='UPDATE OR DELETE', pgid='pgtrigger_features_config_append_only_d9d9e', table='fraud_featuresconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='featuresconfig',
                    trigger=pgtrigger.compiler.Trigger(name='features_config_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='72426e9a0544d6636235286e2cf5c07d2cbb5632', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_features_config_no_truncate_ebcb4', table='fraud_featuresconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='driftreport',
                    trigger=pgtrigger.compiler.Trigger(name='drift_report_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d3afebec0f2dbb4696d2e805070acfd2ad395a49', operation='UPDATE OR DELETE', pgid='pgtrigger_drift_report_append_only_786d9', table='fraud_driftreport', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='driftreport',
                    trigger=pgtrigger.compiler.Trigger(name='drift_report_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='6a6b6ffe7e441c1d461f7d6de6b0523452fb4367', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_drift_report_no_truncate_d7891', table='fraud_driftreport', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='shadowscore',
                    trigger=pgtrigger.compiler.Trigger(name='shadow_score_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d6b5a14f2e6cf80a3e058f521938a1740435f00b', operation='UPDATE OR DELETE', pgid='pgtrigger_shadow_score_append_only_8b282', table='fraud_shadowscore', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='shadowscore',
                    trigger=pgtrigger.compiler.Trigger(name='shadow_score_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='be4a71219bda44938e200e4c6934b45996066350', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_shadow_score_no_truncate_0ff97', table='fraud_shadowscore', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='backtest',
                    trigger=pgtrigger.compiler.Trigger(name='backtest_question_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "kind", "rule_id", "condition", "flag_at", "block_at", "ruleset_token", "from_at", "to_at", "requested_by_id", "requested_at" rows from % table\', TG_TABLE_NAME;', hash='8836d14e1f88541d873dfa5a837c9db8239e0261', operation='UPDATE OF "kind", "rule_id", "condition", "flag_at", "block_at", "ruleset_token", "from_at", "to_at", "requested_by_id", "requested_at"', pgid='pgtrigger_backtest_question_fixed_86bed', table='fraud_backtest', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='backtest',
                    trigger=pgtrigger.compiler.Trigger(name='backtest_result_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='baf7642a9adc8ecef5d83272b967a08378e528bd', operation='UPDATE', pgid='pgtrigger_backtest_result_fixed_24ab2', table='fraud_backtest', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='backtest',
                    trigger=pgtrigger.compiler.Trigger(name='backtest_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f9922b7b3692e1387d63bc9caf7cec8d9555005f', operation='DELETE', pgid='pgtrigger_backtest_kept_2e563', table='fraud_backtest', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='silenthit',
                    trigger=pgtrigger.compiler.Trigger(name='silent_hit_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0dd30973f8bdcb23cdcbafcdfa06c204f922f94a', operation='UPDATE OR DELETE', pgid='pgtrigger_silent_hit_append_only_bd56f', table='fraud_silenthit', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='silenthit',
                    trigger=pgtrigger.compiler.Trigger(name='silent_hit_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='964707ca2fc77c02c0ec7934906cd2e8a7235c17', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_silent_hit_no_truncate_ecff8', table='fraud_silenthit', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='apicall',
                    trigger=pgtrigger.compiler.Trigger(name='api_call_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='97039344796f90aa6b2a6603bbea7b31272694a3', operation='UPDATE', pgid='pgtrigger_api_call_fixed_d06b6', table='fraud_apicall', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='apicall',
                    trigger=pgtrigger.compiler.Trigger(name='api_call_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.at > now() - interval '90 days' THEN\n                        RAISE EXCEPTION 'calls of the last 90 days are kept';\n                    END IF;\n                    RETURN OLD;\n                ", hash='9d96dd87f625087ffa8a03f44d24d6987f05ddfc', operation='DELETE', pgid='pgtrigger_api_call_kept_2eb0e', table='fraud_apicall', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='apicall',
                    trigger=pgtrigger.compiler.Trigger(name='api_call_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='c21e4038f704306e7f270ad8d32f017fe75cf3c6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_api_call_no_truncate_8379a', table='fraud_apicall', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='deskconfig',
                    trigger=pgtrigger.compiler.Trigger(name='desk_config_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b1c2914c129d1fb1d34da536682bbf8c7aef1854', operation='UPDATE OR DELETE', pgid='pgtrigger_desk_config_append_only_e25dc', table='fraud_deskconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='deskconfig',
                    trigger=pgtrigger.compiler.Trigger(name='desk_config_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='0ac7a3d60d8ceefd73b4fb21c71e4568842fae52', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_desk_config_no_truncate_f8bd5', table='fraud_deskconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='dossier',
                    trigger=pgtrigger.compiler.Trigger(name='dossier_about_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."rule" IS DISTINCT FROM (NEW."rule"))', func='RAISE EXCEPTION \'pgtrigger: Cannot update of "customer_id", "rule", "opened_at" rows from % table\', TG_TABLE_NAME;', hash='924aeafc186b5f28c698ee04284bc30b925ed2ef', operation='UPDATE OF "customer_id", "rule", "opened_at"', pgid='pgtrigger_dossier_about_fixed_093d0', table='fraud_dossier', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='dossier',
                    trigger=pgtrigger.compiler.Trigger(name='dossier_closed_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."closed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='52123bc8174c5255390a4dc2b606732ca81f33f4', operation='UPDATE', pgid='pgtrigger_dossier_closed_stays_5b529', table='fraud_dossier', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='dossier',
                    trigger=pgtrigger.compiler.Trigger(name='dossier_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1c4147a9034d8ff8837a10655c93a13ee871b727', operation='DELETE', pgid='pgtrigger_dossier_kept_9ad31', table='fraud_dossier', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='case',
                    trigger=pgtrigger.compiler.Trigger(name='case_status_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{OPEN:RELEASED,OPEN:DECLINED,OPEN:EXPIRED,OPEN:CANCELLED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='cdd22ff3b02ca98f521042e02405f5c01550c462', operation='UPDATE', pgid='pgtrigger_case_status_moves_f91b7', table='fraud_case', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='case',
                    trigger=pgtrigger.compiler.Trigger(name='case_closed_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'OPEN\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f5239a5a6551461c8e6733ee08fe6ff99e947ceb', operation='UPDATE', pgid='pgtrigger_case_closed_stays_b570a', table='fraud_case', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='case',
                    trigger=pgtrigger.compiler.Trigger(name='case_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b27b9fc0fcf78579bbd44b8d7661b2f006d37c20', operation='DELETE', pgid='pgtrigger_case_kept_7ad2d', table='fraud_case', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='casenote',
                    trigger=pgtrigger.compiler.Trigger(name='note_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2f0de2c525274e88d16e5c2bd0d57dad6cc03c8e', operation='UPDATE OR DELETE', pgid='pgtrigger_note_append_only_9944a', table='fraud_casenote', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='casenote',
                    trigger=pgtrigger.compiler.Trigger(name='note_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='d6508ae9456555aefcf4bd3088744d924528fadc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_note_no_truncate_d7153', table='fraud_casenote', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='customeranswer',
                    trigger=pgtrigger.compiler.Trigger(name='customer_answer_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='dda490846d0a1b1835351bc50aca6220a39d72e4', operation='UPDATE OR DELETE', pgid='pgtrigger_customer_answer_append_only_97ea0', table='fraud_customeranswer', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='customeranswer',
                    trigger=pgtrigger.compiler.Trigger(name='customer_answer_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='aae3ce4ea40555063936c4e68193a74cade54be7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_customer_answer_no_truncate_c327c', table='fraud_customeranswer', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='casecheck',
                    trigger=pgtrigger.compiler.Trigger(name='case_check_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7c49ed609cddb8892a989a4365139ffbe56aab9d', operation='UPDATE OR DELETE', pgid='pgtrigger_case_check_append_only_47da2', table='fraud_casecheck', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='casecheck',
                    trigger=pgtrigger.compiler.Trigger(name='case_check_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='61748f8a94bcca7bfa391f22e4e1b740e11dbcd6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_case_check_no_truncate_dce5c', table='fraud_casecheck', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='gatewaytransaction',
                    trigger=pgtrigger.compiler.Trigger(name='gateway_transaction_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b870a58a87720e1424a6228f0090eea7ff77a491', operation='UPDATE OR DELETE', pgid='pgtrigger_gateway_transaction_append_only_98318', table='fraud_gatewaytransaction', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='gatewaytransaction',
                    trigger=pgtrigger.compiler.Trigger(name='gateway_transaction_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='d65ee677ad5dcb12557536f07e0d80b57ede11f5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_gateway_transaction_no_truncate_3ca4f', table='fraud_gatewaytransaction', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='snooze',
                    trigger=pgtrigger.compiler.Trigger(name='snooze_text_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "rule_code", "holder", "holder_id", "label", "reason", "maker_id", "from_at", "ends_at" rows from % table\', TG_TABLE_NAME;', hash='abdeb0e9b7f657d6e758d708c2dd32ff6126b318', operation='UPDATE OF "rule_code", "holder", "holder_id", "label", "reason", "maker_id", "from_at", "ends_at"', pgid='pgtrigger_snooze_text_fixed_07095', table='fraud_snooze', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='snooze',
                    trigger=pgtrigger.compiler.Trigger(name='snooze_ended_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."ended_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5979e0c67eca8822fd24beb74e8f7c7a9dd1d858', operation='UPDATE', pgid='pgtrigger_snooze_ended_stays_2e9c4', table='fraud_snooze', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='snooze',
                    trigger=pgtrigger.compiler.Trigger(name='snooze_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e9fb8256dddfb9d483028e289c8da4c6992c5bc5', operation='DELETE', pgid='pgtrigger_snooze_kept_b4d38', table='fraud_snooze', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='listentry',
                    trigger=pgtrigger.compiler.Trigger(name='listentry_state_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{PENDING:ACTIVE,PENDING:ENDED,ACTIVE:ENDED}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='cd44888a402e776237a1b419f0aec9384044dc2c', operation='UPDATE', pgid='pgtrigger_listentry_state_moves_7fe8e', table='fraud_listentry', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='listentry',
                    trigger=pgtrigger.compiler.Trigger(name='listentry_text_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(func='RAISE EXCEPTION \'pgtrigger: Cannot update of "listing", "kind", "value", "label", "shape", "key", "rules", "reason", "maker_id", "created_at", "ends_at" rows from % table\', TG_TABLE_NAME;', hash='8eef73f21ff81ee28164b43b164278b8cd467a51', operation='UPDATE OF "listing", "kind", "value", "label", "shape", "key", "rules", "reason", "maker_id", "created_at", "ends_at"', pgid='pgtrigger_listentry_text_fixed_8f0cf', table='fraud_listentry', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='listentry',
                    trigger=pgtrigger.compiler.Trigger(name='listentry_ended_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" = \'ENDED\')', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='fa33f1ff43a986c4b3c191056ff09340a0504809', operation='UPDATE', pgid='pgtrigger_listentry_ended_stays_78334', table='fraud_listentry', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='listentry',
                    trigger=pgtrigger.compiler.Trigger(name='listentry_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f90446b2a12f9c284ac106d1f852cd0f2fc754d5', operation='DELETE', pgid='pgtrigger_listentry_kept_8f382', table='fraud_listentry', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelcomparison',
                    trigger=pgtrigger.compiler.Trigger(name='model_comparison_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='085a7380755eefb0791bbb1af8c3d8fab1ffbc54', operation='UPDATE OR DELETE', pgid='pgtrigger_model_comparison_append_only_01ab0', table='fraud_modelcomparison', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='modelcomparison',
                    trigger=pgtrigger.compiler.Trigger(name='model_comparison_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='b63ab7003d6c004428b63afb961ea45ffcf957f6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_model_comparison_no_truncate_de7e1', table='fraud_modelcomparison', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='alertbudgetconfig',
                    trigger=pgtrigger.compiler.Trigger(name='alert_budget_config_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='cd698974e6e2825c0ad7ab5d47047358adb4b35e', operation='UPDATE OR DELETE', pgid='pgtrigger_alert_budget_config_append_only_6bc90', table='fraud_alertbudgetconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='alertbudgetconfig',
                    trigger=pgtrigger.compiler.Trigger(name='alert_budget_config_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='bab3674089ee9f44aba251bbc3b6a85b5966c18a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_alert_budget_config_no_truncate_a037a', table='fraud_alertbudgetconfig', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='webhook',
                    trigger=pgtrigger.compiler.Trigger(name='webhook_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."client_id" IS DISTINCT FROM (NEW."client_id") OR OLD."set_at" IS DISTINCT FROM (NEW."set_at") OR OLD."set_by_id" IS DISTINCT FROM (NEW."set_by_id") OR OLD."url" IS DISTINCT FROM (NEW."url"))', func='RAISE EXCEPTION \'pgtrigger: Cannot update of "client_id", "url", "set_by_id", "set_at" rows from % table\', TG_TABLE_NAME;', hash='a101e3253fa44f1cdf91b42430473783a305522a', operation='UPDATE OF "client_id", "url", "set_by_id", "set_at"', pgid='pgtrigger_webhook_fixed_49bfd', table='fraud_webhook', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='webhook',
                    trigger=pgtrigger.compiler.Trigger(name='webhook_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ae0af1e1ed2ffb3abf38afe6f406f535f6da297f', operation='DELETE', pgid='pgtrigger_webhook_kept_17382', table='fraud_webhook', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='webhookdelivery',
                    trigger=pgtrigger.compiler.Trigger(name='webhook_delivery_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."transaction_id" IS DISTINCT FROM (NEW."transaction_id"))', func='RAISE EXCEPTION \'pgtrigger: Cannot update of "transaction_id", "body", "created_at" rows from % table\', TG_TABLE_NAME;', hash='f5f42dd31a4689fdc9ae94bccf5dd4a5ee037907', operation='UPDATE OF "transaction_id", "body", "created_at"', pgid='pgtrigger_webhook_delivery_fixed_f20a0', table='fraud_webhookdelivery', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='webhookdelivery',
                    trigger=pgtrigger.compiler.Trigger(name='webhook_delivery_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.created_at > now() - interval '90 days' THEN\n                        RAISE EXCEPTION 'what gateways were told in the last 90 days is kept';\n                    END IF;\n                    RETURN OLD;\n                ", hash='257a70b714c103b089953e944e17b6e4f3f4d141', operation='DELETE', pgid='pgtrigger_webhook_delivery_kept_febf1', table='fraud_webhookdelivery', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='webhookdelivery',
                    trigger=pgtrigger.compiler.Trigger(name='webhook_delivery_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='f9fe45cdbc10f6fd175d4ec19e5166f0e536674f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_webhook_delivery_no_truncate_839b1', table='fraud_webhookdelivery', when='BEFORE')),
                ),
            ],
        ),
        # A list passes the text to the server whole; splitting at semicolons would cut function bodies.
        migrations.RunSQL(sql=[sql.text("known")], reverse_sql=["DROP FUNCTION fraud_known"]),
    ]
