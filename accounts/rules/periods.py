"""The periods of statements: half-open days in UTC, and the choices that people are offered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from accounts.errors import PeriodNotAllowed

LONGEST = timedelta(days=366)
EARLIEST_DAY = date(2000, 1, 1)


class Choice(StrEnum):
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    THIS_QUARTER = "this-quarter"
    LAST_QUARTER = "last-quarter"
    THIS_YEAR = "this-year"
    LAST_YEAR = "last-year"


@dataclass(frozen=True, slots=True)
class Period:
    """[since, until): `until` is the day after the last one."""

    since: date
    until: date

    @property
    def last_day(self) -> date:
        return self.until - timedelta(days=1)

    @property
    def is_month(self) -> bool:
        """Whether it is exactly one calendar month."""
        return self.since.day == 1 and self.until == first_of_next_month(self.since)


def from_days(first: date, last: date, *, today: date) -> Period:
    """The period of two days, both included.

    Raises PeriodNotAllowed: backward, longer than 366 days, before 2000, or after today.
    """
    if first > today:
        raise PeriodNotAllowed(
            "A statement cannot start in the future.", field="since", data={"reason": "future", "today": str(today)}
        )
    if first > last:
        raise PeriodNotAllowed(
            "The first day lies after the last day. Swap them.", field="until", data={"reason": "backward"}
        )
    if last > today:
        raise PeriodNotAllowed(
            "A statement ends today at the latest.", field="until", data={"reason": "future", "today": str(today)}
        )
    if first < EARLIEST_DAY:
        raise PeriodNotAllowed("Statements start in the year 2000.", field="since", data={"reason": "too_early"})
    period = Period(first, last + timedelta(days=1))
    if period.until - period.since > LONGEST:
        raise PeriodNotAllowed(
            f"A statement covers at most {LONGEST.days} days. Choose a shorter period.",
            field="until",
            data={"reason": "too_long", "longest_days": LONGEST.days},
        )
    return period


def chosen(choice: Choice, *, today: date) -> Period:
    """The period of a choice; one that still runs ends with today."""
    tomorrow = today + timedelta(days=1)
    month = today.replace(day=1)
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    match choice:
        case Choice.THIS_MONTH:
            return Period(month, tomorrow)
        case Choice.LAST_MONTH:
            return Period(_months_before(month, 1), month)
        case Choice.THIS_QUARTER:
            return Period(quarter, tomorrow)
        case Choice.LAST_QUARTER:
            return Period(_months_before(quarter, 3), quarter)
        case Choice.THIS_YEAR:
            return Period(date(today.year, 1, 1), tomorrow)
        case Choice.LAST_YEAR:
            return Period(date(today.year - 1, 1, 1), date(today.year, 1, 1))


def first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def months(first: date, until: date) -> Iterator[date]:
    """The first days of the months from that of `first` up to, not including, that of `until`."""
    month, end = first.replace(day=1), until.replace(day=1)
    while month < end:
        yield month
        month = first_of_next_month(month)


def month_of(text: str) -> date | None:
    """The first day of a month written `2026-10`; None when it is none."""
    year, dash, number = text.partition("-")
    digits = text.isascii() and len(year) == 4 and len(number) == 2 and dash and (year + number).isdigit()
    if not digits or not (1 <= int(number) <= 12 and int(year) >= EARLIEST_DAY.year):
        return None
    return date(int(year), int(number), 1)


def _months_before(day: date, count: int) -> date:
    index = day.year * 12 + day.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)
