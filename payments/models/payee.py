"""Payees that a customer saved."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from payments.models.payment import MATCHES


class Payee(models.Model):
    """Somebody a customer pays again: an account of this bank, or an IBAN. Removed payees stay as a record."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="payees")
    name = models.CharField(max_length=140)
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    iban = models.CharField("IBAN", max_length=34, blank=True)
    name_match = models.CharField("name check", max_length=8, blank=True, choices=MATCHES)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "account", "iban"],
                condition=Q(removed_at__isnull=True),
                name="payments_payee_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="payments_payee_target",
                condition=(Q(account__isnull=False, iban="") & ~Q(name_match=""))
                | (Q(account__isnull=True, name_match="") & ~Q(iban="")),
            ),
            models.CheckConstraint(name="payments_payee_name", condition=~Q(name="")),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="payee_stays", fields=["id", "customer", "account", "iban", "name_match", "created_at"]
            ),
        ]

    def __str__(self) -> str:
        return self.name
