from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from ledger import queries, reference, sealing, services

log = logging.getLogger(__name__)


@shared_task(name="ledger.tasks.snapshot_internal_accounts", ignore_result=True)  # type: ignore[untyped-decorator]
def snapshot_internal_accounts(**_: Any) -> None:
    """Keep the tail short that a balance of the bank's own accounts is read from. Safe to run twice or at once."""
    services.take_snapshots()


@shared_task(name="ledger.tasks.make_months", ignore_result=True)  # type: ignore[untyped-decorator]
def make_months(**_: Any) -> None:
    """Make next months' partitions before they are needed, and say so when rows had to be kept outside of any month."""
    now = timezone.now()
    services.make_months(since=now - reference.BEHIND, until=now + reference.AHEAD)
    if queries.has_entries_outside_months():
        log.error(
            "The ledger's default partition holds entries: make_months came after them. They are safe, but slower to find."
        )


@shared_task(name="ledger.tasks.seal_entries", ignore_result=True)  # type: ignore[untyped-decorator]
def seal_entries(**_: Any) -> None:
    """Seal what was posted since the last seal and export the head. Safe to run twice; of two at once, one does nothing."""
    sealing.run()


@shared_task(name="ledger.tasks.take_daily_balances", ignore_result=True)  # type: ignore[untyped-decorator]
def take_daily_balances(**_: Any) -> None:
    """Add what was posted since the last time to the balances of each day. Safe to run twice, or stopped half-way."""
    while services.take_daily_balances():
        pass
