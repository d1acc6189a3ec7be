"""Beside live decisions: challengers in shadow say what they would have decided."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic

import numpy as np
from django.conf import settings
from django.db.models import Exists, OuterRef

from common.db import use_case
from fraud.models import Decision, ModelState, ModelVersion, ShadowScore
from fraud.queries import switches
from fraud.rules.deciding import decide_many
from fraud.rules.facts import Outcome, Reason
from fraud.rules.features import SCHEMA_HASH, numbers
from fraud.rules.judging import Judgement
from fraud.rules.learning.artifact import BrokenArtifact
from fraud.rules.learning.stack import Stack
from fraud.services.unsealing import opened

logger = logging.getLogger(__name__)

SHADOW_BACK = timedelta(days=1)
SHADOW_BATCH = 1000
# Within the minute after which the clock asks again.
SHADOW_SECONDS = 45.0
MOST_CHALLENGERS = 3
WAITING = (ModelState.CHALLENGER, ModelState.NOMINATED)


def score_challengers(*, now: datetime, seconds: float = SHADOW_SECONDS) -> int:
    """Let each challenger say what it would have decided about every decision of the last day that it has not judged yet.

    Goes on at the next call where the time was too short. Safe to run twice. Returns how many were scored.
    """
    started, scored = monotonic(), 0
    for version in ModelVersion.objects.filter(state__in=WAITING).order_by("-number")[:MOST_CHALLENGERS]:
        stack: Stack | None = None
        while monotonic() - started < seconds and (decisions := _unjudged(version, now)):
            if stack is None and (stack := _opened(version)) is None:
                break
            rows = _judged(version, stack, decisions, now)
            with use_case():
                ShadowScore.objects.bulk_create(rows, ignore_conflicts=True)
            scored += len(rows)
    return scored


def _unjudged(version: ModelVersion, now: datetime) -> list[Decision]:
    done = ShadowScore.objects.filter(decision=OuterRef("pk"), version=version)
    fresh = Decision.objects.filter(at__gt=now - SHADOW_BACK, at__lte=now, schema_hash=SCHEMA_HASH)
    return list(fresh.filter(~Exists(done)).order_by("-at", "-pk")[:SHADOW_BATCH])


def _opened(version: ModelVersion) -> Stack | None:
    """Its layers, but for those that people switched off."""
    try:
        stack = opened(version).stack
    except BrokenArtifact:
        logger.exception("challenger refused", extra={"model": version.number})
        return None
    off = switches().layers_off
    return {name: scaled for name, scaled in stack.items() if name not in off}


def _judged(version: ModelVersion, stack: Stack, decisions: list[Decision], now: datetime) -> list[ShadowScore]:
    vectors = [decision.features for decision in decisions]
    found = decide_many(
        judgements=[rules_said(decision) for decision in decisions],
        stack=stack,
        rows=np.array([numbers(vector) for vector in vectors], dtype=np.float64),
        vectors=vectors,
        thresholds=switches().thresholds,
        currency=settings.BASE_CURRENCY,
    )
    return [
        ShadowScore(
            decision=decision,
            version=version,
            outcome=decided.outcome,
            score=decided.score,
            layers=dict(decided.layers),
            scored_at=now,
        )
        for decision, decided in zip(decisions, found, strict=True)
    ]


def rules_said(decision: Decision) -> Judgement:
    """The rules' part of a stored decision; a challenger changes only what models say."""
    reasons = tuple(Reason(**reason) for reason in decision.reasons if not reason["code"].startswith("MODEL_"))
    score = float(decision.layers.get("rules", decision.score))
    blocked = decision.outcome == Outcome.BLOCKED and score >= 0.8
    outcome = Outcome.BLOCKED if blocked else Outcome.FLAGGED if reasons else Outcome.APPROVED
    return Judgement(outcome, score, reasons)
