"""Due dates, and what share of a year lies between two dates."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from loans.rules.amounts import Factor


class Frequency(StrEnum):
    MONTHS = "MONTHS"
    WEEKS = "WEEKS"
    DAYS = "DAYS"


class DayCount(StrEnum):
    THIRTY_360 = "30/360"
    ACTUAL_365 = "ACTUAL/365"
    ACTUAL_360 = "ACTUAL/360"
    ACTUAL_364 = "ACTUAL/364"
    ACTUAL_ACTUAL = "ACTUAL/ACTUAL"


YEAR_DAYS = {
    DayCount.THIRTY_360: 360,
    DayCount.ACTUAL_365: 365,
    DayCount.ACTUAL_360: 360,
    DayCount.ACTUAL_364: 364,
}
NOMINAL_DAYS = {Frequency.MONTHS: 30, Frequency.WEEKS: 7, Frequency.DAYS: 1}


def add_months(day: date, months: int, seed_day: int) -> date:
    """The date `months` later on `seed_day`, or on the month's last day where it has fewer."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(seed_day, calendar.monthrange(year, month + 1)[1]))


def step(day: date, frequency: Frequency, periods: int, seed_day: int) -> date:
    """The date `periods` days, weeks or months later; the seed day only matters to months."""
    if frequency is Frequency.MONTHS:
        return add_months(day, periods, seed_day)
    return day + timedelta(days=periods * NOMINAL_DAYS[frequency])


def seed_of(*, start: date, first_due: date | None, seed_day: int | None, frequency: Frequency, every: int) -> int:
    """The day of the month that the due dates return to."""
    if seed_day is not None:
        return seed_day
    return start.day if first_due in (None, step(start, frequency, every, start.day)) else first_due.day


def is_seeded(start: date, seed_day: int | None) -> bool:
    """Whether a loan that starts on a day has whole months between seed days: on the seed, or a short month's last day."""
    if seed_day is None:
        return True
    return start.day == min(seed_day, calendar.monthrange(start.year, start.month)[1])


@lru_cache(maxsize=1024)
def due_dates(
    *, start: date, first_due: date | None, seed_day: int | None, frequency: Frequency, every: int, count: int
) -> tuple[date, ...]:
    """`count` due dates. The seed day survives shorter months: 31 January, 28 February, 31 March.

    Unless told, the seed is the day of the disbursement, or that of a first due date which does not follow from it.
    Loans that start on one day share the answer. Raises ValueError or OverflowError beyond the year 9999.
    """
    seed = seed_of(start=start, first_due=first_due, seed_day=seed_day, frequency=frequency, every=every)
    first = first_due or step(start, frequency, every, seed)
    return tuple(step(first, frequency, every * index, seed) for index in range(count))


def thirty_days(from_date: date, due_date: date) -> int:
    """Days between two dates when each month has thirty: 30E/360, ISDA 2006 definitions, 4.16 (g)."""
    months = (due_date.year - from_date.year) * 12 + due_date.month - from_date.month
    return months * 30 + min(due_date.day, 30) - min(from_date.day, 30)


def percent_ratio(percent: Decimal) -> Factor:
    """A percentage as an exact ratio: 7.5 is 75 / 1000 in lowest terms."""
    numerator, denominator = percent.as_integer_ratio()
    return numerator, denominator * 100


def days_factor(*, rate: Factor, day_count: DayCount, from_date: date, due_date: date) -> Factor:
    """Rate times the share of a year from one date to another, exactly.

    ACTUAL/ACTUAL divides each day by the length of the calendar year in which it ends: the night of 31 December earns a
    day of the new year, as in Fineract's progressive engine (ISDA 2006, 4.16 (b), has it in the old one).
    """
    numerator, denominator = rate
    if day_count is DayCount.ACTUAL_ACTUAL:
        common, leap = _days_by_year(from_date, due_date)
        return numerator * (common * 366 + leap * 365), denominator * 365 * 366
    return numerator * (due_date - from_date).days, denominator * YEAR_DAYS[day_count]


def thirty_factor(*, rate: Factor, from_date: date, due_date: date) -> Factor:
    """Rate times a broken period in months of thirty days."""
    return rate[0] * max(thirty_days(from_date, due_date), 0), rate[1] * 360


def nominal_factor(*, rate: Factor, day_count: DayCount, frequency: Frequency, every: int) -> Factor:
    """Rate times a period of nominal length: months of 30 days over the day count's year (365 for ACTUAL/ACTUAL)."""
    days = NOMINAL_DAYS[frequency] * every
    return rate[0] * days, rate[1] * YEAR_DAYS.get(day_count, 365)


def twelfth_factor(*, rate: Factor, frequency: Frequency, every: int) -> Factor:
    """Rate times a twelfth of the year for each month; a week is 1/52 of it, a day 1/365."""
    per_year = {Frequency.MONTHS: 12, Frequency.WEEKS: 52, Frequency.DAYS: 365}[frequency]
    return rate[0] * every, rate[1] * per_year


def _days_by_year(from_date: date, due_date: date) -> tuple[int, int]:
    """Days of the span that end in common years and in leap years."""
    counted = {False: 0, True: 0}
    day = from_date
    while day < due_date:
        following = day + timedelta(days=1)
        end = min(due_date, date(following.year, 12, 31))
        counted[calendar.isleap(following.year)] += (end - day).days
        day = end
    return counted[False], counted[True]
