"""A model version with the report of a training, and drift of some days, for tests of their pages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np

from fraud.models import DriftReport, ModelVersion
from fraud.rules.features import VECTOR_FEATURES
from fraud.rules.learning.curves import curves
from tests.fraud.conftest import NOON


def some_scores() -> tuple[Any, Any]:
    """Labels and scores of 2,000 payments, one in twenty a fraud, most of them found."""
    random = np.random.default_rng(5)
    labels = (random.random(2000) < 0.05).astype(int)
    scores = np.clip(random.beta(2, 20, 2000) + labels * random.beta(3, 4, 2000), 0.0, 1.0)
    return labels, scores


def reported_model(**changes: Any) -> ModelVersion:
    labels, scores = some_scores()
    manifest = {
        "window": ["2026-01-01T00:00:00+00:00", "2026-03-18T00:00:00+00:00"],
        "rows": 2000,
        "frauds": int(labels.sum()),
        "cleared": 40,
        "choice": {"library": "xgboost", "balance": "class weights", "trees": 200, "depth": 4, "rate": 0.05},
        "layers": {"supervised": {}, "isolation_forest": {}},
        "libraries": {"numpy": "2.4.6"},
        "metrics": {
            "average_precision": 0.71,
            "recalls": {"0.05": 0.92, "0.01": 0.7},
            "costs": [
                {
                    "share": share,
                    "threshold": 0.5 - share,
                    "recall": 0.5 + share,
                    "precision": None if share == 0.001 else 0.5,
                    "missed_minor": round(900_00 * (1 - share * 10)),
                    "review_minor": round(20_000_00 * share),
                    "cost_minor": round(900_00 * (1 - share * 10)) + round(20_000_00 * share),
                }
                for share in (0.001, 0.01, 0.05)
            ],
        },
        "curves": curves(labels=labels, scores=scores),
        "kinds": [
            {"kind": "TAKEOVER", "frauds": 29, "recalls": {"0.05": 0.93, "0.01": 0.7, "0.005": 0.5}},
            {"kind": "", "frauds": 3, "recalls": {"0.05": 0.33, "0.01": 0.0, "0.005": 0.0}},
        ],
        **changes,
    }
    return ModelVersion.objects.create(number=1, manifest=json.dumps(manifest), signature="0" * 64, created_at=NOON)


def drift_reports(days: int = 3) -> list[DriftReport]:
    """One report a day; on the last the amount has drifted."""
    return [
        DriftReport.objects.create(
            day=(NOON + timedelta(days=day)).date(),
            rows=400,
            features=dict.fromkeys(VECTOR_FEATURES, 0.02) | {"transaction_amount": 0.31 if day == days - 1 else 0.05},
            score=0.04 + day / 100,
            alert_share=0.02,
            label_delay_hours=None if day == 0 else 6.5,
            drifted=["transaction_amount"] if day == days - 1 else [],
        )
        for day in range(days)
    ]
