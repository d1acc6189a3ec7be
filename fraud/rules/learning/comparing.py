"""Whether one model finds fraud better than another: the difference of average precision, with a bootstrap interval.

Efron, Tibshirani: An Introduction to the Bootstrap (1993), chapter 13: percentile intervals. Both models are measured on the
same drawn payments, so what makes a draw easy makes it easy for both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fraud.rules.learning.trees import Floats

RESAMPLES = 1000
CONFIDENCE = 0.95
# Resamples at a time: weights of all payments for each are held in memory.
_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Interval:
    """Average precision of both, their difference (challenger less champion), and where 95 % of resamples lay."""

    champion: float
    challenger: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        return self.challenger - self.champion

    @property
    def is_worse(self) -> bool:
        return self.high < 0.0

    @property
    def is_better(self) -> bool:
        return self.low > 0.0


def compare(
    labels: NDArray, *, champion: Floats, challenger: Floats, seed: int, resamples: int = RESAMPLES
) -> Interval:
    """`labels` are 1 for fraud; the scores belong to the same payments. Frauds and others are drawn apart, so that each
    resample has as many as there are. Raises ValueError when either is missing."""
    frauds, others = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    if not len(frauds) or not len(others):
        raise ValueError("frauds and other payments are needed to compare models")
    sides = [_Ordered(labels, scores) for scores in (champion, challenger)]
    dice = np.random.default_rng(seed)
    differences = []
    for start in range(0, resamples, _CHUNK):
        count = min(_CHUNK, resamples - start)
        weights = np.zeros((count, len(labels)))
        for part in (frauds, others):
            weights[:, part] = dice.multinomial(len(part), np.full(len(part), 1.0 / len(part)), size=count)
        before, after = (side.average_precision(weights) for side in sides)
        differences.append(after - before)
    tails = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(np.concatenate(differences), (tails, 1.0 - tails))
    once = np.ones((1, len(labels)))
    champion_precision, challenger_precision = (float(side.average_precision(once)[0]) for side in sides)
    return Interval(champion_precision, challenger_precision, float(low), float(high))


class _Ordered:
    """Payments from the most suspicious on; those of one score count as one step."""

    def __init__(self, labels: NDArray, scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._fraud = labels[self._order] == 1
        self._ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])

    def average_precision(self, weights: Floats) -> Floats:
        """For each row of weights: precision at each step, weighted by the recall that the step adds."""
        weights = weights[:, self._order]
        found = np.cumsum(weights * self._fraud, axis=1)[:, self._ends]
        seen = np.cumsum(weights, axis=1)[:, self._ends]
        added = np.diff(found, axis=1, prepend=0.0)
        precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
        return np.asarray((precision * added).sum(axis=1) / found[:, -1], dtype=np.float64)
