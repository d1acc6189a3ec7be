"""What hit a payment and decided nothing, kept beside what did."""

from __future__ import annotations

from collections.abc import Sequence

from common.db import require_transaction
from fraud.models import Decision, SilentHit
from fraud.rules.judging import Silent


def keep_silent(decision: Decision, hits: Sequence[Silent]) -> None:
    """Store silent hits with their decision; costs nothing when there are none. Raises NoTransaction."""
    require_transaction()
    if hits:
        SilentHit.objects.bulk_create(
            SilentHit(decision=decision, rule_id=hit.rule_id, why=hit.why, by=hit.by) for hit in hits
        )
