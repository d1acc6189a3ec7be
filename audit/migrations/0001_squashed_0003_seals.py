import audit.models
import django.db.models.deletion
import django.db.models.functions.comparison
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from common.postgres.tables import CreateTables


class Migration(migrations.Migration):

    replaces = [
        ('audit', '0001_initial'),
        ('audit', '0002_idempotency_mac'),
        ('audit', '0003_seals'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            operations=[
                migrations.CreateModel(
                    name='IdempotencyRecord',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('key', models.CharField(max_length=100)),
                        ('method', models.CharField(max_length=8)),
                        ('path', models.CharField(max_length=200)),
                        ('body_mac', models.CharField(max_length=64)),
                        ('status', models.PositiveSmallIntegerField()),
                        ('body', models.BinaryField()),
                        ('content_type', models.CharField(max_length=80)),
                        ('created_at', models.DateTimeField()),
                        ('expires_at', models.DateTimeField(db_index=True)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('user', 'key'), name='audit_idempotencyrecord_user_key_unique')],
                    },
                ),
                migrations.CreateModel(
                    name='AuditEvent',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(db_index=True)),
                        ('action', models.CharField(max_length=64)),
                        ('subject_kind', models.CharField(max_length=40)),
                        ('subject_id', models.CharField(max_length=64)),
                        ('reason', models.TextField(blank=True)),
                        ('data', models.JSONField(default=dict)),
                        ('request_id', models.CharField(blank=True, max_length=64)),
                        ('ip', models.GenericIPAddressField(null=True)),
                        ('channel', models.CharField(max_length=10)),
                        ('actor', models.ForeignKey(help_text='Empty: the system.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('xid', models.BigIntegerField(db_default=django.db.models.functions.comparison.Cast(audit.models.CurrentXid(), models.BigIntegerField()), editable=False)),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['subject_kind', 'subject_id', 'id'], name='audit_event_subject'), models.Index(fields=['actor', 'id'], name='audit_event_actor'), models.Index(fields=['action', 'id'], name='audit_event_action'), models.Index(fields=['xid', 'id'], name='audit_event_xid')],
                    },
                ),
                migrations.CreateModel(
                    name='Seal',
                    fields=[
                        ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                        ('from_xid', models.BigIntegerField()),
                        ('to_xid', models.BigIntegerField()),
                        ('count', models.PositiveIntegerField(verbose_name='events')),
                        ('digest', models.CharField(max_length=64, unique=True)),
                        ('sealed_at', models.DateTimeField()),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('to_xid__gt', models.F('from_xid'))), name='audit_seal_bounds'), models.CheckConstraint(condition=models.Q(('count__gt', 0), ('number__gt', 0)), name='audit_seal_positive')],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='auditevent',
                    trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0450288fcb55201b346da4e2d56d2293ba7aac03', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_00dfa', table='audit_auditevent', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='auditevent',
                    trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate rows from % table', TG_TABLE_NAME;", hash='2cc430a48998a278c618e303d9418c397ded71e7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c220f', table='audit_auditevent', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='seal',
                    trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='425da599b8e4cf7384a383a64e17697a9d08a345', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_4de12', table='audit_seal', when='BEFORE')),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name='seal',
                    trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate rows from % table', TG_TABLE_NAME;", hash='befa30356c4912db94037693bb7efc2f60f8e67e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_2e740', table='audit_seal', when='BEFORE')),
                ),
            ],
        ),
    ]
