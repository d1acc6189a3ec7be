"""Small trees read without walking them: all their comparisons at once, and from these the leaf of each.

What goes right at a node leaves behind all leaves on its left. Of the leaves that no node of the tree leaves behind the leftmost
is where the row ends (QuickScorer: Lucchese and others, 2015). As bits of a number those sets are a few calls for all trees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Beyond that walking, which compares sixteen or 24 times whatever the size, is as quick; by 22 leaves it took 18 µs and this 14.
MOST_LEAVES = 32


@dataclass(frozen=True, eq=False)
class LeafSets:
    """By node and tree: what it compares, and the leaves that going right leaves behind. Trees lie side by side, so that
    one call joins the sets of all of them; those with fewer nodes have some that ask nothing."""

    feature: NDArray[np.intp]
    threshold: NDArray
    behind: NDArray[np.unsignedinteger]
    values: NDArray
    # Where the leaves of a tree begin among all values, less one.
    before: NDArray[np.intp]

    @classmethod
    def of(cls, feature: NDArray, threshold: NDArray, leaves: NDArray) -> LeafSets:
        """From complete trees: `feature` and `threshold` by tree and inner node, `leaves` by tree."""
        trees = [_Tree(*parts) for parts in zip(feature, threshold, leaves, strict=True)]
        shape = (max(len(tree.nodes) for tree in trees), len(trees))
        most = max(len(tree.leaves) for tree in trees)
        features, thresholds = np.zeros(shape, dtype=np.intp), np.full(shape, np.inf, dtype=threshold.dtype)
        behind = np.zeros(shape, dtype=np.uint16 if most <= 16 else np.uint32)
        values = np.zeros((len(trees), most), dtype=leaves.dtype)
        for at, tree in enumerate(trees):
            values[at, : len(tree.leaves)] = tree.leaves
            for place, node in enumerate(tree.nodes):
                features[place, at], thresholds[place, at], behind[place, at] = node
        return cls(features, thresholds, behind, values.ravel(), np.arange(len(trees)) * most - 1)

    def read(self, cells: NDArray) -> NDArray:
        """The leaf of each tree, a row for each row."""
        right = cells.take(self.feature, axis=1) > self.threshold
        left_behind = np.bitwise_or.reduce(self.behind * right, axis=1)
        # The ones at its end and the zero before them, counted: the place of that zero, from one.
        return self.values.take(np.bitwise_count(left_behind ^ (left_behind + 1)) + self.before)


class _Tree:
    """The nodes of one tree that ask something, each with feature, threshold and what it leaves behind, and its leaves from
    the left. Nothing is above an infinite threshold: such a node only repeats a branch that ended before."""

    def __init__(self, feature: NDArray, threshold: NDArray, leaves: NDArray) -> None:
        self._feature, self._threshold, self._all = feature, threshold, leaves
        self.nodes: list[tuple[int, float, int]] = []
        self.leaves: list[float] = []
        self._reach(0)

    def _reach(self, at: int) -> int:
        """The set of leaves below this node."""
        inner = len(self._feature)
        while at < inner and np.isposinf(self._threshold[at]):
            at = 2 * at + 1
        if at >= inner:
            self.leaves.append(self._all[at - inner])
            return 1 << (len(self.leaves) - 1)
        left = self._reach(2 * at + 1)
        self.nodes.append((self._feature[at], self._threshold[at], left))
        return left | self._reach(2 * at + 2)
