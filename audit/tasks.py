"""Background work of audit. Each task is safe to run twice."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from audit import services


@shared_task(name="audit.tasks.seal_trail", ignore_result=True)
def seal_trail(**kwargs: Any) -> None:
    """Seal what has been written since the last time."""
    services.seal_trail(now=timezone.now())
