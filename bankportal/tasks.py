"""Time's work that belongs to no single app."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from bankportal import end_of_day as days
from bankportal import retention as keeping


@shared_task(name="bankportal.tasks.end_of_day", ignore_result=True)  # type: ignore[untyped-decorator,unused-ignore]
def end_of_day(**_: Any) -> None:
    """Go on with what is open and begin what is due; safe to run twice or at once."""
    days.run_due(now=timezone.now())


@shared_task(name="bankportal.tasks.retention", ignore_result=True)  # type: ignore[untyped-decorator,unused-ignore]
def retention(**_: Any) -> None:
    """Delete what has been kept long enough; safe to run twice or at once."""
    keeping.run(now=timezone.now())
