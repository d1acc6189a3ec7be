"""Work that the clock starts."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from payments import services


@shared_task  # type: ignore[untyped-decorator]
def expire_held_payments(**_: Any) -> int:
    """Give back held payments that nobody decided about in time, and drop reviews that are long over."""
    now = timezone.now()
    services.purge_reviews(now=now)
    return services.expire_held(now=now)


@shared_task  # type: ignore[untyped-decorator]
def run_standing_orders(**_: Any) -> int:
    """Make the payments whose day has come, and try again those that lacked money."""
    return services.run_due(now=timezone.now())
