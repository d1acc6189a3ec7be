"""How far what payments look like has moved: the population stability index on fixed bins and equal samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
# The usual reading: above this the model no longer sees what it learnt.
DRIFTED = 0.25
# The normal deviate that chance exceeds once in ten thousand times: some fifty values are looked at each day.
_RARE = 3.719


@dataclass(frozen=True, slots=True)
class Bins:
    """How a sample spread. `own`: each mark is a value with a bin of its own, and the bin after them has any other
    value; otherwise a bin ends at each mark, and the next has what lies above. The last of `counts` are gaps."""

    own: bool
    marks: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def stored(cls, text: Mapping[str, Any]) -> Bins:
        return cls(text["own"], tuple(text["marks"]), tuple(text["counts"]))

    def to_store(self) -> dict[str, Any]:
        return asdict(self)


def freeze(values: NDArray[np.float64]) -> Bins:
    """Bins to compare later samples with: tenths of `values`, or one for each where there are few.

    Raises ValueError for an empty sample.
    """
    if not len(values):
        raise ValueError("a sample needs values")
    known = values[~np.isnan(values)]
    marks = np.unique(known)
    own = len(marks) <= BINS
    if not own:
        marks = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    return Bins(own, tuple(marks.tolist()), tuple(_counts(values, own, marks).tolist()))


def stability_index(before: Bins, now: NDArray[np.float64], *, seed: int) -> tuple[float, bool]:
    """Sum over bins of (now - before) ln(now / before), on as many of `before` as there are values now at most.

    Also whether that is drift: above 0.25, and above what chance alone reaches with samples of this size. Where bins have
    the same shares, the index spreads like chi-square by bins less one, times twice the inverse of the size (B. Yurdakul,
    Statistical Properties of Population Stability Index, 2018). Raises ValueError for an empty sample.
    """
    if not len(now):
        raise ValueError("a sample needs values")
    dice = np.random.default_rng(seed)
    size = min(sum(before.counts), len(now))
    then = dice.multivariate_hypergeometric(before.counts, size)
    if len(now) > size:
        now = dice.choice(now, size, replace=False)
    lately = _counts(now, before.own, np.array(before.marks))
    seen = (then > 0) | (lately > 0)
    # Half a payment where there is none, so that the logarithm is finite.
    shares = [np.maximum(counts[seen], 0.5) / size for counts in (then, lately)]
    index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    return index, index > max(DRIFTED, _chance(size, int(seen.sum())))


def _chance(size: int, bins: int) -> float:
    """What the index of two samples of one population exceeds once in ten thousand times (Wilson and Hilferty's
    chi-square)."""
    free = max(bins - 1, 1)
    return 2 / size * free * (1 - 2 / (9 * free) + _RARE * math.sqrt(2 / (9 * free))) ** 3


def _counts(values: NDArray[np.float64], own: bool, marks: NDArray[np.float64]) -> NDArray[np.int64]:
    known = values[~np.isnan(values)]
    places = np.searchsorted(marks, known, side="left")
    if own and len(marks):
        met = marks[np.minimum(places, len(marks) - 1)] == known
        places = np.where(met, places, len(marks))
    return np.append(np.bincount(places, minlength=len(marks) + 1), len(values) - len(known))
