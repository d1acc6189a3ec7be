"""What the bank lends on which terms, and by which policy it decides. A running loan keeps the terms it was agreed with."""

from __future__ import annotations

import functools
import operator
from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact

from common.money import Money
from loans.rules.calendar import DayCount, Frequency
from loans.rules.offering import MAX_TRANCHES
from loans.rules.rhythm import LONGEST, Rhythm
from loans.rules.spending import PLACES, default_order, is_order
from loans.rules.terms import (
    MAX_EVERY,
    MAX_INSTALMENTS,
    FeeBasis,
    InterestBasis,
    Method,
    PayoffInterest,
    PenaltyBasis,
    Prepayment,
)

_PERCENT = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]
_FREQUENCIES = [
    (Frequency.MONTHS.value, "months"),
    (Frequency.WEEKS.value, "weeks"),
    (Frequency.DAYS.value, "days"),
]
_METHODS = [
    (Method.EQUAL_INSTALMENT.value, "Equal instalments"),
    (Method.EQUAL_PRINCIPAL.value, "Equal principal"),
    (Method.FLAT.value, "Flat"),
    (Method.FIXED_INSTALMENT.value, "Fixed instalment, the rest with the last one"),
]
_FEE_BASES = [
    (FeeBasis.FLAT.value, "an amount"),
    (FeeBasis.PRINCIPAL.value, "% of its principal"),
    (FeeBasis.INSTALMENT.value, "% of principal and interest"),
]
_PENALTY_BASES = [
    (PenaltyBasis.PRINCIPAL_AND_INTEREST.value, "% of the overdue principal and interest"),
    (PenaltyBasis.PRINCIPAL.value, "% of the overdue principal"),
    (PenaltyBasis.FLAT.value, "an amount"),
]
_PREPAYMENTS = [
    (Prepayment.REDUCE_TERM.value, "Fewer instalments"),
    (Prepayment.REDUCE_INSTALMENT.value, "Smaller instalments"),
    (Prepayment.NEXT_INSTALMENTS.value, "The next instalments in advance"),
]
_BASES = [
    (InterestBasis.PLANNED.value, "As planned, however late a payment is"),
    (InterestBasis.ACTUAL.value, "On what is owed each day, the overdue included"),
]
_PAYOFFS = [
    (PayoffInterest.TO_DATE.value, "Interest to the day"),
    (PayoffInterest.TO_PERIOD_END.value, "Interest to the end of the period"),
]


def require_order(value: object) -> None:
    """Raises ValidationError for what is no order of the twelve."""
    if not is_order(value):
        raise ValidationError("Give each of the twelve a place, and each place once.")


class ProductKind(models.TextChoices):
    PERSONAL = "PERSONAL", "Personal"
    HOME = "HOME", "Home"
    VEHICLE = "VEHICLE", "Vehicle"
    EDUCATION = "EDUCATION", "Education"
    BUSINESS = "BUSINESS", "Business"


class LoanProduct(models.Model):
    """A loan on offer. Amounts: minor units of `currency`; rates and shares: per cent."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=9, choices=ProductKind)
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200, blank=True)
    min_amount_minor = models.BigIntegerField("smallest amount", validators=[MinValueValidator(1)])
    max_amount_minor = models.BigIntegerField("largest amount", validators=[MinValueValidator(1)])
    every = models.PositiveSmallIntegerField(
        "an instalment every",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_EVERY)],
        help_text="Stays as it is: another rhythm is another product.",
    )
    frequency = models.CharField("counted in", max_length=6, choices=_FREQUENCIES, default=Frequency.MONTHS.value)
    min_instalments = models.PositiveSmallIntegerField("fewest instalments", validators=[MinValueValidator(1)])
    max_instalments = models.PositiveSmallIntegerField(
        "most instalments", validators=[MinValueValidator(1), MaxValueValidator(MAX_INSTALMENTS)]
    )
    annual_rate = models.DecimalField(
        "rate (% a year)",
        max_digits=5,
        decimal_places=2,
        validators=_PERCENT,
        help_text="Asked of every score below the lowest band.",
    )
    method = models.CharField(max_length=16, choices=_METHODS, default=Method.EQUAL_INSTALMENT.value)
    day_count = models.CharField(
        max_length=13, choices=[(each.value, each.value) for each in DayCount], default=DayCount.THIRTY_360.value
    )
    fixed_instalment_percent = models.DecimalField(
        "fixed instalment (% of the amount)", max_digits=5, decimal_places=2, null=True, blank=True, validators=_PERCENT
    )
    arrangement_fee_percent = models.DecimalField(
        "arrangement fee (% of the amount)", max_digits=5, decimal_places=2, default=0, validators=_PERCENT
    )
    arrangement_fee_minor = models.BigIntegerField("arrangement fee", default=0, validators=[MinValueValidator(0)])
    instalment_fee_basis = models.CharField(
        "each instalment's fee is", max_length=10, choices=_FEE_BASES, default=FeeBasis.FLAT.value
    )
    instalment_fee_minor = models.BigIntegerField("fee per instalment", default=0, validators=[MinValueValidator(0)])
    instalment_fee_percent = models.DecimalField(
        "fee per instalment (%)", max_digits=5, decimal_places=2, default=0, validators=_PERCENT
    )
    penalty_basis = models.CharField(
        "a late penalty is", max_length=22, choices=_PENALTY_BASES, default=PenaltyBasis.PRINCIPAL_AND_INTEREST.value
    )
    penalty_minor = models.BigIntegerField("late penalty", default=0, validators=[MinValueValidator(0)])
    penalty_percent = models.DecimalField(
        "late penalty (%)", max_digits=5, decimal_places=2, default=0, validators=_PERCENT
    )
    penalty_grace_days = models.PositiveSmallIntegerField(
        "days before a penalty", default=5, validators=[MaxValueValidator(366)]
    )
    principal_grace = models.PositiveSmallIntegerField("first instalments without principal", default=0)
    interest_grace = models.PositiveSmallIntegerField(
        "first instalments without interest", default=0, help_text="It is due with the first instalment after them."
    )
    prepayment = models.CharField(
        "an extra payment means", max_length=18, choices=_PREPAYMENTS, default=Prepayment.REDUCE_TERM.value
    )
    interest_basis = models.CharField("interest is", max_length=7, choices=_BASES, default=InterestBasis.PLANNED.value)
    payoff_interest = models.CharField(
        "paying off costs", max_length=13, choices=_PAYOFFS, default=PayoffInterest.TO_DATE.value
    )
    # The twelve in the order in which a payment is spent on them, as `rules.parsing` reads it.
    allocation = models.JSONField("a payment is spent on", default=default_order, validators=[require_order])
    max_tranches = models.PositiveSmallIntegerField(
        "paid out in at most so many parts",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_TRANCHES)],
        help_text="1: all of it at once.",
    )
    takes_partial = models.BooleanField("collect in part when the account holds less", default=True)
    retries = models.PositiveSmallIntegerField(
        "tries after a due day",
        default=10,
        validators=[MaxValueValidator(90)],
        help_text="When the account held too little. Every due day begins anew.",
    )
    retry_days = models.PositiveSmallIntegerField(
        "days from one try to the next", default=1, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    cooling_off_days = models.PositiveSmallIntegerField(
        "days to withdraw after signing", default=14, validators=[MaxValueValidator(60)]
    )
    is_open = models.BooleanField("open for new applications", default=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="loans_product_kind", condition=Q(kind__in=ProductKind.values)),
            models.CheckConstraint(name="loans_product_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(
                name="loans_product_amounts",
                condition=Q(min_amount_minor__gt=0, max_amount_minor__gte=F("min_amount_minor")),
            ),
            models.CheckConstraint(
                name="loans_product_terms",
                condition=Q(
                    min_instalments__gte=1,
                    max_instalments__gte=F("min_instalments"),
                    max_instalments__lte=MAX_INSTALMENTS,
                    principal_grace__lt=F("min_instalments"),
                    interest_grace__lt=F("min_instalments"),
                ),
                violation_error_message="The limits have to fit each other, and a grace leaves one instalment at least.",
            ),
            models.CheckConstraint(
                name="loans_product_rhythm",
                condition=functools.reduce(
                    operator.or_,
                    (
                        Q(frequency=unit.value, every__gte=1, every__lte=MAX_EVERY)
                        & Q(max_instalments__lte=Value(most) / F("every"))
                        for unit, most in LONGEST.items()
                    ),
                ),
                violation_error_message="A loan runs for a hundred years at most.",
            ),
            models.CheckConstraint(
                name="loans_product_fixed_instalment",
                condition=Q(
                    method=Method.FIXED_INSTALMENT.value,
                    fixed_instalment_percent__isnull=False,
                    fixed_instalment_percent__gt=0,
                )
                | (~Q(method=Method.FIXED_INSTALMENT.value) & Q(fixed_instalment_percent__isnull=True)),
                violation_error_message="A fixed instalment, and only that, needs its share of the amount.",
            ),
            models.CheckConstraint(
                name="loans_product_instalment_fee",
                condition=Q(instalment_fee_basis=FeeBasis.FLAT.value, instalment_fee_percent=0)
                | (
                    Q(instalment_fee_basis__in=[FeeBasis.PRINCIPAL.value, FeeBasis.INSTALMENT.value])
                    & Q(instalment_fee_minor=0, instalment_fee_percent__gt=0)
                ),
                violation_error_message="Give the fee per instalment as an amount or in per cent, as chosen.",
            ),
            models.CheckConstraint(
                name="loans_product_penalty",
                condition=Q(penalty_basis=PenaltyBasis.FLAT.value, penalty_percent=0, penalty_minor__gt=0)
                | (
                    Q(penalty_basis__in=[PenaltyBasis.PRINCIPAL.value, PenaltyBasis.PRINCIPAL_AND_INTEREST.value])
                    & Q(penalty_minor=0)
                ),
                violation_error_message="Give the late penalty as an amount or in per cent, as chosen.",
            ),
            models.CheckConstraint(
                name="loans_product_allocation",
                # All twelve are there, and no more than twelve: each of them once.
                condition=Q(allocation__contains=default_order())
                & Q(
                    Exact(Func("allocation", function="jsonb_array_length", output_field=models.IntegerField()), PLACES)
                ),
            ),
            models.CheckConstraint(
                name="loans_product_retries", condition=Q(retries__lte=90, retry_days__gte=1, retry_days__lte=31)
            ),
            models.CheckConstraint(
                name="loans_product_tranches",
                condition=Q(max_tranches=1)
                | (Q(max_tranches__gte=1, max_tranches__lte=MAX_TRANCHES) & ~Q(method=Method.FLAT.value)),
                violation_error_message="A flat loan is paid out at once.",
            ),
            models.CheckConstraint(
                name="loans_product_charges",
                condition=Q(
                    annual_rate__gte=0,
                    annual_rate__lte=100,
                    arrangement_fee_percent__gte=0,
                    arrangement_fee_percent__lt=100,
                    arrangement_fee_minor__gte=0,
                    instalment_fee_minor__gte=0,
                    penalty_percent__gte=0,
                    penalty_percent__lte=100,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(Frequency(self.frequency), self.every)

    @property
    def term(self) -> str:
        """How long its loans run, such as "6 to 84 months"."""
        return self.rhythm.term_from_to(self.min_instalments, self.max_instalments)

    @property
    def min_amount(self) -> Money:
        return Money(self.min_amount_minor, self.currency)

    @property
    def max_amount(self) -> Money:
        return Money(self.max_amount_minor, self.currency)

    @property
    def arrangement_fee(self) -> Money:
        """What is charged beside the percentage."""
        return Money(self.arrangement_fee_minor, self.currency)

    @property
    def instalment_fee(self) -> Money:
        return Money(self.instalment_fee_minor, self.currency)

    @property
    def penalty(self) -> Money:
        return Money(self.penalty_minor, self.currency)


class RateBand(models.Model):
    """The rate of a product from this score on; below the lowest band the product's own rate holds."""

    product = models.ForeignKey(LoanProduct, on_delete=models.CASCADE, related_name="bands")
    min_score = models.PositiveSmallIntegerField()
    annual_rate = models.DecimalField("rate (% a year)", max_digits=5, decimal_places=2, validators=_PERCENT)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["product", "min_score"], name="loans_rateband_once"),
            models.CheckConstraint(name="loans_rateband_rate", condition=Q(annual_rate__gte=0, annual_rate__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} from {self.min_score}: {self.annual_rate} %"


class Policy(models.Model):
    """By which limits applications are decided. Never changed: a new version replaces the last one."""

    version = models.PositiveIntegerField(primary_key=True)
    approve_from_score = models.PositiveSmallIntegerField("approve from this score", default=70)
    refer_from_score = models.PositiveSmallIntegerField("refer from this score, decline below", default=40)
    approve_up_to_minor = models.BigIntegerField("approve by itself up to", default=25_000_00)
    second_officer_above_minor = models.BigIntegerField("a second officer above", default=50_000_00)
    approve_up_to_burden = models.PositiveSmallIntegerField("approve up to this burden (% of income)", default=40)
    decline_above_burden = models.PositiveSmallIntegerField("decline above this burden (% of income)", default=60)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "policies"
        constraints = [
            models.CheckConstraint(
                name="loans_policy_limits",
                condition=Q(
                    refer_from_score__lte=F("approve_from_score"),
                    approve_from_score__lte=100,
                    approve_up_to_burden__lte=F("decline_above_burden"),
                    approve_up_to_minor__gte=0,
                    second_officer_above_minor__gte=0,
                ),
            ),
        ]
        triggers = [pgtrigger.Protect(name="policy_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Policy {self.version}"


class Bucket(models.Model):
    """How late a loan is: from so many days past due, what is set aside for it, and how the customer is told."""

    from_days = models.PositiveSmallIntegerField(primary_key=True)
    name = models.CharField(max_length=30)
    provision_percent = models.DecimalField(max_digits=5, decimal_places=2, validators=_PERCENT)
    told = models.CharField("what the customer reads", max_length=200)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="loans_bucket_percent", condition=Q(provision_percent__gte=0, provision_percent__lte=100)
            )
        ]

    def __str__(self) -> str:
        return self.name
