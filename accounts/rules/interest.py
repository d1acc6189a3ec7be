"""Interest on daily balances, exact until it is posted.

Simple interest for a day is balance x rate x the day's share of a year. Compounding adds what has accrued to the balance
that earns: at the end of each day, or of each full run of months since the first day. Fineract's savings engine
does the same, and its figures are this module's tests. Everything is a fraction until `rounded`, the one rounding.

The shares of a year follow ISDA 2006 Definitions, section 4.16: Actual/365 (Fixed) (d), Actual/360 (e), Actual/Actual (b)
and 30E/360 (g). Each is a sum over days, so a period may be cut anywhere without changing its interest.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class DayCount(StrEnum):
    ACTUAL_365 = "ACT/365"
    ACTUAL_360 = "ACT/360"
    ACTUAL_ACTUAL = "ACT/ACT"
    THIRTY_360 = "30E/360"


class Compounding(StrEnum):
    """When accrued interest begins to earn itself. NONE: only when it is posted and part of the balance."""

    NONE = "NONE"
    DAILY = "DAILY"
    MONTHLY = "MONTHLY"
    QUARTERLY = "QUARTERLY"
    HALF_YEARLY = "HALF_YEARLY"
    YEARLY = "YEARLY"


MONTHS = {
    Compounding.MONTHLY: 1,
    Compounding.QUARTERLY: 3,
    Compounding.HALF_YEARLY: 6,
    Compounding.YEARLY: 12,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """`rate`: per cent a year."""

    rate: Decimal
    day_count: DayCount = DayCount.ACTUAL_365
    compounding: Compounding = Compounding.NONE


def share_of_year(day: date, day_count: DayCount) -> Fraction:
    """The part of a year that the night after `day` counts for."""
    if day_count is DayCount.ACTUAL_365:
        return Fraction(1, 365)
    if day_count is DayCount.ACTUAL_360:
        return Fraction(1, 360)
    if day_count is DayCount.ACTUAL_ACTUAL:
        return Fraction(1, 366 if isleap(day.year) else 365)
    return Fraction(_thirty_day_number(day + timedelta(days=1)) - _thirty_day_number(day), 360)


def interest(balances: Iterable[tuple[date, Decimal | int]], terms: Terms) -> Fraction:
    """What these closing balances of consecutive days earn, in their own unit, exact.

    Balances are above or at zero (for an overdraft, what is owed). Months of compounding count from the first day; what
    has accrued since the last full run of months has not begun to earn.
    """
    rate = Fraction(terms.rate) / 100
    earning = accrued = Fraction(0)
    first: date | None = None
    turn: date | None = None
    runs = 0
    for day, balance in balances:
        if first is None:
            first = day
            turn = _turn(first, terms.compounding, runs := 1)
        if turn is not None and day >= turn:
            earning += accrued
            accrued = Fraction(0)
            turn = _turn(first, terms.compounding, runs := runs + 1)
        accrued += (Fraction(balance) + earning) * rate * share_of_year(day, terms.day_count)
        if terms.compounding is Compounding.DAILY:
            earning += accrued
            accrued = Fraction(0)
    return earning + accrued


def rounded(exact: Fraction, *, places: int = 0) -> Decimal:
    """Half to even at `places` decimals. Balances in minor units are rounded to none."""
    scale = 10**places
    return Decimal(round(exact * scale)).scaleb(-places)


def _turn(first: date, compounding: Compounding, runs: int) -> date | None:
    """The day on which the interest of the first `runs` runs of months begins to earn."""
    months = MONTHS.get(compounding)
    return _months_later(first, months * runs) if months is not None else None


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last day when it has none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    beyond = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), beyond - timedelta(days=1))


def _thirty_day_number(day: date) -> int:
    """Days on a calendar of twelve months of thirty days; a 31st is the 30th."""
    return day.year * 360 + day.month * 30 + min(day.day, 30)
