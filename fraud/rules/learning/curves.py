"""Curves of a training for its report: ROC, precision and recall, and how far scores are probabilities.

Few points each: they are part of the signed manifest and drawn, not calculated with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from fraud.rules.learning.trees import Floats

POINTS = 60
BINS = 10


def curves(*, labels: NDArray, scores: Floats) -> dict[str, Any]:
    """`roc` as (false positives, recall), `precision_recall` as (recall, precision), `calibration` by tenths of the rows.

    Empty when the rows hold only one class.
    """
    if not (labels == 1).any() or not (labels == 0).any():
        return {}
    false, true, _ = roc_curve(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores)
    return {
        "auc_roc": round(float(roc_auc_score(labels, scores)), 4),
        "frauds": int((labels == 1).sum()),
        "others": int((labels == 0).sum()),
        "roc": _thinned(false, true),
        "precision_recall": _thinned(recall[::-1], precision[::-1]),
        "calibration": _calibration(labels, scores),
    }


def _thinned(xs: Floats, ys: Floats) -> list[list[float]]:
    """Points at even steps of x, both ends among them; where a curve jumps, its last value there counts."""
    steps = np.linspace(float(xs[0]), float(xs[-1]), POINTS)
    at = np.clip(np.searchsorted(xs, steps, side="right") - 1, 0, len(xs) - 1)
    return [[round(float(step), 4), round(float(y), 4)] for step, y in zip(steps, ys[at], strict=True)]


def _calibration(labels: NDArray, scores: Floats) -> list[dict[str, float | int]]:
    """Tenths of the rows by score: the mean score, and the share that were frauds."""
    order = np.argsort(scores, kind="stable")
    return [
        {
            "rows": len(part),
            "score": round(float(scores[part].mean()), 4),
            "frauds": round(float((labels[part] == 1).mean()), 4),
        }
        for part in np.array_split(order, BINS)
        if len(part)
    ]
