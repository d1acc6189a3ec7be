"""What `bench_loans` measures of the end of day: each step of the loans' part, on the days that matter."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from loans import services, verification
from loans.management import portfolio
from loans.models import Loan

# Days of the month, and what is due on them: every loan of the portfolio falls due on the same day.
DAYS = {
    "reminders": portfolio.DUE_DAY - 3,
    "a quiet day": portfolio.DUE_DAY - 1,
    "every loan due": portfolio.DUE_DAY,
}
_STEPS: dict[str, Callable[..., services.Done]] = {
    "collection": services.collect,
    "accrual": services.accrue,
    "lateness": services.classify,
    "reminders": services.remind,
}


class BookBroken(Exception):
    """A loan was left out, or the loan book does not equal the ledger after what was measured; the text says where."""


def measure(*, count: int, month: date) -> dict[str, Any]:
    """Bring the portfolio to `count` active loans and run the end of the days of `month` (its first day is given).

    Returns seconds for each kind of day and step. Raises BookBroken.
    """
    more = count - Loan.objects.filter(status=Loan.Status.ACTIVE).count()
    eve = month.replace(day=DAYS["reminders"] - 1)
    started = time.perf_counter()
    portfolio.build(count=more, as_of=eve, name=f"b{count}")
    built = time.perf_counter() - started
    # What older loans were not told since their last day, and what is set aside for new ones.
    _night(eve)
    days = {kind: _night(month.replace(day=number)) for kind, number in DAYS.items()}
    started = time.perf_counter()
    problems = [str(each) for each in verification.verify(replayed=False)]
    if problems:
        raise BookBroken("; ".join(problems[:5]))
    return {
        "loans": Loan.objects.filter(status=Loan.Status.ACTIVE).count(),
        "built_seconds": round(built, 1),
        "check_seconds": round(time.perf_counter() - started, 2),
        "days": days,
    }


def _night(day: date) -> dict[str, float]:
    """Seconds of each step, and together."""
    now = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=UTC) + timedelta(hours=1)
    took: dict[str, float] = {}
    for name, step in _STEPS.items():
        started = time.perf_counter()
        done = step(day=day, now=now)
        took[name] = round(time.perf_counter() - started, 2)
        if done.failed:
            raise BookBroken(f"{name} of {day}: {done}")
    if left := Loan.objects.filter(status=Loan.Status.ACTIVE, accrued_to__lt=day).count():
        raise BookBroken(f"{left} loans did not have their day, {day}")
    return took | {"together": round(sum(took.values()), 2)}
