"""What outside gateways ask: their transactions, and each call of the API."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models

from fraud.models.deciding import Decision
from fraud.models.guards import append_only

# How long calls are kept, in days.
CALLS_KEPT_DAYS = 90


class ApiCall(models.Model):
    """One call of the fraud API by somebody known. Written once, and forgotten when it is old."""

    at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey(
        "identity.ApiClient", null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: a person."
    )
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=60, blank=True, help_text="Of a refusal.")
    idempotency_key = models.CharField(max_length=100, blank=True)
    latency_ms = models.FloatField("took, in milliseconds")
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = "API call"
        indexes = [
            models.Index(fields=["at", "id"], name="fraud_apicall_at"),
            models.Index(fields=["client", "at"], name="fraud_apicall_client"),
        ]
        triggers = [
            pgtrigger.Protect(name="api_call_fixed", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="api_call_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=f"""
                    IF OLD.at > now() - interval '{CALLS_KEPT_DAYS} days' THEN
                        RAISE EXCEPTION 'calls of the last {CALLS_KEPT_DAYS} days are kept';
                    END IF;
                    RETURN OLD;
                """,
            ),
            pgtrigger.Trigger(
                name="api_call_no_truncate",
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                func="RAISE EXCEPTION 'rows of % are kept', TG_TABLE_NAME;",
            ),
        ]

    def __str__(self) -> str:
        return f"Call {self.pk}"


class GatewayTransaction(models.Model):
    """A transaction that an outside gateway asked about: its own id beside our decision. Written once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey("identity.ApiClient", on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=64)
    content_sha256 = models.CharField(max_length=64)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["client", "reference"], name="fraud_gatewaytransaction_reference_unique")
        ]
        triggers = append_only("gateway_transaction")

    def __str__(self) -> str:
        return f"Transaction {str(self.pk)[:8]}"
