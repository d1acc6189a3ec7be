"""What was agreed: every choice that a schedule depends on, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from loans.errors import InvalidTerms
from loans.rules import calendar
from loans.rules.amounts import Factor, Rounding
from loans.rules.calendar import DayCount, Frequency

MAX_INSTALMENTS = 1200
MAX_EVERY = 366
MAX_RATE = Decimal(1000)


class Method(StrEnum):
    FLAT = "FLAT"
    EQUAL_INSTALMENT = "EQUAL_INSTALMENT"
    EQUAL_PRINCIPAL = "EQUAL_PRINCIPAL"
    FIXED_INSTALMENT = "FIXED_INSTALMENT"


class AnnuityRate(StrEnum):
    """Which period rate the instalment is computed from; the interest of a row always follows the day count."""

    TWELFTH = "TWELFTH"
    NOMINAL_DAYS = "NOMINAL_DAYS"
    ACTUAL_PERIODS = "ACTUAL_PERIODS"


class SegmentRounding(StrEnum):
    """Interest of a period whose balance changes midway: rounded per part, or once over the period."""

    EACH = "EACH"
    PERIOD = "PERIOD"


class FeeTiming(StrEnum):
    DISBURSEMENT = "DISBURSEMENT"
    INSTALMENT = "INSTALMENT"


class FeeBasis(StrEnum):
    FLAT = "FLAT"
    PRINCIPAL = "PRINCIPAL"
    INSTALMENT = "INSTALMENT"


class PenaltyBasis(StrEnum):
    FLAT = "FLAT"
    PRINCIPAL = "PRINCIPAL"
    PRINCIPAL_AND_INTEREST = "PRINCIPAL_AND_INTEREST"


class Prepayment(StrEnum):
    """What an excess payment does: smaller instalments, fewer of them, or the next ones paid in advance."""

    REDUCE_INSTALMENT = "REDUCE_INSTALMENT"
    REDUCE_TERM = "REDUCE_TERM"
    NEXT_INSTALMENTS = "NEXT_INSTALMENTS"


class InterestBasis(StrEnum):
    """PLANNED: as the plan says, however late a payment is. ACTUAL: on what is owed each day, the overdue included."""

    PLANNED = "PLANNED"
    ACTUAL = "ACTUAL"


class PayoffInterest(StrEnum):
    TO_DATE = "TO_DATE"
    TO_PERIOD_END = "TO_PERIOD_END"


class When(StrEnum):
    PAST_DUE = "PAST_DUE"
    DUE = "DUE"
    IN_ADVANCE = "IN_ADVANCE"


class Part(StrEnum):
    PENALTY = "PENALTY"
    FEE = "FEE"
    PRINCIPAL = "PRINCIPAL"
    INTEREST = "INTEREST"


Bucket = tuple[When, Part]
_PARTS = (Part.PENALTY, Part.FEE, Part.INTEREST, Part.PRINCIPAL)
DEFAULT_ALLOCATION: tuple[Bucket, ...] = tuple((when, part) for when in When for part in _PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursement:
    on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """Either `amount_minor` (FLAT) or `percent` of the basis."""

    timing: FeeTiming
    basis: FeeBasis
    amount_minor: int = 0
    percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """Charged once for each instalment not paid `grace_days` after its due date."""

    basis: PenaltyBasis
    amount_minor: int = 0
    percent: Decimal = Decimal(0)
    grace_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of one loan. Amounts are minor units of `currency`, `annual_rate` is per cent a year.

    Raises InvalidTerms, naming the field, for terms that cannot make a schedule. Each field: docs/loans.md.
    """

    disbursements: tuple[Disbursement, ...]
    method: Method
    annual_rate: Decimal
    instalments: int
    currency: str = "EUR"
    frequency: Frequency = Frequency.MONTHS
    every: int = 1
    first_due_date: date | None = None
    seed_day: int | None = None
    day_count: DayCount = DayCount.THIRTY_360
    interest_rounding: Rounding = Rounding.HALF_EVEN
    segment_rounding: SegmentRounding = SegmentRounding.EACH
    amount_multiple_minor: int = 1
    instalment_multiple_minor: int | None = None
    instalment_rounding: Rounding = Rounding.HALF_EVEN
    instalment_amount_minor: int | None = None
    annuity_rate: AnnuityRate = AnnuityRate.TWELFTH
    principal_grace: int = 0
    interest_grace: int = 0
    fees: tuple[Fee, ...] = ()
    penalty: Penalty | None = None
    prepayment: Prepayment = Prepayment.NEXT_INSTALMENTS
    interest_basis: InterestBasis = InterestBasis.PLANNED
    payoff_interest: PayoffInterest = PayoffInterest.TO_DATE
    allocation: tuple[Bucket, ...] = field(default=DEFAULT_ALLOCATION)

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_dates(self)
        _check_method(self)
        _check_charges(self)
        if sorted(self.allocation) != sorted(DEFAULT_ALLOCATION):
            raise InvalidTerms("The allocation order names each of the twelve buckets once.", field="allocation")

    @property
    def start_date(self) -> date:
        return self.disbursements[0].on

    @property
    def principal_minor(self) -> int:
        return sum(part.amount_minor for part in self.disbursements)

    @property
    def rate(self) -> Factor:
        """The yearly rate as an exact ratio."""
        return calendar.percent_ratio(self.annual_rate)

    @property
    def due_dates(self) -> tuple[date, ...]:
        return calendar.due_dates(
            start=self.start_date,
            first_due=self.first_due_date,
            seed_day=self.seed_day,
            frequency=self.frequency,
            every=self.every,
            count=self.instalments,
        )


def _require(held: bool, field_name: str, message: str) -> None:
    if not held:
        raise InvalidTerms(message, field=field_name)


def _check_numbers(terms: Terms) -> None:
    _require(bool(terms.disbursements), "disbursements", "A loan needs at least one disbursement.")
    for index, part in enumerate(terms.disbursements):
        _require(part.amount_minor > 0, f"disbursements[{index}].amount", "Enter an amount above zero.")
    rate = terms.annual_rate
    _require(rate.is_finite(), "annual_rate", "Enter a rate such as 7.5.")
    _require(0 <= rate <= MAX_RATE, "annual_rate", f"The rate is between 0 and {MAX_RATE} per cent a year.")
    count = terms.instalments
    _require(0 < count <= MAX_INSTALMENTS, "instalments", f"A loan has between 1 and {MAX_INSTALMENTS} instalments.")
    _require(1 <= terms.every <= MAX_EVERY, "every", f"Instalments come every 1 to {MAX_EVERY} days, weeks or months.")
    _require(terms.amount_multiple_minor > 0, "amount_multiple", "Enter a multiple above zero.")
    multiple = terms.instalment_multiple_minor
    _require(multiple is None or multiple > 0, "instalment_multiple", "Enter a multiple above zero.")
    for name in ("principal_grace", "interest_grace"):
        grace = getattr(terms, name)
        _require(0 <= grace < count, name, "The grace is not negative and leaves one instalment at least.")
    held = terms.interest_rounding is not Rounding.CEILING
    _require(held, "interest_rounding", "Interest is rounded HALF_EVEN or HALF_UP.")


def _check_dates(terms: Terms) -> None:
    days = [part.on for part in terms.disbursements]
    _require(days == sorted(days), "disbursements", "The disbursements come in the order of their dates.")
    first = terms.first_due_date
    if first is not None:
        _require(first > terms.start_date, "first_due_date", "The first due date is after the first disbursement.")
    if terms.seed_day is not None:
        _require(terms.frequency is Frequency.MONTHS, "seed_day", "A day of the month goes with monthly instalments.")
        _require(1 <= terms.seed_day <= 31, "seed_day", "A day of the month is between 1 and 31.")
    try:
        due = terms.due_dates
    except (ValueError, OverflowError):
        raise InvalidTerms("The last instalment would come after the year 9999.", field="instalments") from None
    _require(due[0] > terms.start_date, "first_due_date", "The first due date is after the first disbursement.")
    _require(days[-1] < due[-1], "disbursements", "The last disbursement is before the last due date.")


def _check_method(terms: Terms) -> None:
    fixed = terms.method is Method.FIXED_INSTALMENT
    amount = terms.instalment_amount_minor
    _require(fixed or amount is None, "instalment_amount", "Only FIXED_INSTALMENT takes an instalment amount.")
    _require(not fixed or amount is not None, "instalment_amount", "FIXED_INSTALMENT needs the instalment's amount.")
    _require(amount is None or amount > 0, "instalment_amount", "Enter an amount above zero.")
    flat = terms.method is Method.FLAT
    several = len(terms.disbursements) > 1
    _require(not (flat and several), "disbursements", "FLAT interest is on one disbursement.")


def _check_charges(terms: Terms) -> None:
    for index, fee in enumerate(terms.fees):
        _check_charge(f"fees[{index}]", fee.basis is FeeBasis.FLAT, fee.amount_minor, fee.percent)
        at_once = fee.timing is FeeTiming.DISBURSEMENT
        fits = not (at_once and fee.basis is FeeBasis.INSTALMENT)
        _require(fits, f"fees[{index}].basis", "A fee at disbursement is FLAT or a percentage of the PRINCIPAL.")
    if terms.penalty is not None:
        late = terms.penalty
        _check_charge("penalty", late.basis is PenaltyBasis.FLAT, late.amount_minor, late.percent)
        _require(0 <= late.grace_days <= 366, "penalty.grace_days", "The grace is between 0 and 366 days.")


def _check_charge(name: str, flat: bool, amount_minor: int, percent: Decimal) -> None:
    if flat:
        _require(amount_minor > 0, f"{name}.amount", "Enter an amount above zero.")
        _require(not percent, f"{name}.percent", "A flat charge has no percentage.")
    else:
        _require(
            percent.is_finite() and 0 < percent <= 100, f"{name}.percent", "Enter a percentage from above 0 to 100."
        )
        _require(not amount_minor, f"{name}.amount", "A percentage has no amount.")
