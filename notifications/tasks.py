"""Background work of notifications. Each task is safe to run twice."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from notifications import services


@shared_task(name="notifications.tasks.relay_outbox", ignore_result=True)
def relay_outbox(**kwargs: Any) -> int:
    """Relay what is due; nudged after each commit and swept every few seconds."""
    return services.relay_due(now=timezone.now())
