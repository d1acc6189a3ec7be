"""How unusual a payment looks beside the last 90 days of the whole bank. Shown to analysts; decides nothing.

An Isolation Forest of 100 trees over the stored feature vectors, fitted once a day by whichever worker comes first.
"""

from __future__ import annotations

import hashlib
import logging
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from common.db import use_case
from common.money import exponent
from fraud import queries
from fraud.models import AnomalyModel, AnomalyScore
from fraud.rules import wording
from fraud.rules.features import FEATURES, SCHEMA_HASH, Kind
from fraud.rules.features.table import FACT_TABLE, MODEL_TABLE
from fraud.rules.forest import BrokenForest, Forest, pack

logger = logging.getLogger(__name__)

TREES = 100
MIN_ROWS = 200
MAX_ROWS = 50_000
REFIT_AFTER = timedelta(hours=24)
QUARTER = timedelta(days=90)
SCORE_BACK = timedelta(days=7)
BATCH = 1000
KEEP_MODELS = 3
QUANTILES = 201
# A value this close to either end of what the bank sees is worth a line to the analyst.
RARE = 0.02
MOST_DEVIATIONS = 3
_FIT_LOCK = 4602

# Said twice otherwise: facts under the names that models use.
_SAID_ELSEWHERE = (
    "transaction_amount",
    "user_max_amount",
    "geo_anomaly_flag",
    "transfer_type_encoded",
    "channel_encoded",
)
COLUMNS: tuple[str, ...] = tuple(
    feature.name
    for feature in FACT_TABLE + MODEL_TABLE
    if feature.kind not in (Kind.CHOICE, Kind.COUNTRY) and feature.name not in _SAID_ELSEWHERE
)
_LOGARITHMIC = tuple(name for name in COLUMNS if FEATURES[name].kind is Kind.MONEY or name == "time_since_last")


@dataclass(frozen=True, slots=True)
class _Serving:
    model_id: uuid.UUID
    rows: int
    window_to_at: datetime
    forest: Forest


_serving: _Serving | None = None


def score_recent(*, now: datetime) -> int:
    """Score the decisions of the last week that have no score yet; fit first when the model is missing or a day old.

    Returns how many were scored; 0 while the bank has fewer than 200 decisions. Safe to run twice and in parallel.
    """
    serving = _ensure_model(now)
    if serving is None:
        return 0
    decisions = queries.unscored_decisions(since=now - SCORE_BACK, schema_hash=SCHEMA_HASH, limit=BATCH)
    if not decisions:
        return 0
    rows = to_rows([decision.features for decision in decisions])
    percentiles = serving.forest.percentiles(rows)
    scores = [
        AnomalyScore(
            decision=decision,
            model_id=serving.model_id,
            model_rows=serving.rows,
            model_window_to_at=serving.window_to_at,
            percentile=float(percentile),
            deviations=_deviations(serving.forest, row, decision.features),
            scored_at=now,
        )
        for decision, row, percentile in zip(decisions, rows, percentiles, strict=True)
    ]
    with use_case():
        AnomalyScore.objects.bulk_create(scores, ignore_conflicts=True)
    return len(scores)


def fit(*, now: datetime) -> AnomalyModel | None:
    """Fit on the stored vectors of the last 90 days and keep the result as arrays; None when there are too few.

    The same rows give the same forest: the seed comes from the window.
    """
    with use_case():
        return _fit_within(now)


def to_rows(vectors: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Stored vectors as numbers: flags 0 and 1, amounts and seconds on a logarithmic scale, unknown NaN."""
    frame = pd.DataFrame.from_records(list(vectors), columns=list(COLUMNS))
    numbers = frame.apply(lambda column: pd.to_numeric(column.astype("object"), errors="coerce")).astype("float64")
    for name in _LOGARITHMIC:
        numbers[name] = np.log1p(numbers[name].clip(lower=0.0))
    return numbers.to_numpy(dtype=np.float64)


def _ensure_model(now: datetime) -> _Serving | None:
    with use_case(), connection.cursor() as cursor:
        newest = queries.newest_anomaly_models(schema_hash=SCHEMA_HASH, limit=1)
        stale = not newest or now - newest[0].fitted_at >= REFIT_AFTER
        if stale:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 1)", [_FIT_LOCK])
            if cursor.fetchone()[0]:
                _fit_within(now)
    return _load()


def _fit_within(now: datetime) -> AnomalyModel | None:
    vectors = queries.feature_vectors(since=now - QUARTER, until=now, schema_hash=SCHEMA_HASH, limit=MAX_ROWS)
    if len(vectors) < MIN_ROWS:
        return None
    forest = fit_rows(to_rows(vectors), seed_text=f"{now.isoformat()} {len(vectors)}")
    data = forest.to_bytes()
    model = AnomalyModel.objects.create(
        fitted_at=now,
        window_from_at=now - QUARTER,
        window_to_at=now,
        row_count=len(vectors),
        schema_hash=SCHEMA_HASH,
        arrays=data,
        sha256=hashlib.sha256(data).hexdigest(),
    )
    kept = AnomalyModel.objects.order_by("-fitted_at", "-id").values_list("pk", flat=True)[:KEEP_MODELS]
    AnomalyModel.objects.exclude(pk__in=list(kept)).delete()
    logger.info("anomaly model fitted", extra={"rows": len(vectors), "model": str(model.pk)})
    return model


def fit_rows(rows: NDArray[np.float64], *, seed_text: str) -> Forest:
    """One forest over these rows; a column without any value counts as zero."""
    known = ~np.isnan(rows)
    medians = np.asarray(
        [np.median(column[seen]) if seen.any() else 0.0 for column, seen in zip(rows.T, known.T, strict=True)]
    )
    filled = np.where(known, rows, medians)
    seed = int.from_bytes(hashlib.sha256(seed_text.encode()).digest()[:4], "big")
    return pack(IsolationForest(n_estimators=TREES, random_state=seed).fit(filled), filled, medians, QUANTILES)


def _load() -> _Serving | None:
    """The newest model whose bytes are what was stored; a damaged one is passed over and reported."""
    global _serving
    for model in queries.newest_anomaly_models(schema_hash=SCHEMA_HASH, limit=KEEP_MODELS):
        if _serving is not None and _serving.model_id == model.pk:
            return _serving
        data = bytes(model.arrays)
        if hashlib.sha256(data).hexdigest() != model.sha256:
            logger.error("anomaly model does not match its checksum", extra={"model": str(model.pk)})
            continue
        try:
            forest = Forest.from_bytes(data)
        except BrokenForest:
            logger.exception("anomaly model cannot be read", extra={"model": str(model.pk)})
            continue
        _serving = _Serving(model.pk, model.row_count, model.window_to_at, forest)
        return _serving
    return None


def _deviations(forest: Forest, row: NDArray[np.float64], vector: Mapping[str, Any]) -> list[str]:
    """The values furthest from what the bank sees, in words."""
    found: list[tuple[float, str]] = []
    for index, name in enumerate(COLUMNS):
        value = row[index]
        if math.isnan(value):
            continue
        grid = forest.columns_grid[:, index]
        below = float(np.searchsorted(grid, value, side="left")) / len(grid)
        above = 1.0 - float(np.searchsorted(grid, value, side="right")) / len(grid)
        tail = min(1.0 - below, 1.0 - above)
        if tail <= RARE:
            shown = wording.show(FEATURES[name], vector[name], settings.BASE_CURRENCY)
            found.append((tail, f"{FEATURES[name].label}: {shown} ({_usual(name, forest.medians[index])})"))
    return [text for _, text in sorted(found)[:MOST_DEVIATIONS]]


def _usual(name: str, median: float) -> str:
    feature = FEATURES[name]
    plain = math.expm1(median) if name in _LOGARITHMIC else median
    if feature.kind is Kind.FLAG:
        return "seldom seen"
    if feature.kind is Kind.MONEY:
        unit = 10 ** exponent(settings.BASE_CURRENCY)
        plain = round(plain / unit) * unit
    return f"usually about {wording.show(feature, round(plain), settings.BASE_CURRENCY)}"
