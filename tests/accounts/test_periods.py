"""The days of statements: what people can choose, what is refused, and why."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.errors import PeriodNotAllowed
from accounts.rules import periods
from accounts.rules.periods import Choice, Period

TODAY = date(2026, 5, 17)


@pytest.mark.parametrize(
    ("choice", "first", "last"),
    [
        (Choice.THIS_MONTH, "2026-05-01", "2026-05-17"),
        (Choice.LAST_MONTH, "2026-04-01", "2026-04-30"),
        (Choice.THIS_QUARTER, "2026-04-01", "2026-05-17"),
        (Choice.LAST_QUARTER, "2026-01-01", "2026-03-31"),
        (Choice.THIS_YEAR, "2026-01-01", "2026-05-17"),
        (Choice.LAST_YEAR, "2025-01-01", "2025-12-31"),
    ],
)
def test_usual_periods(choice: Choice, first: str, last: str) -> None:
    period = periods.chosen(choice, today=TODAY)
    assert (period.since.isoformat(), period.last_day.isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("today", "choice", "first", "last"),
    [
        (date(2026, 1, 1), Choice.LAST_MONTH, "2025-12-01", "2025-12-31"),
        (date(2026, 1, 1), Choice.LAST_QUARTER, "2025-10-01", "2025-12-31"),
        (date(2024, 3, 31), Choice.LAST_MONTH, "2024-02-01", "2024-02-29"),
        (date(2026, 12, 31), Choice.THIS_QUARTER, "2026-10-01", "2026-12-31"),
    ],
)
def test_usual_periods_at_the_edges_of_years(today: date, choice: Choice, first: str, last: str) -> None:
    period = periods.chosen(choice, today=today)
    assert (period.since.isoformat(), period.last_day.isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("first", "last", "reason", "field"),
    [
        (date(2026, 5, 2), date(2026, 5, 1), "backward", "until"),
        (date(2026, 5, 1), date(2026, 5, 18), "future", "until"),
        (date(2026, 5, 18), date(2026, 5, 17), "future", "since"),
        (date(2025, 5, 16), date(2026, 5, 17), "too_long", "until"),
        (date(1999, 12, 31), date(2000, 1, 1), "too_early", "since"),
        (date.max, date.max, "future", "since"),
        (date.min, date.min, "too_early", "since"),
    ],
)
def test_says_what_is_wrong_with_a_period(first: date, last: date, reason: str, field: str) -> None:
    with pytest.raises(PeriodNotAllowed) as caught:
        periods.from_days(first, last, today=TODAY)
    assert (caught.value.data["reason"], caught.value.field) == (reason, field)


def test_the_longest_period_and_a_single_day_are_fine() -> None:
    assert periods.from_days(date(2025, 5, 17), TODAY, today=TODAY) == Period(date(2025, 5, 17), date(2026, 5, 18))
    assert periods.from_days(TODAY, TODAY, today=TODAY).last_day == TODAY
    leap = periods.from_days(date(2024, 1, 1), date(2024, 12, 31), today=TODAY)
    assert (leap.until - leap.since).days == 366


@pytest.mark.parametrize(
    ("period", "is_month"),
    [
        (Period(date(2024, 2, 1), date(2024, 3, 1)), True),
        (Period(date(2025, 12, 1), date(2026, 1, 1)), True),
        (Period(date(2026, 2, 1), date(2026, 2, 28)), False),
        (Period(date(2026, 2, 2), date(2026, 3, 1)), False),
    ],
)
def test_knows_a_calendar_month(period: Period, is_month: bool) -> None:
    assert period.is_month is is_month


def test_walks_months_over_a_year() -> None:
    walked = [month.isoformat() for month in periods.months(date(2025, 11, 30), date(2026, 2, 1))]
    assert walked == ["2025-11-01", "2025-12-01", "2026-01-01"]


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "1999-12", "26-01", "2026-1", "2026/01", "٢٠٢٦-01", "", "2026-01-01"]
)
def test_refuses_what_is_no_month(text: str) -> None:
    assert periods.month_of(text) is None


def test_reads_a_month() -> None:
    assert periods.month_of("2026-02") == date(2026, 2, 1)
