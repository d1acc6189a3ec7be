"""Periods that can be compared with each other; all half-open [since, until), UTC days."""

from __future__ import annotations

from datetime import date, timedelta


def month_to_date(today: date) -> tuple[date, date]:
    """From the first of the month to today, today included."""
    return today.replace(day=1), today + timedelta(days=1)


def same_days_of_last_month(since: date, until: date) -> tuple[date, date]:
    """As many days from the first of the month before `since`, at most all of that month's."""
    first = (since - timedelta(days=1)).replace(day=1)
    return first, min(first + (until - since), since)
