"""On which days the bank tries to collect what is overdue."""

from __future__ import annotations

# Every day for ten days, then once a week: an account that is empty for long is not asked each night.
DAILY_FOR, THEN_EVERY = 10, 7


def tries_on(days_late: int) -> bool:
    """Whether the bank tries so many days after the oldest unpaid due date."""
    return 0 <= days_late <= DAILY_FOR or (days_late > DAILY_FOR and days_late % THEN_EVERY == 0)
