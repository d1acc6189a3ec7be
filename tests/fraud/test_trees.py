"""Small trees are read by sets of leaves and large ones by walking: both end where a person's finger would."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from fraud.rules.learning.leafsets import MOST_LEAVES, LeafSets
from fraud.rules.learning.trees import Node, Trees, pack
from fraud.rules.learning.walk import Walk
from tests.dice import SEED

WIDTH = 6
THRESHOLDS = (-1.0, 0.0, 0.5, 2.0)


def grown(dice: Random, leaves: int) -> Node:
    """A tree with so many leaves, a quarter of them or more on either side of each node."""
    if leaves == 1:
        return Node(value=dice.uniform(-1, 1))
    least = max(1, leaves // 4)
    left = dice.randint(least, leaves - least)
    return Node(
        value=0.0,
        feature=dice.randrange(WIDTH),
        threshold=dice.choice(THRESHOLDS),
        gaps_left=dice.random() < 0.5,
        left=grown(dice, left),
        right=grown(dice, leaves - left),
    )


def packed(seed: int, *, leaves: int, single: bool) -> tuple[list[Node], Trees]:
    dice = Random(SEED + seed)
    roots: list[Node] = []
    while len(roots) < 30:
        root = grown(dice, dice.randint(1, leaves))
        try:
            pack([root], width=WIDTH, base=0.0, single=False, single_sum=False)
        except ValueError:  # deeper than can be packed
            continue
        roots.append(root)
    return roots, pack(roots, width=WIDTH, base=0.0, single=single, single_sum=False)


def drawn(seed: int, count: int) -> np.ndarray:
    """Rows that lie on thresholds as often as between them, with gaps and what has no end."""
    dice = np.random.default_rng(SEED + seed)
    return dice.choice([*THRESHOLDS, -7.0, 0.25, 1.0, 9.0, math.nan, math.inf, -math.inf], size=(count, WIDTH))


def end_of(root: Node, row: np.ndarray) -> float:
    while root.left is not None and root.right is not None:
        cell = row[root.feature]
        left = root.gaps_left if math.isnan(cell) else cell <= root.threshold
        root = root.left if left else root.right
    return root.value


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(("leaves", "reader"), [(1, LeafSets), (16, LeafSets), (MOST_LEAVES, LeafSets), (90, Walk)])
def test_every_row_ends_in_the_leaf_of_each_tree(leaves: int, reader: type, *, single: bool) -> None:
    roots, trees = packed(leaves, leaves=leaves, single=single)
    assert isinstance(trees._reader, reader)
    rows = drawn(leaves, 200)
    expected = np.array([math.fsum(end_of(root, row) for root in roots) for row in rows])
    assert np.abs(trees.sums(rows) - expected).max() < 1e-12
    one_by_one = [trees.sums(row[None, :])[0] for row in rows]
    assert one_by_one == trees.sums(rows).tolist()


def test_sets_of_leaves_and_walking_give_the_same() -> None:
    _, trees = packed(7, leaves=MOST_LEAVES, single=False)
    parts = trees.feature, trees.threshold, trees.value[:, trees.feature.shape[1] :]
    cells = trees._cells(drawn(7, 300))
    assert np.array_equal(LeafSets.of(*parts).read(cells), Walk.of(*parts).read(cells))
