"""Time's work that belongs to no single app."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from bankportal import end_of_day as days


@shared_task(name="bankportal.tasks.end_of_day", ignore_result=True)  # type: ignore[untyped-decorator,unused-ignore]
def end_of_day(**_: Any) -> None:
    """Go on with what is open and begin what is due; safe to run twice or at once."""
    days.run_due(now=timezone.now())
