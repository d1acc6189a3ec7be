"""How far what payments look like has moved: the population stability index on fixed bins and equal samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 10
# The usual reading: above this the model no longer sees what it learnt.
DRIFTED = 0.25
_LEAST_SHARE = 1e-4


def stability_index(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Sum over bins of (now - before) ln(now / before); the bins are tenths of `before`, and one for gaps.

    Raises ValueError for an empty sample.
    """
    if not len(before) or not len(now):
        raise ValueError("both samples need values")
    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.array([])
    shares = [np.maximum(_shares(values, edges), _LEAST_SHARE) for values in (before, now)]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    gaps = np.isnan(values)
    bins = np.searchsorted(edges, values[~gaps], side="left")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return np.append(counts, gaps.sum()) / len(values)


def equal_samples(
    before: NDArray[np.float64], now: NDArray[np.float64], *, most: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As many rows of each, drawn evenly, `most` at most."""
    size = min(len(before), len(now), most)
    dice = np.random.default_rng(seed)
    return tuple(rows[np.sort(dice.choice(len(rows), size, replace=False))] for rows in (before, now))  # type: ignore[return-value]
