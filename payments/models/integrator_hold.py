"""Money that an integrator reserves on a customer's account."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q

from common.money import Money


class IntegratorHold(models.Model):
    """One reservation and its one end: posted in full or in part, voided, or expired. Amounts: minor units of `currency`.

    `hold_id` is the ledger's. What was posted is a payment of its own; what was not is available again.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        POSTED = "POSTED", "Posted"
        VOIDED = "VOIDED", "Voided"
        EXPIRED = "EXPIRED", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_client = models.ForeignKey("identity.ApiClient", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=140, blank=True)
    client_id = models.UUIDField()
    payload_sha256 = models.CharField(max_length=64)
    hold_id = models.UUIDField(unique=True)
    status = models.CharField(max_length=7, choices=Status)
    payment = models.OneToOneField("payments.Payment", null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["api_client", "client_id"], name="payments_integratorhold_client_id_unique"
            ),
            models.CheckConstraint(name="payments_integratorhold_amount", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="payments_integratorhold_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(
                name="payments_integratorhold_expires_later", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(
                name="payments_integratorhold_status_facts",
                condition=Q(status="ACTIVE", ended_at__isnull=True, payment__isnull=True)
                | Q(status="POSTED", ended_at__isnull=False, payment__isnull=False)
                | Q(status__in=["VOIDED", "EXPIRED"], ended_at__isnull=False, payment__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["api_client", "-created_at"], name="payments_integratorhold_newest"),
            models.Index(fields=["expires_at"], condition=Q(status="ACTIVE"), name="payments_integratorhold_active"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="integratorhold_stays",
                fields=[
                    "id",
                    "api_client",
                    "account",
                    "amount_minor",
                    "currency",
                    "description",
                    "client_id",
                    "payload_sha256",
                    "hold_id",
                    "created_at",
                    "expires_at",
                ],
            ),
            pgtrigger.FSM(
                name="integratorhold_moves",
                field="status",
                transitions=[("ACTIVE", "POSTED"), ("ACTIVE", "VOIDED"), ("ACTIVE", "EXPIRED")],
            ),
            pgtrigger.Protect(name="integratorhold_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)
