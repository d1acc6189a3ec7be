"""Whether payments and scores still look as they did when the model in charge learnt from them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Count, F, Q, TextField
from django.db.models.functions import MD5, Cast
from numpy.typing import NDArray

from common.db import use_case
from fraud.models import Decision, DriftPart, DriftReference, DriftReport, Label, ModelState, ModelVersion
from fraud.rules.drift import Bins, freeze, stability_index
from fraud.rules.facts import Outcome
from fraud.rules.features import SCHEMA_HASH, VECTOR_FEATURES, numbers

logger = logging.getLogger(__name__)

WEEK = timedelta(days=7)
# What stands for the past while no model learnt from any.
MONTH = timedelta(days=30)
ROWS = 20_000
FEWEST_ROWS = 100
SCORE = "score"

# Stored vectors in their order, scores of 0 to 1, and whether the model in charge made them.
Sample = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
Values = dict[str, NDArray[np.float64]]


def report_drift(*, now: datetime) -> DriftReport | None:
    """Compare the last seven days with what the champion learnt from, and its scores with its first week in charge.

    References are fixed at the first report that needs them. None while there are too few decisions. One a day.
    """
    day = now.date()
    known = DriftReport.objects.filter(day=day).first()
    if known is not None:
        return known
    champion = ModelVersion.objects.filter(state=ModelState.CHAMPION).first()
    rows, scores, own = _sample(_decided(now - WEEK, now), champion)
    if len(rows) < FEWEST_ROWS:
        return None
    features = _reference(champion, DriftPart.FEATURES, now)
    if features is None:
        return None
    seed = day.toordinal()
    indices, drifted = _indices(features, _by_name(rows), seed)
    score = _reference(champion, DriftPart.SCORE, now) if own.sum() >= FEWEST_ROWS else None
    if score is not None:
        found, moved = _indices(score, {SCORE: scores[own]}, seed)
        drifted += moved
    if drifted:
        logger.error("fraud features have drifted", extra={"features": drifted})
    with use_case():
        report, _ = DriftReport.objects.get_or_create(
            day=day,
            defaults={
                "rows": min(len(rows), features.rows),
                "features": indices,
                "score": found[SCORE] if score else None,
                "features_reference": features,
                "score_reference": score,
                "drifted": drifted,
                **_desk(now - WEEK, now),
            },
        )
    return report


def _indices(reference: DriftReference, values: Values, seed: int) -> tuple[dict[str, float], list[str]]:
    """The index of each value, and the names of those that drifted."""
    indices, drifted = {}, []
    for name, sample in sorted(values.items()):
        index, moved = stability_index(Bins.stored(reference.bins[name]), sample, seed=seed)
        indices[name] = round(index, 4)
        if moved:
            drifted.append(name)
    return indices, drifted


def _reference(champion: ModelVersion | None, part: DriftPart, now: datetime) -> DriftReference | None:
    """What was fixed for this model, or else is now; None while there are too few decisions for it."""
    key = {"version": champion, "part": part, "schema_hash": SCHEMA_HASH}
    known = DriftReference.objects.filter(**key).first()
    if known is not None:
        return known
    for since, until in _periods(champion, part, now):
        rows, scores, own = _sample(_decided(since, until), champion)
        values = _by_name(rows) if part is DriftPart.FEATURES else {SCORE: scores[own]}
        size = len(next(iter(values.values())))
        if size < FEWEST_ROWS:
            continue
        bins = {name: freeze(sample).to_store() for name, sample in values.items()}
        with use_case():
            return DriftReference.objects.get_or_create(
                **key, defaults={"from_at": since, "to_at": until, "rows": size, "bins": bins, "frozen_at": now}
            )[0]
    return None


def _periods(champion: ModelVersion | None, part: DriftPart, now: datetime) -> Sequence[tuple[datetime, datetime]]:
    """Where a reference may come from, the best first."""
    week = now - WEEK
    month = (week - MONTH, week)
    if champion is None:
        return [month]
    if part is DriftPart.FEATURES:
        # Not every manifest says from what its model learnt, and few of those payments may have the features of today.
        learnt = json.loads(champion.manifest).get("window")
        return [(datetime.fromisoformat(learnt[0]), datetime.fromisoformat(learnt[1])), month] if learnt else [month]
    start = champion.promoted_at or champion.created_at
    return [(start, week)] if week - start >= WEEK else []


def _decided(since: datetime, until: datetime) -> Any:
    return Decision.objects.filter(at__gt=since, at__lte=until, schema_hash=SCHEMA_HASH)


def _sample(decisions: Any, champion: ModelVersion | None) -> Sample:
    """So many decisions, drawn evenly: in the order of what MD5 makes of their keys."""
    in_charge = champion.pk if champion else None
    found = list(decisions.order_by(MD5(Cast("pk", TextField()))).values_list("features", "score", "model_id")[:ROWS])
    return (
        np.array([numbers(row[0]) for row in found], dtype=np.float64).reshape(len(found), len(VECTOR_FEATURES)),
        np.array([row[1] for row in found], dtype=np.float64),
        np.array([row[2] == in_charge for row in found], dtype=bool),
    )


def _by_name(rows: NDArray[np.float64]) -> Values:
    return {name: rows[:, at] for at, name in enumerate(VECTOR_FEATURES)}


def _desk(since: datetime, until: datetime) -> dict[str, float | None]:
    """The share of alerts, and how long half of the labels took."""
    decided = Decision.objects.filter(at__gt=since, at__lte=until)
    alerts = decided.aggregate(all=Count("pk"), alerts=Count("pk", filter=~Q(outcome=Outcome.APPROVED)))
    labels = Label.objects.filter(labelled_at__gt=since, labelled_at__lte=until)
    delays = labels.annotate(delay=F("labelled_at") - F("decision__at")).values_list("delay", flat=True)
    hours = [delay.total_seconds() / 3600 for delay in delays]
    return {
        "alert_share": alerts["alerts"] / alerts["all"],
        "label_delay_hours": float(np.median(hours)) if hours else None,
    }
