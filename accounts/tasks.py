"""Time's work on accounts: monthly statements."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts import services


@shared_task(name="accounts.tasks.issue_statements", ignore_result=True)  # type: ignore[untyped-decorator,unused-ignore]
def issue_statements(**_: Any) -> None:
    """Issue what is due; safe to run twice or at once."""
    services.issue_due_statements(now=timezone.now())


@shared_task(name="accounts.tasks.sweep_statement_files", ignore_result=True)  # type: ignore[untyped-decorator,unused-ignore]
def sweep_statement_files(**_: Any) -> None:
    services.sweep_statement_files(now=timezone.now())
