"""The periods of a loan: from when to when, and the exact share of the rate that each of them earns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from loans.rules import calendar
from loans.rules.amounts import Factor, divide_to
from loans.rules.calendar import DayCount, Frequency
from loans.rules.terms import AnnuityRate, Disbursement, SegmentRounding, Terms

# A balance in minor units, and the factor of the days it stood.
Span = tuple[int, Factor]


@dataclass(frozen=True, slots=True)
class Periods:
    """Period k runs from `starts[k]` to `dues[k]`, `days[k]` long, and earns `factors[k]` of the balance."""

    starts: tuple[date, ...]
    dues: tuple[date, ...]
    days: tuple[int, ...]
    factors: tuple[Factor, ...]


def periods_of(terms: Terms) -> Periods:
    dues = terms.due_dates
    starts, days = _spans(terms.start_date, dues)
    regular = dues[0] == calendar.step(
        terms.start_date, terms.frequency, terms.every, terms.seed_day or terms.start_date.day
    ) and calendar.is_seeded(terms.start_date, terms.seed_day)
    return Periods(starts=starts, dues=dues, days=days, factors=_factors(terms, starts, dues, regular))


@lru_cache(maxsize=1024)
def _spans(start: date, dues: tuple[date, ...]) -> tuple[tuple[date, ...], tuple[int, ...]]:
    """First day and length of each period. Loans that fall due on the same days share the answer."""
    starts = (start, *dues[:-1])
    return starts, tuple((due - since).days for since, due in zip(starts, dues, strict=True))


def _factors(
    terms: Terms, starts: tuple[date, ...], dues: tuple[date, ...], first_is_regular: bool
) -> tuple[Factor, ...]:
    rate, count = terms.rate, len(dues)
    if terms.day_count is DayCount.THIRTY_360 and terms.frequency is Frequency.MONTHS:
        whole = (rate[0] * terms.every, rate[1] * 12)
        first = whole if first_is_regular else calendar.thirty_factor(rate=rate, from_date=starts[0], due_date=dues[0])
        return (first, *(whole,) * (count - 1))
    return tuple(
        calendar.days_factor(rate=rate, day_count=terms.day_count, from_date=start, due_date=due)
        for start, due in zip(starts, dues, strict=True)
    )


def annuity_factors(terms: Terms, factors: Sequence[Factor], *, rate: Factor | None = None) -> Sequence[Factor]:
    """The period rates behind the equal instalment, one for each of `factors`, as `terms.annuity_rate` says."""
    rate = rate or terms.rate
    if terms.annuity_rate is AnnuityRate.ACTUAL_PERIODS:
        return factors
    if terms.annuity_rate is AnnuityRate.TWELFTH:
        one = calendar.twelfth_factor(rate=rate, frequency=terms.frequency, every=terms.every)
    else:
        one = calendar.nominal_factor(
            rate=rate, day_count=terms.day_count, frequency=terms.frequency, every=terms.every
        )
    return (one,) * len(factors)


def span_factor(terms: Terms, periods: Periods, index: int, from_date: date, to_date: date) -> Factor:
    """The share of period `index` between two of its dates; 30/360 divides it by its actual days."""
    if terms.day_count is not DayCount.THIRTY_360:
        return calendar.days_factor(rate=terms.rate, day_count=terms.day_count, from_date=from_date, due_date=to_date)
    whole, length = periods.factors[index], (periods.dues[index] - periods.starts[index]).days
    return whole[0] * (to_date - from_date).days, whole[1] * length


def interest_of(terms: Terms, spans: Sequence[Span]) -> int:
    """Interest on (balance, factor) spans in minor units, rounded per span or over all as the terms say."""
    multiple, rounding = terms.amount_multiple_minor, terms.interest_rounding
    if terms.segment_rounding is SegmentRounding.EACH or len(spans) < 2:
        return sum(
            divide_to(balance * share[0], share[1], multiple=multiple, rounding=rounding) for balance, share in spans
        )
    numerator, denominator = total_of(spans)
    return divide_to(numerator, denominator, multiple=multiple, rounding=rounding)


def total_of(spans: Sequence[Span]) -> Factor:
    """The interest of spans exactly, as a ratio of minor units."""
    numerator, denominator = 0, 1
    for balance, share in spans:
        numerator = numerator * share[1] + balance * share[0] * denominator
        denominator *= share[1]
    return numerator, denominator


def tranche_periods(terms: Terms, periods: Periods) -> dict[int, tuple[Disbursement, ...]]:
    """The disbursements that fall into each period, from its first day (included) to its due date (not included)."""
    found: dict[int, tuple[Disbursement, ...]] = {}
    index = 0
    for part in terms.disbursements:
        while part.on >= periods.dues[index]:
            index += 1
        found[index] = (*found.get(index, ()), part)
    return found
