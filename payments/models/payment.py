"""Payments: what somebody asked for and what became of it. Amounts are integer minor units of `currency`."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.ids import new_id
from common.money import Money

MATCHES = [("MATCH", "Match"), ("CLOSE", "Close match"), ("NO_MATCH", "No match")]


class Kind(models.TextChoices):
    TRANSFER = "TRANSFER", "Transfer"
    OWN_TRANSFER = "OWN_TRANSFER", "Transfer between own accounts"
    DEPOSIT = "DEPOSIT", "Deposit"
    WITHDRAWAL = "WITHDRAWAL", "Withdrawal"


class Status(models.TextChoices):
    COMPLETED = "COMPLETED", "Completed"
    HELD = "HELD", "Under review"
    REFUSED = "REFUSED", "Refused"
    CANCELLED = "CANCELLED", "Cancelled"
    REVERSED = "REVERSED", "Reversed"


class Channel(models.TextChoices):
    PORTAL = "PORTAL", "Portal"
    API = "API", "API"
    TELLER = "TELLER", "Counter"
    ORDER = "ORDER", "Standing order"
    BULK = "BULK", "Bulk file"


class Source(models.TextChoices):
    """Where a deposit comes from, or a withdrawal goes to."""

    NONE = "", "None"
    CASH = "CASH", "Cash at the counter"
    SANDBOX = "SANDBOX", "Sandbox funding source"
    INTEGRATOR = "INTEGRATOR", "Integrator"
    OUTSIDE = "OUTSIDE", "Account at another bank"


class HoldCause(models.TextChoices):
    NONE = "", "None"
    FLAGGED = "FLAGGED", "Flagged by the checks"
    UNSCREENED = "UNSCREENED", "The checks did not answer"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def held(self) -> PaymentQuerySet:
        return self.filter(status=Status.HELD)

    def expired(self, *, now: datetime) -> PaymentQuerySet:
        """Held, and the time to decide has passed."""
        return self.held().filter(expires_at__lte=now)

    def with_parties(self) -> PaymentQuerySet:
        """Everything a list or a receipt shows, in one query."""
        sides = ("debit_account", "credit_account")
        joined = [f"{side}__{what}" for side in sides for what in ("owner", "product")]
        return self.select_related(*joined, "initiated_by")


class Payment(models.Model):
    """One movement of money that somebody asked for, and what became of it.

    `created_at` is when it was asked for, `decided_at` when it got its present outcome, both in business time.
    `amount_base_minor` is the amount at the reference rate of that moment, which limits count; empty without a rate.
    `entry_id`, `reversal_entry_id` and `hold_id` belong to the ledger, `decision_id` to fraud.
    """

    # The checked name of who pays, known while a payment is being made; not stored.
    payer_name = ""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    status = models.CharField(max_length=9, choices=Status)
    client_id = models.UUIDField()
    payload_sha256 = models.CharField(max_length=64)
    # Accounts and users are never deleted and keep their ids (triggers of theirs), and the three below were read in the
    # payment's own transaction: a constraint would look again at each commit, and write to each row to lock it.
    debit_account = models.ForeignKey(
        "accounts.Account",
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="payments_out",
    )
    credit_account = models.ForeignKey(
        "accounts.Account",
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="payments_in",
    )
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    fee_note = models.CharField("how the fee was made up", max_length=250, blank=True)
    fee_version = models.ForeignKey(
        "accounts.FeeVersion", null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    currency = models.CharField(max_length=3)
    amount_base_minor = models.BigIntegerField("amount in the base currency", null=True)
    description = models.CharField(max_length=140, blank=True)
    payee_name = models.CharField("payee's name as typed", max_length=140, blank=True)
    payee_match = models.CharField("name check", max_length=8, blank=True, choices=MATCHES)
    outside_account = models.CharField("account at another bank", max_length=34, blank=True)
    initiated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    channel = models.CharField(max_length=6, choices=Channel)
    source = models.CharField("source or destination", max_length=10, choices=Source, blank=True)
    country = models.CharField(max_length=2, blank=True)
    decision_id = models.UUIDField(null=True)
    hold_cause = models.CharField(max_length=10, choices=HoldCause, blank=True)
    reasons = models.JSONField(default=list)
    hold_id = models.UUIDField(null=True)
    entry_id = models.BigIntegerField(null=True, unique=True)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_text = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    expires_at = models.DateTimeField(null=True)
    reversal_entry_id = models.BigIntegerField(null=True)
    reversed_at = models.DateTimeField(null=True)
    reversed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )

    objects: ClassVar[models.Manager[Payment]] = PaymentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["initiated_by", "client_id"], name="payments_payment_client_id_unique"),
            models.UniqueConstraint(
                fields=["hold_id"], condition=Q(hold_id__isnull=False), name="payments_payment_hold_unique"
            ),
            models.UniqueConstraint(
                fields=["reversal_entry_id"],
                condition=Q(reversal_entry_id__isnull=False),
                name="payments_payment_reversal_unique",
            ),
            models.CheckConstraint(name="payments_payment_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="payments_payment_fee",
                condition=Q(fee_minor=0) | Q(fee_minor__gt=0, kind__in=[Kind.TRANSFER, Kind.WITHDRAWAL]),
            ),
            models.CheckConstraint(name="payments_payment_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="payments_payment_country", condition=Q(country__regex=r"^([A-Z]{2})?$")),
            models.CheckConstraint(name="payments_payment_channel", condition=Q(channel__in=Channel.values)),
            models.CheckConstraint(
                name="payments_payment_parties",
                condition=(
                    Q(kind__in=[Kind.TRANSFER, Kind.OWN_TRANSFER], source="")
                    & Q(debit_account__isnull=False, credit_account__isnull=False)
                    & ~Q(debit_account=F("credit_account"))
                )
                | Q(
                    kind=Kind.DEPOSIT,
                    debit_account__isnull=True,
                    credit_account__isnull=False,
                    source__in=[Source.CASH, Source.SANDBOX, Source.INTEGRATOR],
                )
                | Q(
                    kind=Kind.WITHDRAWAL,
                    debit_account__isnull=False,
                    credit_account__isnull=True,
                    source__in=[Source.CASH, Source.OUTSIDE, Source.INTEGRATOR],
                ),
            ),
            models.CheckConstraint(
                name="payments_payment_status_facts",
                condition=Q(
                    status=Status.COMPLETED,
                    entry_id__isnull=False,
                    decided_at__isnull=False,
                    reversal_entry_id__isnull=True,
                )
                | Q(
                    status=Status.HELD,
                    entry_id__isnull=True,
                    hold_id__isnull=False,
                    expires_at__isnull=False,
                    decided_at__isnull=True,
                    hold_cause__in=[HoldCause.FLAGGED, HoldCause.UNSCREENED],
                )
                | (Q(status=Status.REFUSED, entry_id__isnull=True, decided_at__isnull=False) & ~Q(refusal_code=""))
                | Q(status=Status.CANCELLED, entry_id__isnull=True, hold_id__isnull=False, decided_at__isnull=False)
                | Q(
                    status=Status.REVERSED,
                    entry_id__isnull=False,
                    reversal_entry_id__isnull=False,
                    reversed_at__isnull=False,
                    reversed_by__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="payments_payment_four_eyes",
                condition=(Q(decided_by__isnull=True) | ~Q(decided_by=F("initiated_by")))
                & (Q(reversed_by__isnull=True) | ~Q(reversed_by=F("initiated_by"))),
            ),
        ]
        # What few payments have, those few alone are indexed by; a foreign key that begins another index has none of its own.
        indexes = [
            models.Index(
                fields=["fee_version"], condition=Q(fee_version__isnull=False), name="payments_payment_fee_version"
            ),
            models.Index(
                fields=["decided_by"], condition=Q(decided_by__isnull=False), name="payments_payment_decided_by"
            ),
            models.Index(
                fields=["reversed_by"], condition=Q(reversed_by__isnull=False), name="payments_payment_reversed_by"
            ),
            models.Index(fields=["debit_account", "-created_at", "id"], name="payments_payment_debit"),
            models.Index(fields=["credit_account", "-created_at", "id"], name="payments_payment_credit"),
            models.Index(
                fields=["debit_account", "credit_account", "outside_account", "created_at"],
                name="payments_payment_pair",
            ),
            models.Index(fields=["-created_at", "id"], name="payments_payment_newest"),
            models.Index(fields=["expires_at"], condition=Q(status="HELD"), name="payments_payment_held"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="status_moves",
                field="status",
                transitions=[
                    ("HELD", "COMPLETED"),
                    ("HELD", "REFUSED"),
                    ("HELD", "CANCELLED"),
                    ("COMPLETED", "REVERSED"),
                ],
            ),
            pgtrigger.ReadOnly(
                name="facts_stay",
                fields=[
                    "id",
                    "kind",
                    "client_id",
                    "payload_sha256",
                    "debit_account",
                    "credit_account",
                    "amount_minor",
                    "fee_minor",
                    "fee_note",
                    "fee_version",
                    "currency",
                    "amount_base_minor",
                    "description",
                    "payee_name",
                    "payee_match",
                    "outside_account",
                    "initiated_by",
                    "channel",
                    "source",
                    "country",
                    "decision_id",
                    "hold_cause",
                    "reasons",
                    "hold_id",
                    "created_at",
                    "expires_at",
                ],
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.pk)[:8]}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def total(self) -> Money:
        """What leaves the account that pays."""
        return Money(self.amount_minor + self.fee_minor, self.currency)
