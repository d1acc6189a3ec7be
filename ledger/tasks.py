from __future__ import annotations

from typing import Any

from celery import shared_task

from ledger import services


@shared_task(name="ledger.tasks.snapshot_internal_accounts", ignore_result=True)  # type: ignore[untyped-decorator]
def snapshot_internal_accounts(**_: Any) -> None:
    """Keep the tail short that a balance of the bank's own accounts is read from. Safe to run twice or at once."""
    services.take_snapshots()
