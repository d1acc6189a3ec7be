"""A fitted Isolation Forest as plain arrays: stored without pickle, scored with NumPy alone.

Liu, Ting, Zhou: Isolation Forest (2008). A row that few random cuts set apart is unusual.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest

LEAF = -1


class BrokenForest(ValueError):
    """The bytes are not a forest that fits together."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """All trees one after another; `left` and `right` are positions in these arrays, LEAF at a leaf.

    `depth` holds, at leaves, the depth plus the average depth the rows that ended there would still have had.
    `norm` is the average depth of a tree of the sample's size. `grid` and `columns_grid` are the quantiles, in even
    steps from 0 to 1, of the training rows' scores and of each column.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    depth: NDArray[np.float64]
    norm: NDArray[np.float64]
    medians: NDArray[np.float64]
    grid: NDArray[np.float64]
    columns_grid: NDArray[np.float64]

    def fill(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unknown values become the training rows' medians: unknown is not unusual."""
        return np.where(np.isnan(rows), self.medians, rows)

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """From 0 to 1, higher is more unusual; the negative of scikit-learn's `score_samples`."""
        # scikit-learn's trees compare in single precision; so must we, to end in the same leaf.
        cells = self.fill(rows).astype(np.float32)
        at = np.repeat(self.roots[None, :], len(cells), axis=0)
        which = np.arange(len(cells))[:, None]
        while True:
            inner = self.left[at] != LEAF
            if not inner.any():
                break
            goes_left = cells[which, self.feature[at]] <= self.threshold[at]
            at = np.where(inner, np.where(goes_left, self.left[at], self.right[at]), at)
        mean_depth = self.depth[at].sum(axis=1) / (len(self.roots) * self.norm[0])
        return np.asarray(2.0**-mean_depth, dtype=np.float64)

    def percentiles(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of training rows that were less unusual, from 0 to 1."""
        return np.interp(self.scores(rows), self.grid, np.linspace(0.0, 1.0, len(self.grid)))

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{part.name: getattr(self, part.name) for part in fields(self)})
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Forest:
        """Raises BrokenForest; never unpickles."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                forest = cls(**{part.name: stored[part.name] for part in fields(cls)})
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise BrokenForest("unreadable") from error
        count = len(forest.feature)
        links = np.concatenate([forest.left, forest.right])
        if not count or links.min() < LEAF or links.max() >= count or forest.roots.max() >= count:
            raise BrokenForest("links lead outside")
        # Children come after their parent, so walking down always ends.
        inner = forest.left != LEAF
        if (forest.left[inner] <= np.flatnonzero(inner)).any() or (forest.right[inner] <= np.flatnonzero(inner)).any():
            raise BrokenForest("links lead back")
        return forest


def pack(fitted: IsolationForest, rows: NDArray[np.float64], medians: NDArray[np.float64], steps: int) -> Forest:
    """Take the trees out of a fitted model; `rows` are its training rows without gaps."""
    parts: dict[str, list[NDArray]] = {name: [] for name in ("feature", "threshold", "left", "right", "depth")}
    roots = []
    offset = 0
    for estimator in fitted.estimators_:
        tree = estimator.tree_
        roots.append(offset)
        leaf = tree.children_left == LEAF
        parts["feature"].append(np.where(leaf, 0, tree.feature))
        parts["threshold"].append(tree.threshold)
        parts["left"].append(np.where(leaf, LEAF, tree.children_left + offset))
        parts["right"].append(np.where(leaf, LEAF, tree.children_right + offset))
        parts["depth"].append(np.where(leaf, _depths(tree) + average_depth(tree.n_node_samples), 0.0))
        offset += tree.node_count
    joined = {name: np.concatenate(chunks) for name, chunks in parts.items()}
    evenly = np.linspace(0.0, 1.0, steps)
    forest = Forest(
        roots=np.asarray(roots, dtype=np.int32),
        feature=joined["feature"].astype(np.int32),
        threshold=joined["threshold"].astype(np.float64),
        left=joined["left"].astype(np.int32),
        right=joined["right"].astype(np.int32),
        depth=joined["depth"].astype(np.float64),
        norm=average_depth(np.asarray([fitted.max_samples_])),
        medians=medians,
        grid=np.zeros(steps),
        columns_grid=np.quantile(rows, evenly, axis=0),
    )
    ours = {part.name: getattr(forest, part.name) for part in fields(Forest)}
    return Forest(**{**ours, "grid": np.quantile(forest.scores(rows), evenly)})


def average_depth(rows: NDArray) -> NDArray[np.float64]:
    """Average depth at which a search in a random binary tree of so many rows fails: 2 H(n-1) - 2 (n-1) / n."""
    count = np.maximum(rows.astype(np.float64), 2.0)
    depth = 2.0 * (np.log(count - 1.0) + np.euler_gamma) - 2.0 * (count - 1.0) / count
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, depth))


def _depths(tree: object) -> NDArray[np.float64]:
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    depths = np.zeros(len(left))
    for node in range(len(left)):
        if left[node] != LEAF:
            depths[left[node]] = depths[right[node]] = depths[node] + 1.0
    return depths
