"""Old deliveries may go, as old calls may."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('fraud', '0016_shorter_vectors'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='webhookdelivery',
            name='webhook_delivery_kept',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='webhookdelivery',
            trigger=pgtrigger.compiler.Trigger(name='webhook_delivery_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.created_at > now() - interval '90 days' THEN\n                        RAISE EXCEPTION 'what gateways were told in the last 90 days is kept';\n                    END IF;\n                    RETURN OLD;\n                ", hash='257a70b714c103b089953e944e17b6e4f3f4d141', operation='DELETE', pgid='pgtrigger_webhook_delivery_kept_febf1', table='fraud_webhookdelivery', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='webhookdelivery',
            trigger=pgtrigger.compiler.Trigger(name='webhook_delivery_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;", hash='f9fe45cdbc10f6fd175d4ec19e5166f0e536674f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_webhook_delivery_no_truncate_839b1', table='fraud_webhookdelivery', when='BEFORE')),
        ),
    ]
