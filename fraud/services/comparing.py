"""Champion and challenger on what people found out: payments that neither learnt from, with labels that had time to come."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from common.db import require_transaction
from fraud import queries
from fraud.models import ModelComparison, ModelState, ModelVersion
from fraud.rules.features import SCHEMA_HASH, VECTOR_FEATURES, numbers
from fraud.rules.learning.comparing import compare
from fraud.rules.learning.stack import combine, scores
from fraud.services.unsealing import opened

# A payment's label is taken for final so long after it.
MATURE = timedelta(days=7)
FEWEST_OF_EACH = 10
MOST_ROWS = 5000
# A comparison is good for promotion so long.
FRESH = timedelta(days=1)


def compared(version: ModelVersion, *, now: datetime) -> ModelComparison | None:
    """The comparison of this version with the champion, made anew unless a fresh one is stored; None without a champion.

    Without enough labels it is stored all the same, and has no interval. Raises NoTransaction, BrokenArtifact.
    """
    require_transaction()
    champion = ModelVersion.objects.filter(state=ModelState.CHAMPION).first()
    if champion is None:
        return None
    known = ModelComparison.objects.filter(challenger=version, champion=champion, compared_at__gt=now - FRESH)
    return known.order_by("-pk").first() or _compare(version, champion, now)


def _compare(challenger: ModelVersion, champion: ModelVersion, now: datetime) -> ModelComparison:
    since, until = max(challenger.created_at, champion.created_at), now - MATURE
    labelled = queries.labelled(since=since, until=until, known_by=now, schema_hash=SCHEMA_HASH, limit=MOST_ROWS)
    labels = np.array([is_fraud for _, is_fraud in labelled], dtype=np.int64)
    frauds = int(labels.sum())
    made = ModelComparison(
        challenger=challenger, champion=champion, compared_at=now, frauds=frauds, others=len(labels) - frauds
    )
    if min(made.frauds, made.others) >= FEWEST_OF_EACH:
        rows = np.array([numbers(features) for features, _ in labelled]).reshape(-1, len(VECTOR_FEATURES))
        before, after = (combine(scores(opened(side).stack, rows)) for side in (champion, challenger))
        interval = compare(labels, champion=before, challenger=after, seed=challenger.number)
        made.champion_precision, made.challenger_precision = interval.champion, interval.challenger
        made.low, made.high = interval.low, interval.high
    made.save(force_insert=True)
    return made
