"""How much may leave a customer's accounts."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from payments.models.payment import Channel

AMOUNTS = ("per_payment_minor", "daily_minor", "monthly_minor", "new_payee_minor")


class Limit(models.Model):
    """Limits of one channel, in minor units of the base currency; an empty one does not limit.

    Without a customer it is the bank's default. For a customer there may be one row that the bank set, which replaces
    the default, and one of the customer's own, which can only be tighter.
    """

    class SetBy(models.TextChoices):
        BANK = "BANK", "The bank"
        CUSTOMER = "CUSTOMER", "The customer"

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(
        max_length=6, choices=[(one.value, one.label) for one in (Channel.PORTAL, Channel.API, Channel.BULK)]
    )
    set_by = models.CharField(max_length=8, choices=SetBy)
    per_payment_minor = models.BigIntegerField("per payment", null=True)
    daily_minor = models.BigIntegerField("per day", null=True)
    monthly_minor = models.BigIntegerField("per calendar month", null=True)
    new_payee_minor = models.BigIntegerField("to a new payee", null=True)
    changed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "channel", "set_by"], name="payments_limit_once", nulls_distinct=False
            ),
            models.CheckConstraint(name="payments_limit_channel", condition=Q(channel__in=["PORTAL", "API", "BULK"])),
            models.CheckConstraint(
                name="payments_limit_default_is_the_banks", condition=Q(customer__isnull=False) | Q(set_by="BANK")
            ),
            *(
                models.CheckConstraint(
                    name=f"payments_limit_{amount.removesuffix('_minor')}",
                    condition=Q(**{f"{amount}__isnull": True}) | Q(**{f"{amount}__gte": 0}),
                )
                for amount in AMOUNTS
            ),
        ]
        triggers = [pgtrigger.ReadOnly(name="limit_stays_whose_it_is", fields=["customer", "channel", "set_by"])]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} limits"
