"""Fitted trees as plain arrays, for gradient boosting and for the Isolation Forest: no library and no pickle to score.

Every tree is laid out as a complete one: the children of node i are 2i + 1 and 2i + 2. A branch that ends early repeats its
leaf. Small trees are read by sets of leaves (`leafsets`), larger ones by walking down (`walk`), to the same leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fraud.rules.learning.leafsets import MOST_LEAVES, LeafSets
from fraud.rules.learning.walk import Walk

Floats = NDArray[np.float64]
DEEPEST = 10
# Rows at a time: what is compared then stays in the processor's cache.
_CHUNK = 128


class BrokenArrays(ValueError):
    """The arrays are not a model that fits together."""


@dataclass(frozen=True, eq=False)
class Trees:
    """`feature` and `threshold` by tree and inner node, `value` by tree and node: a row goes left where
    `row[feature] <= threshold`.

    A gap goes where `feature` says: `width` is added to it where gaps go right. `value` of an inner node is the mean of
    what ends below it, and explains a score. `single` marks a library that compares in single precision, and
    `single_sum` one that also adds so; so must we.
    """

    feature: NDArray[np.int32]
    threshold: Floats
    value: Floats
    width: int
    base: float
    single: bool
    single_sum: bool

    def sums(self, rows: Floats) -> Floats:
        """The base and the leaf of every tree, added up, for each row."""
        if len(rows) <= _CHUNK:
            return self._add(self._reader.read(self._cells(rows)))
        found = np.empty(len(rows))
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            found[start : start + _CHUNK] = self._add(self._reader.read(self._cells(chunk)))
        return found

    def contributions(self, row: Floats) -> Floats:
        """How far each feature moved the sum of one row away from the mean of all (Saabas, 2014)."""
        found = np.zeros(self.width)
        trees = np.arange(len(self.feature))
        cells = self._cells(row[None, :])[0]
        at = np.zeros(len(trees), dtype=np.int64)
        for _ in range(self._depth()):
            feature = self.feature[trees, at]
            after = 2 * at + 1 + (cells[feature] > self.threshold[trees, at])
            np.add.at(found, feature % self.width, self.value[trees, after] - self.value[trees, at])
            at = after
        return found

    def _depth(self) -> int:
        return int(self.feature.shape[1] + 1).bit_length() - 1

    def _cells(self, rows: Floats) -> NDArray:
        """Each row twice: with gaps, which are above no threshold and so go left, and with infinity in their place."""
        if self.single:
            rows = rows.astype(np.float32)
        return np.concatenate([rows, np.fmin(rows, np.inf)], axis=1)

    @cached_property
    def _reader(self) -> LeafSets | Walk:
        thresholds = _rounded_down(self.threshold) if self.single else self.threshold
        leaves = self.value[:, self.feature.shape[1] :]
        if self.single_sum:
            leaves = leaves.astype(np.float32)
        small = (thresholds < np.inf).sum(axis=1).max() < MOST_LEAVES
        return (LeafSets if small else Walk).of(self.feature, thresholds, leaves)

    def _add(self, leaves: NDArray) -> Floats:
        if not self.single_sum:
            return np.asarray(self.base + np.add.reduce(leaves, axis=1), dtype=np.float64)
        # One after another in single precision, as the library adds them.
        leaves[:, 0] += np.float32(self.base)
        return np.add.accumulate(leaves, axis=1)[:, -1].astype(np.float64)

    def arrays(self) -> dict[str, NDArray]:
        return {
            "feature": self.feature,
            "threshold": self.threshold,
            "value": self.value,
            "shape": np.array([self.width, self.base, self.single, self.single_sum], dtype=np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> Trees:
        """Raises BrokenArrays for what does not fit together."""
        try:
            feature, threshold, value = arrays["feature"], arrays["threshold"], arrays["value"]
            width, base, single, single_sum = arrays["shape"]
        except (KeyError, ValueError) as error:
            raise BrokenArrays("parts are missing") from error
        inner = feature.shape[1] if feature.ndim == 2 else 0
        if inner < 1 or (inner & (inner + 1)) or inner >= 1 << (DEEPEST + 1):
            raise BrokenArrays("not complete trees")
        if threshold.shape != feature.shape or value.shape != (len(feature), 2 * inner + 1) or not len(feature):
            raise BrokenArrays("parts of different sizes")
        if feature.min() < 0 or feature.max() >= 2 * width or not np.isfinite(value).all() or np.isnan(threshold).any():
            raise BrokenArrays("values out of bounds")
        return cls(
            np.ascontiguousarray(feature, dtype=np.int32),
            np.ascontiguousarray(threshold, dtype=np.float64),
            np.ascontiguousarray(value, dtype=np.float64),
            int(width),
            float(base),
            bool(single),
            bool(single_sum),
        )


def _rounded_down(thresholds: Floats) -> NDArray[np.float32]:
    """In single precision, for cells in single precision: they are at most a number where they are at most the largest
    single-precision one that is not above it."""
    single = thresholds.astype(np.float32)
    return np.where(single > thresholds, np.nextafter(single, np.float32(-np.inf)), single)


@dataclass(slots=True)
class Node:
    """A node of a library's tree on its way into arrays; a leaf has no children."""

    value: float
    cover: float = 1.0
    feature: int = 0
    threshold: float = np.inf
    gaps_left: bool = True
    left: Node | None = None
    right: Node | None = None


def pack(roots: list[Node], *, width: int, base: float, single: bool, single_sum: bool) -> Trees:
    """Lay trees out as complete ones of one depth. Raises ValueError for a tree deeper than DEEPEST."""
    depth = max(1, *(_height(root) for root in roots))
    if depth > DEEPEST:
        raise ValueError(f"a tree of depth {depth} is too deep to pack")
    inner = (1 << depth) - 1
    feature = np.zeros((len(roots), inner), dtype=np.int32)
    threshold = np.full((len(roots), inner), np.inf)
    value = np.zeros((len(roots), 2 * inner + 1))
    for tree, root in enumerate(roots):
        _mean(root)
        waiting = [(root, 0)]
        while waiting:
            node, at = waiting.pop()
            value[tree, at] = node.value
            if at >= inner:
                continue
            if node.left is None or node.right is None:
                waiting += [(node, 2 * at + 1), (node, 2 * at + 2)]
                continue
            feature[tree, at] = node.feature + (0 if node.gaps_left else width)
            threshold[tree, at] = node.threshold
            waiting += [(node.left, 2 * at + 1), (node.right, 2 * at + 2)]
    return Trees(feature, threshold, value, width, base, single, single_sum)


def _height(node: Node) -> int:
    if node.left is None or node.right is None:
        return 0
    return 1 + max(_height(node.left), _height(node.right))


def _mean(node: Node) -> float:
    """Give inner nodes the mean of their leaves, weighted by how many rows ended there."""
    if node.left is not None and node.right is not None:
        weight = node.left.cover + node.right.cover
        node.value = (_mean(node.left) * node.left.cover + _mean(node.right) * node.right.cover) / max(weight, 1e-300)
    return node.value
