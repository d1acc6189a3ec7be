"""Time's work: applications that ended, files that nobody names."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from kyc import services


@shared_task(name="kyc.tasks.expire_applications")
def expire_applications(**extra: Any) -> int:
    return services.expire_applications(now=timezone.now())


@shared_task(name="kyc.tasks.sweep_files")
def sweep_files(**extra: Any) -> int:
    return services.sweep_files(now=timezone.now())
