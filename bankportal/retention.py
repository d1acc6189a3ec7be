"""How long things are kept: each kind with its time and what deletes it. The ledger and the audit trail are never shortened."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit import services as audit
from fraud import services as fraud
from identity import services as identity
from kyc import services as kyc
from notifications import services as notifications
from payments import services as payments

logger = logging.getLogger(__name__)


class _Purge(Protocol):
    def __call__(self, *, now: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """`purge` deletes what is older than `time`, commits by itself, may run twice, and returns how many went."""

    what: str
    time: str
    purge: _Purge


KEPT = (
    Kept("Answers to repeated requests", "24 hours", audit.purge_idempotency_records),
    Kept("Reviews of payments before they are confirmed", "a day", payments.purge_reviews),
    Kept("Files of payments that nobody confirmed", "a day", payments.purge_bulk_files),
    Kept("Mail that was kept instead of sent", "30 days", notifications.purge_mailbox),
    Kept("Identity checks that were never sent", "30 days after the draft ended", kyc.purge_applications),
    Kept("Calls of the fraud API", "90 days", fraud.purge_calls),
    Kept("What gateways were told of decisions", "90 days", fraud.purge_deliveries),
    Kept("Sign-ins that are over", "400 days, failed ones 90", identity.purge_sign_ins),
    Kept("Messages to people", "two years", notifications.purge_messages),
)


def run(*, now: datetime, tell: Callable[[Kept, int], None] = lambda kept, count: None) -> bool:
    """Delete all whose time is over. Returns whether each kind could be; one that cannot does not hold up the others."""
    complete = True
    for kept in KEPT:
        try:
            count = kept.purge(now=now)
        except Exception:
            logger.exception("something whose time is over could not be deleted", extra={"what": kept.what})
            complete = False
        else:
            tell(kept, count)
    return complete
