"""Once a week the thresholds follow the alert budget, within limits: what a team can review stays what it is asked to review."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import numpy as np

from audit import services as audit
from common.db import lock_advisory, use_case
from fraud import queries
from fraud.models import ThresholdConfig
from fraud.rules.features import SCHEMA_HASH, VECTOR_FEATURES, numbers
from fraud.rules.learning import budgeting
from fraud.rules.learning.artifact import BrokenArtifact
from fraud.services.ruleset import touch_ruleset
from fraud.services.unsealing import opened

logger = logging.getLogger(__name__)

WINDOW = timedelta(days=28)
# Less than a week, so that a run a little early counts, and a second one does not.
AT_MOST_EVERY = timedelta(days=6)
FEWEST_ROWS, MOST_ROWS = 1000, 50_000
# A smaller move changes nothing that anybody would see.
LEAST_MOVE = 0.005
_LOCK = 4604


def recalibrate(*, now: datetime) -> ThresholdConfig | None:
    """Move the thresholds towards where the champion's scores of four weeks use the budgets up.

    None, and nothing changed, when it was done this week, without a champion that opens, with too few decisions, or where
    the thresholds are right already. Safe to run twice.
    """
    with use_case():
        lock_advisory(namespace=_LOCK, key=1)
        done = ThresholdConfig.objects.filter(changed_by__isnull=True, changed_at__gt=now - AT_MOST_EVERY)
        champion = next(iter(queries.champions()), None)
        if champion is None or done.exists():
            return None
        vectors = queries.feature_vectors(since=now - WINDOW, until=now, schema_hash=SCHEMA_HASH, limit=MOST_ROWS)
        if len(vectors) < FEWEST_ROWS:
            return None
        try:
            stack = opened(champion).stack
        except BrokenArtifact:
            logger.exception("champion refused, thresholds stay", extra={"model": champion.number})
            return None
        rows = np.array([numbers(vector) for vector in vectors]).reshape(len(vectors), len(VECTOR_FEATURES))
        before, budget = queries.switches().thresholds, queries.budget()
        target = budgeting.wanted(stack, rows, budget, before=before)
        after = budgeting.limited(before, target)
        if max(abs(after.flag_at - before.flag_at), abs(after.block_at - before.block_at)) < LEAST_MOVE:
            return None
        reason = (
            f"{budget.flagged:.2%} of {len(rows):,} payments reach {target.flag_at:.3f}, {budget.blocked:.2%} reach "
            f"{target.block_at:.3f}; before: {before.flag_at:.3f} and {before.block_at:.3f}"
        )
        change = ThresholdConfig.objects.create(
            flag_at=after.flag_at, block_at=after.block_at, reason=reason, changed_by=None, changed_at=now
        )
        touch_ruleset(now=now)
        audit.record(
            actor=None,
            action="fraud.thresholds_recalibrated",
            subject_kind="fraud_switch",
            subject_id=str(change),
            reason=reason,
            data={
                "before": [before.flag_at, before.block_at],
                "wanted": [target.flag_at, target.block_at],
                "after": [after.flag_at, after.block_at],
                "decisions": len(rows),
                "model": champion.number,
            },
        )
    return change
