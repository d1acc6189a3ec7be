"""What the ledger's seals and the audit trail tell each other: the trail remembers each new head of the ledger."""

from __future__ import annotations

from audit import services as audit
from common.seals import Head


def record_head(head: Head) -> None:
    """Keep the newest seal of the ledger in the trail, in the transaction that made it."""
    audit.record(
        actor=None,
        action="ledger.sealed",
        subject_kind="ledger_seal",
        subject_id=head.number,
        data={"entries": head.count, "digest": head.digest},
    )
