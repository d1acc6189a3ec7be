"""Accounts: whose they are and on what terms."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.product import COMPOUNDING, DAY_COUNTS, Product
from accounts.rules import numbers
from accounts.rules.funding import FundingKind
from accounts.rules.interest import Compounding, DayCount


class Status(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    FROZEN = "FROZEN", "Frozen"
    DORMANT = "DORMANT", "Dormant"
    CLOSED = "CLOSED", "Closed"


class AccountQuerySet(models.QuerySet["Account"]):
    def owned_by(self, user_id: int) -> AccountQuerySet:
        return self.filter(owner_id=user_id)

    def active(self) -> AccountQuerySet:
        return self.filter(status=Status.ACTIVE)

    def in_order(self) -> AccountQuerySet:
        return self.order_by("opened_at", "pk")


class Account(models.Model):
    """A customer's account. Its money is in the ledger account; here is whose it is and on what terms."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=numbers.LENGTH, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bank_accounts")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="accounts")
    currency = models.CharField(max_length=3)
    ledger_account = models.OneToOneField("ledger.LedgerAccount", on_delete=models.PROTECT, related_name="+")
    nickname = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=7, choices=Status, default=Status.ACTIVE)
    client_id = models.UUIDField(help_text="Chosen by the caller; the same one again opens nothing new.")
    opening_minor = models.BigIntegerField("opening deposit (minor units)")
    opening_source = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in FundingKind])
    opening_account = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # What the owner last did with it, to the day; money from others, interest and fees do not count.
    active_at = models.DateTimeField("last used by its owner")
    dormancy_warned_at = models.DateTimeField(null=True)
    dormant_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The product's terms at opening; its minimum balance or overdraft is the ledger account's floor.
    interest_rate = models.DecimalField("interest rate (% a year)", max_digits=5, decimal_places=2, default=0)
    overdraft_rate = models.DecimalField(
        "overdraft interest rate (% a year)", max_digits=5, decimal_places=2, default=0
    )
    day_count = models.CharField(max_length=8, choices=DAY_COUNTS, default=DayCount.ACTUAL_365.value)
    compounding = models.CharField(max_length=5, choices=COMPOUNDING, default=Compounding.NONE.value)

    objects = AccountQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["owner", "opened_at"], name="accounts_account_owner"),
            models.Index(fields=["status", "opened_at"], name="accounts_account_status"),
            models.Index(fields=["product", "active_at"], condition=Q(status="ACTIVE"), name="accounts_account_silent"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["owner", "client_id"], name="accounts_account_client_id_unique"),
            models.CheckConstraint(name="accounts_account_status", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="accounts_account_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="accounts_account_number", condition=Q(number__regex=r"^BP[0-9]{14}$")),
            models.CheckConstraint(name="accounts_account_opening_positive", condition=Q(opening_minor__gt=0)),
            models.CheckConstraint(
                name="accounts_account_terms_not_negative",
                condition=Q(interest_rate__gte=0, overdraft_rate__gte=0),
            ),
            models.CheckConstraint(
                name="accounts_account_interest",
                condition=Q(
                    day_count__in=[each for each, _ in DAY_COUNTS], compounding__in=[each for each, _ in COMPOUNDING]
                ),
            ),
            models.CheckConstraint(
                name="accounts_account_opening_source",
                condition=Q(opening_source="OWN_ACCOUNT", opening_account__isnull=False)
                | Q(opening_source__in=["SANDBOX", "CASH"], opening_account__isnull=True),
            ),
            models.CheckConstraint(
                name="accounts_account_closed_at",
                condition=Q(status="CLOSED", closed_at__isnull=False)
                | (~Q(status="CLOSED") & Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="accounts_account_dormant_at",
                condition=Q(status="DORMANT", dormant_at__isnull=False, dormancy_warned_at__isnull=False)
                | (~Q(status="DORMANT") & Q(dormant_at__isnull=True)),
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="status_fsm",
                field="status",
                transitions=[
                    ("ACTIVE", "FROZEN"),
                    ("FROZEN", "ACTIVE"),
                    ("ACTIVE", "CLOSED"),
                    ("ACTIVE", "DORMANT"),
                    ("DORMANT", "ACTIVE"),
                    ("DORMANT", "FROZEN"),
                ],
            ),
            # What money hangs on never changes after opening.
            pgtrigger.ReadOnly(
                name="identity_fixed",
                fields=[
                    "id",
                    "number",
                    "owner",
                    "product",
                    "currency",
                    "ledger_account",
                    "client_id",
                    "opening_minor",
                    "opening_source",
                    "opening_account",
                    "opened_by",
                    "opened_at",
                ],
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def masked_number(self) -> str:
        return numbers.masked(self.number)

    @property
    def grouped_number(self) -> str:
        return numbers.grouped(self.number)

    @property
    def is_active(self) -> bool:
        return self.status == Status.ACTIVE

    @property
    def can_receive(self) -> bool:
        """Money still arrives on a dormant account."""
        return self.status in (Status.ACTIVE, Status.DORMANT)
