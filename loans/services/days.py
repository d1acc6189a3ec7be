"""Which day it is for the bank."""

from __future__ import annotations

from datetime import UTC, date, datetime


def day_of(now: datetime) -> date:
    """The bank's day, UTC."""
    return now.astimezone(UTC).date()
