"""Larger trees read by walking down all of them at once, three levels at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Bytes that a processor fetches at once.
_LINE = 64
_LEVELS = 3
_NODES = (1 << _LEVELS) - 1


def _exit(comparisons: int) -> int:
    """Where the comparisons of a block lead, given as the bits of a byte from the highest: 1 goes right."""
    node = 0
    while node < _NODES:
        node = 2 * node + 1 + (comparisons >> (_NODES - node) & 1)
    return node - _NODES


_EXITS = np.array([_exit(comparisons) for comparisons in range(256)], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Walk:
    """Blocks of three levels of all trees; where the depth is no multiple of three, the first block has fewer.

    A block has a row of seven nodes (and one that is nothing) for each way into it. The way out of them numbered `i` of the
    row `r` leads to the row `8 r + i` of the next block, or to that leaf.
    """

    feature: NDArray[np.intp]
    threshold: NDArray
    below: list[NDArray[np.void]]
    # Where the leftmost way out of each tree's first block leads.
    ways_in: NDArray[np.intp]
    values: NDArray

    @classmethod
    def of(cls, feature: NDArray, threshold: NDArray, leaves: NDArray) -> Walk:
        """From complete trees: `feature` and `threshold` by tree and inner node, `leaves` by tree."""
        depth = int(feature.shape[1] + 1).bit_length() - 1
        missing = -depth % _LEVELS
        top, *below = [
            _block(feature, threshold, range(start, start + _LEVELS)) for start in range(-missing, depth, _LEVELS)
        ]
        ways_in = np.arange(len(feature)) << (_LEVELS - missing)
        return cls(*top, [_together(*block) for block in below], ways_in, leaves.ravel())

    def read(self, cells: NDArray) -> NDArray:
        """The leaf of each tree, a row for each row. All comparisons of a block are made at once: these are more than those
        on the way down, but for one row what costs is how many calls there are."""
        flat = cells.ravel()
        first = np.arange(0, flat.size, cells.shape[1])[:, None, None] if len(cells) > 1 else None
        at = _EXITS.take(np.packbits(cells.take(self.feature, axis=1) > self.threshold)).reshape(len(cells), -1)
        at += self.ways_in
        for block in self.below:
            nodes = block.take(at)
            cell = nodes["feature"]
            if first is not None:
                cell = cell + first
            ways = np.packbits(flat.take(cell) > nodes["threshold"])
            at <<= _LEVELS
            at += _EXITS.take(ways).reshape(at.shape)
        return self.values.take(at)


def _block(feature: NDArray, threshold: NDArray, depths: range) -> tuple[NDArray[np.intp], NDArray]:
    """Feature and threshold of the nodes between these depths; above the root lies a way that leads left."""
    first = max(depths.start, 0)
    shape = (len(feature) << first, _NODES + 1)
    features, thresholds = np.zeros(shape, dtype=np.intp), np.full(shape, np.inf, dtype=threshold.dtype)
    for place, depth in enumerate(depths):
        if depth < 0:
            continue
        part, column = slice((1 << depth) - 1, (2 << depth) - 1), (1 << place) - 1
        columns = slice(column, column + (1 << (depth - first)))
        features[:, columns] = feature[:, part].reshape(shape[0], -1)
        thresholds[:, columns] = threshold[:, part].reshape(shape[0], -1)
    return features, thresholds


def _together(feature: NDArray, threshold: NDArray) -> NDArray[np.void]:
    """Feature and threshold side by side. A row reads few of many thousands, none of which the processor still has in
    its cache after a trip to the database: in single precision each is one line of it instead of three."""
    shape = (_NODES + 1,)
    features, thresholds = np.dtype((np.uint16, shape)), np.dtype((threshold.dtype, shape))
    size = -(-(features.itemsize + thresholds.itemsize) // _LINE) * _LINE
    layout: Any = {
        "names": ["feature", "threshold"],
        "formats": [features, thresholds],
        "offsets": [0, features.itemsize],
        "itemsize": size,
    }
    room = np.zeros(len(feature) * size + _LINE, dtype=np.uint8)
    start = -room.ctypes.data % _LINE
    nodes: NDArray[np.void] = room[start : start + len(feature) * size].view(np.dtype(layout))
    nodes["feature"], nodes["threshold"] = feature, threshold
    return nodes
