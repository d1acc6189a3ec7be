"""All layers together: each one's score from 0 to 1, and the one that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fraud.rules.facts import CRITICAL_FROM, SUSPICIOUS_FROM
from fraud.rules.judging import HIGHEST_FLAGGED
from fraud.rules.learning.layers import UNSUPERVISED, Layer, LayerName
from fraud.rules.learning.trees import Floats


@dataclass(frozen=True, slots=True)
class Budget:
    """Shares of traffic: what a team can review, what may be refused, and what each unlabelled layer may raise."""

    flagged: float = 0.02
    blocked: float = 0.001
    unsupervised: float = 0.002


@dataclass(frozen=True, slots=True)
class Scale:
    """From a layer's own number to 0 to 1: `knots` of it become `scores`, straight between them, flat beyond."""

    knots: tuple[float, ...]
    scores: tuple[float, ...]

    def apply(self, raw: Floats) -> Floats:
        return np.interp(raw, self.knots, self.scores)


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    layer: Layer
    scale: Scale

    def scores(self, rows: Floats) -> Floats:
        return self.scale.apply(self.layer.raw(rows))


Stack = Mapping[LayerName, Scaled]


def scores(stack: Stack, rows: Floats) -> dict[LayerName, Floats]:
    """Every layer's scores of the same rows; layers that share a preparation wait for it once."""
    prepared: dict[int, Floats] = {}
    found = {}
    for name, scaled in stack.items():
        preparation = scaled.layer.preparation
        if preparation is None:
            cells = rows
        elif (cells := prepared.get(id(preparation), rows)) is rows:
            cells = prepared[id(preparation)] = preparation.apply(rows)
        found[name] = scaled.scale.apply(scaled.layer.measure(cells))
    return found


def supervised_scale(validation: Floats, budget: Budget) -> Scale:
    """Suspicious and critical begin where the budgets of later days lay; certainty is 1."""
    flagged = min(max(threshold_for(validation, budget.flagged), 1e-6), 0.98)
    blocked = min(max(threshold_for(validation, budget.blocked), flagged + 1e-6), 0.99)
    return Scale((0.0, flagged, blocked, 1.0), (0.0, SUSPICIOUS_FROM, CRITICAL_FROM, 1.0))


def unsupervised_scale(training: Floats, budget: Budget) -> Scale:
    """Suspicious begins where the budget lay in training; critical is never reached."""
    low, flagged = float(np.median(training)), threshold_for(training, budget.unsupervised)
    flagged = max(flagged, low + 1e-9)
    high = max(float(training.max()), flagged + 1e-9)
    return Scale((low, flagged, high), (0.0, SUSPICIOUS_FROM, HIGHEST_FLAGGED))


def combine(scores: Mapping[LayerName, Floats]) -> Floats:
    """The highest of rules, supervised layer, and those others that reached suspicious: below that they say nothing."""
    found = []
    for name, values in scores.items():
        silent = (name in UNSUPERVISED) & (values < SUSPICIOUS_FROM)
        found.append(np.where(silent, 0.0, values))
    return np.asarray(np.max(found, axis=0), dtype=np.float64)


def threshold_for(scores: Floats, share: float) -> float:
    """The lowest of the scores such that at most `share` of them lie above it."""
    ordered = np.sort(scores)
    allowed = int(np.floor(len(ordered) * share))
    return float(ordered[len(ordered) - 1 - allowed]) if allowed < len(ordered) else -np.inf
