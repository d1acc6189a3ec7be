"""Where outside gateways are told what was decided, and each telling."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from fraud.rules.webhooks import LONGEST_URL

DELIVERIES_KEPT_DAYS = 90


class Webhook(models.Model):
    """The address of one API key's owner. It never changes: another one takes its place, with a secret of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey("identity.ApiClient", on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=LONGEST_URL)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name = "webhook"
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(ended_at__isnull=True), name="fraud_webhook_one_in_use"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="webhook_fixed",
                operation=pgtrigger.UpdateOf("client_id", "url", "set_by_id", "set_at"),
                condition=pgtrigger.AnyChange("client", "url", "set_by", "set_at"),
            ),
            pgtrigger.Protect(name="webhook_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Webhook {str(self.pk)[:8]}"


class WebhookDelivery(models.Model):
    """One thing that a gateway is told, written in the transaction of the decision and sent until it is taken.

    `body` is what was signed and sent, byte for byte. Without a status nobody answered, and `last_error` says why.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries")
    transaction = models.ForeignKey("fraud.GatewayTransaction", on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_attempt_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=120, blank=True)
    last_took_ms = models.FloatField(null=True)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=Q(delivered_at=None, given_up_at=None),
                name="fraud_webhookdelivery_due",
            ),
            models.Index(fields=["webhook", "-created_at"], name="fraud_webhookdelivery_log"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="webhook_delivery_fixed",
                operation=pgtrigger.UpdateOf("transaction_id", "body", "created_at"),
                condition=pgtrigger.AnyChange("transaction", "body", "created_at"),
            ),
            pgtrigger.Trigger(
                name="webhook_delivery_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=f"""
                    IF OLD.created_at > now() - interval '{DELIVERIES_KEPT_DAYS} days' THEN
                        RAISE EXCEPTION 'what gateways were told in the last {DELIVERIES_KEPT_DAYS} days is kept';
                    END IF;
                    RETURN OLD;
                """,
            ),
            pgtrigger.Trigger(
                name="webhook_delivery_no_truncate",
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;",
            ),
        ]

    def __str__(self) -> str:
        return f"Delivery {str(self.pk)[:8]}"
