"""Work that the clock starts."""

from __future__ import annotations

import logging
from datetime import timedelta
from time import monotonic
from typing import Any

from celery import shared_task
from django.utils import timezone

from payments import services

logger = logging.getLogger(__name__)
# A worker has messages to deliver meanwhile: the next tick goes on.
_SECONDS = 45


@shared_task  # type: ignore[untyped-decorator]
def expire_held_payments(**_: Any) -> int:
    """Give back held payments that nobody decided about in time."""
    now = timezone.now()
    services.expire_integrator_holds(now=now)
    return services.expire_held(now=now)


@shared_task  # type: ignore[untyped-decorator]
def run_standing_orders(**_: Any) -> int:
    """Make the payments whose day has come, and try again those that lacked money."""
    return services.run_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def pay_bulk_files(**_: Any) -> None:
    """Pay the rows of confirmed files, some at a time; safe to run twice or at once."""
    give_up = monotonic() + _SECONDS
    for file_id in services.bulk_files_to_pay():
        try:
            while monotonic() < give_up and services.pay_next_rows(file_id=file_id, now=timezone.now()):
                pass
        except Exception:  # one file must not keep all others from being paid; the next tick tries it again
            logger.exception("a file could not be paid", extra={"bulk_file": str(file_id)})


@shared_task  # type: ignore[untyped-decorator]
def score_credits(*, hours: int = 1, **_: Any) -> int:
    """Have money that arrived of late scored; safe to run twice or at once."""
    give_up, scored = monotonic() + _SECONDS, 0
    while monotonic() < give_up and (new := services.score_credits(now=timezone.now(), back=timedelta(hours=hours))):
        scored += new
    return scored
