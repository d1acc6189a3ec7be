"""Thresholds from an alert budget: the share of traffic a team can review, and the share that may be refused."""

from __future__ import annotations

import numpy as np

from fraud.rules.deciding import Thresholds
from fraud.rules.learning.layers import LayerName
from fraud.rules.learning.stack import Budget, Stack, combine, scores, threshold_for
from fraud.rules.learning.trees import Floats

# How far one week may move a threshold, and what it may never leave: a strange week shall not open or close the gates.
MOST_A_WEEK = 0.1
LOWEST_FLAG, HIGHEST_FLAG, HIGHEST_BLOCK, LEAST_APART = 0.2, 0.9, 0.99, 0.05


def wanted(stack: Stack, rows: Floats, budget: Budget, *, before: Thresholds) -> Thresholds:
    """Where the thresholds would have to lie for these payments to use the budgets up.

    Every layer may flag; only the supervised one blocks, so without it that threshold stays.
    """
    found = scores(stack, rows)
    flag_at = _above(combine(found), budget.flagged)
    block_at = before.block_at
    if LayerName.SUPERVISED in found:
        block_at = _above(found[LayerName.SUPERVISED], budget.blocked)
    return Thresholds(flag_at, block_at)


def limited(before: Thresholds, target: Thresholds) -> Thresholds:
    """As far towards the target as a week may go."""
    flag_at = _step(before.flag_at, target.flag_at, LOWEST_FLAG, HIGHEST_FLAG)
    block_at = _step(before.block_at, target.block_at, flag_at + LEAST_APART, HIGHEST_BLOCK)
    return Thresholds(round(flag_at, 4), round(block_at, 4))


def _above(scores: Floats, share: float) -> float:
    """The lowest threshold that at most this share of the scores reach."""
    return float(np.nextafter(threshold_for(scores, share), np.inf))


def _step(before: float, target: float, lowest: float, highest: float) -> float:
    near = min(max(target, before - MOST_A_WEEK), before + MOST_A_WEEK)
    return min(max(near, lowest), highest)
