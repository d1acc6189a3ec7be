"""What the bank offers, and the rates that make currencies comparable."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.rules import terms
from accounts.rules.interest import Compounding, DayCount
from common.money import Money


class ProductKind(models.TextChoices):
    SAVINGS = "SAVINGS", "Savings"
    CURRENT = "CURRENT", "Current"
    SALARY = "SALARY", "Salary"
    WALLET = "WALLET", "Wallet"
    BUSINESS = "BUSINESS", "Business"


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
    dormant_after_days = models.PositiveIntegerField(
        "dormant after (days)",
        default=0,
        help_text="Days without use by the owner; 0 for never. The owner is warned 30 days before.",
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
                condition=Q(min_balance_minor__gte=0, overdraft_minor__gte=0)
                & Q(interest_rate__gte=0, overdraft_rate__gte=0, min_opening_minor__gt=0),
            ),
            models.CheckConstraint(
                name="accounts_product_interest",
                condition=Q(
                    day_count__in=[each for each, _ in DAY_COUNTS], compounding__in=[each for each, _ in COMPOUNDING]
                ),
            ),
            models.CheckConstraint(
                name="accounts_product_dormant_after",
                condition=Q(dormant_after_days=0) | Q(dormant_after_days__gte=60, dormant_after_days__lte=36500),
                violation_error_message="An account may become dormant after 60 days or later, or never: 0.",
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
    def floor_minor(self) -> int:
        return terms.floor_minor(min_balance_minor=self.min_balance_minor, overdraft_minor=self.overdraft_minor)


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
