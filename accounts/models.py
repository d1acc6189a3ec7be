"""Products, the accounts opened under them, and the rates that make currencies comparable."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.rules import numbers, terms
from accounts.rules.funding import FundingKind
from accounts.rules.interest import Compounding, DayCount
from common.money import Money


class ProductKind(models.TextChoices):
    SAVINGS = "SAVINGS", "Savings"
    CURRENT = "CURRENT", "Current"
    SALARY = "SALARY", "Salary"
    WALLET = "WALLET", "Wallet"
    BUSINESS = "BUSINESS", "Business"


class Status(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    FROZEN = "FROZEN", "Frozen"
    CLOSED = "CLOSED", "Closed"


# Interest is posted every month, and what is posted earns: only daily compounding adds to that.
DAY_COUNTS = [(each.value, each.value) for each in DayCount]
COMPOUNDING = [(Compounding.NONE.value, "Each month, when it is posted"), (Compounding.DAILY.value, "Every day")]


class Product(models.Model):
    """What the bank offers. Changed terms hold for accounts opened from then on. Amounts: minor units of `currency`."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=ProductKind)
    currency = models.CharField(max_length=3)
    min_opening_minor = models.BigIntegerField(
        "minimum opening deposit (minor units)", validators=[MinValueValidator(1)]
    )
    min_balance_minor = models.BigIntegerField(
        "minimum balance (minor units)", default=0, validators=[MinValueValidator(0)]
    )
    overdraft_minor = models.BigIntegerField("overdraft (minor units)", default=0, validators=[MinValueValidator(0)])
    interest_rate = models.DecimalField(
        "interest rate (% a year)", max_digits=5, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    overdraft_rate = models.DecimalField(
        "overdraft interest rate (% a year)",
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
    )
    day_count = models.CharField(max_length=8, choices=DAY_COUNTS, default=DayCount.ACTUAL_365.value)
    compounding = models.CharField(max_length=5, choices=COMPOUNDING, default=Compounding.NONE.value)
    transfer_fee_minor = models.BigIntegerField(
        "fee for a transfer to others (minor units)", default=0, validators=[MinValueValidator(0)]
    )
    description = models.CharField(max_length=200, blank=True)
    is_open = models.BooleanField("open for new accounts", default=True)
    allows_bulk = models.BooleanField(
        "bulk payments", default=False, help_text="Its accounts, old ones too, may pay a file of payments at once."
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="accounts_product_kind", condition=Q(kind__in=ProductKind.values)),
            models.CheckConstraint(name="accounts_product_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(
                name="accounts_product_terms_not_negative",
                condition=Q(min_balance_minor__gte=0, overdraft_minor__gte=0, transfer_fee_minor__gte=0)
                & Q(interest_rate__gte=0, overdraft_rate__gte=0, min_opening_minor__gt=0),
            ),
            models.CheckConstraint(
                name="accounts_product_interest",
                condition=Q(
                    day_count__in=[each for each, _ in DAY_COUNTS], compounding__in=[each for each, _ in COMPOUNDING]
                ),
            ),
            models.CheckConstraint(
                name="accounts_product_minimum_or_overdraft",
                condition=Q(min_balance_minor=0) | Q(overdraft_minor=0),
                violation_error_message="A product has a minimum balance or an overdraft, not both.",
            ),
            models.CheckConstraint(
                name="accounts_product_opening_covers_balance",
                condition=Q(min_opening_minor__gte=F("min_balance_minor")),
                violation_error_message="The opening deposit must cover the minimum balance.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def min_opening(self) -> Money:
        return Money(self.min_opening_minor, self.currency)

    @property
    def min_balance(self) -> Money:
        return Money(self.min_balance_minor, self.currency)

    @property
    def overdraft(self) -> Money:
        return Money(self.overdraft_minor, self.currency)

    @property
    def transfer_fee(self) -> Money:
        return Money(self.transfer_fee_minor, self.currency)

    @property
    def floor_minor(self) -> int:
        return terms.floor_minor(min_balance_minor=self.min_balance_minor, overdraft_minor=self.overdraft_minor)


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
    status = models.CharField(max_length=6, choices=Status, default=Status.ACTIVE)
    client_id = models.UUIDField(help_text="Chosen by the caller; the same one again opens nothing new.")
    opening_minor = models.BigIntegerField("opening deposit (minor units)")
    opening_source = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in FundingKind])
    opening_account = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The product's terms at opening; its minimum balance or overdraft is the ledger account's floor.
    transfer_fee_minor = models.BigIntegerField("fee for a transfer to others (minor units)", default=0)
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
        ]
        constraints = [
            models.UniqueConstraint(fields=["owner", "client_id"], name="accounts_account_client_id_unique"),
            models.CheckConstraint(name="accounts_account_status", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="accounts_account_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="accounts_account_number", condition=Q(number__regex=r"^BP[0-9]{14}$")),
            models.CheckConstraint(name="accounts_account_opening_positive", condition=Q(opening_minor__gt=0)),
            models.CheckConstraint(
                name="accounts_account_terms_not_negative",
                condition=Q(transfer_fee_minor__gte=0, interest_rate__gte=0, overdraft_rate__gte=0),
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
        ]
        triggers = [
            pgtrigger.FSM(
                name="status_fsm",
                field="status",
                transitions=[("ACTIVE", "FROZEN"), ("FROZEN", "ACTIVE"), ("ACTIVE", "CLOSED")],
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


class ReferenceRate(models.Model):
    """What one unit of a currency is worth in the base currency, for limits and totals; nothing is exchanged at it."""

    currency = models.CharField(max_length=3, primary_key=True)
    rate_to_base = models.DecimalField(
        "rate to the base currency", max_digits=18, decimal_places=8, help_text="One unit in the base currency."
    )
    as_of = models.DateField("as of")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="accounts_referencerate_positive", condition=Q(rate_to_base__gt=0)),
            models.CheckConstraint(name="accounts_referencerate_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.rate_to_base}"


class StatementFile(models.Model):
    """A file in the private store. The row is written before the file, so that no file is ever nameless."""

    name = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class MonthlyStatement(models.Model):
    """The statement of one account for one calendar month, issued once. Nothing about it ever changes.

    `number` counts an account's statements from 1. Each goes on at the posting where the one before ended, so a posting
    is on exactly one of them, however late it was booked. Amounts: minor units of the account's currency.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="monthly_statements")
    month = models.DateField(help_text="Its first day.")
    number = models.PositiveIntegerField()
    after_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    opening_minor = models.BigIntegerField("opening balance (minor units)")
    paid_in_minor = models.BigIntegerField("paid in (minor units)")
    paid_out_minor = models.BigIntegerField("paid out (minor units)")
    closing_minor = models.BigIntegerField("closing balance (minor units)")
    file = models.OneToOneField(StatementFile, on_delete=models.PROTECT, related_name="statement")
    form = models.CharField("format", max_length=7)
    size = models.BigIntegerField("size (bytes)")
    sha256 = models.CharField("SHA-256", max_length=64)
    issued_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "month"], name="accounts_monthlystatement_once"),
            models.UniqueConstraint(fields=["account", "number"], name="accounts_monthlystatement_number"),
            models.CheckConstraint(name="accounts_monthlystatement_first_day", condition=Q(month__day=1)),
            models.CheckConstraint(name="accounts_monthlystatement_number_positive", condition=Q(number__gt=0)),
            models.CheckConstraint(
                name="accounts_monthlystatement_adds_up",
                condition=Q(closing_minor=F("opening_minor") + F("paid_in_minor") - F("paid_out_minor")),
            ),
            models.CheckConstraint(
                name="accounts_monthlystatement_stretch", condition=Q(after_seq__gte=0, last_seq__gte=F("after_seq"))
            ),
            models.CheckConstraint(name="accounts_monthlystatement_form", condition=Q(form__in=["pdf", "csv"])),
            models.CheckConstraint(
                name="accounts_monthlystatement_sha256", condition=Q(sha256__regex="^[0-9a-f]{64}$")
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Statement {self.number} of account {self.account_id}"

    @property
    def closing(self) -> Money:
        """Needs the account loaded."""
        return Money(self.closing_minor, self.account.currency)


class InterestPosting(models.Model):
    """The interest of one account up to the end of one month (or its closing), posted once. Nothing about it ever changes.

    It covers [since, until), going on where the one before ended. Amounts: minor units of the account's currency.
    `unpaid_minor` is overdraft interest that the account could not cover; the next posting asks for it again.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="interest_postings")
    period = models.DateField(help_text="The first day of its month.")
    since = models.DateField()
    until = models.DateField()
    earned_minor = models.BigIntegerField("paid to the customer (minor units)")
    charged_minor = models.BigIntegerField("overdraft interest charged (minor units)")
    unpaid_minor = models.BigIntegerField("overdraft interest carried over (minor units)")
    entry_id = models.BigIntegerField("ledger entry", null=True, unique=True)
    posted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "period"], name="accounts_interestposting_once"),
            models.CheckConstraint(name="accounts_interestposting_first_day", condition=Q(period__day=1)),
            models.CheckConstraint(name="accounts_interestposting_stretch", condition=Q(since__lt=F("until"))),
            models.CheckConstraint(
                name="accounts_interestposting_not_negative",
                condition=Q(earned_minor__gte=0, charged_minor__gte=0, unpaid_minor__gte=0),
            ),
            models.CheckConstraint(
                name="accounts_interestposting_entry",
                condition=Q(earned_minor=0, charged_minor=0, entry_id__isnull=True)
                | (~Q(earned_minor=0, charged_minor=0) & Q(entry_id__isnull=False)),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Interest of account {self.account_id} for {self.period:%Y-%m}"
