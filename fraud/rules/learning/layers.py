"""The models of a decision, each as plain arrays: a row of numbers in, how suspicious it is out, and why.

The supervised layer reads the whole vector, the others the first 41 behind one preparation. Nothing here imports what
fitted them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fraud.rules.features import FEATURES, MODEL_FEATURES, Kind
from fraud.rules.learning.trees import BrokenArrays, Floats, Trees

WIDTH = len(MODEL_FEATURES)
# Beyond this many standard deviations one value counts as much as any further one.
FURTHEST = 8.0
_CHUNK = 1024
_LOGARITHMIC_KINDS = (Kind.MONEY, Kind.COUNT)


class LayerName(StrEnum):
    RULES = "rules"
    SUPERVISED = "supervised"
    ISOLATION_FOREST = "isolation_forest"
    ONE_CLASS_SVM = "one_class_svm"
    AUTOENCODER = "autoencoder"


UNSUPERVISED = (LayerName.ISOLATION_FOREST, LayerName.ONE_CLASS_SVM, LayerName.AUTOENCODER)


class Layer(Protocol):
    """`raw` is higher for what is more suspicious; `explain` says how much of it each feature brought.

    `measure` is `raw` of rows that went through the layer's preparation already; None takes rows as they are.
    """

    @property
    def preparation(self) -> Preparation | None: ...

    def raw(self, rows: Floats) -> Floats: ...

    def measure(self, cells: Floats) -> Floats: ...

    def explain(self, row: Floats) -> Floats: ...

    def arrays(self) -> dict[str, NDArray]: ...


def logarithmic() -> NDArray[np.bool_]:
    """Which of the 41 are amounts, counts or durations and so span orders of magnitude."""
    names = [FEATURES[name] for name in MODEL_FEATURES]
    return np.array(
        [f.kind in _LOGARITHMIC_KINDS or f.unit in ("seconds", "times", "standard deviations") for f in names]
    )


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """Gaps become the median, wide scales logarithms (of size, keeping the sign), then mean 0 and deviation 1."""

    medians: Floats
    means: Floats
    deviations: Floats

    def apply(self, rows: Floats) -> Floats:
        cells = rows[:, :WIDTH]
        cells = _flattened(np.where(np.isnan(cells), self.medians, cells))
        cells -= self.means
        cells /= self.deviations
        np.minimum(cells, FURTHEST, out=cells)
        return np.maximum(cells, -FURTHEST, out=cells)

    @classmethod
    def fit(cls, rows: Floats) -> Preparation:
        """From training rows; a column without any value counts as zero."""
        cells = rows[:, :WIDTH]
        known = ~np.isnan(cells)
        medians = np.array(
            [np.median(column[seen]) if seen.any() else 0.0 for column, seen in zip(cells.T, known.T, strict=True)]
        )
        plain = cls(medians, np.zeros(WIDTH), np.ones(WIDTH))
        cells = _flattened(np.where(known, cells, plain.medians))
        deviations = cells.std(axis=0)
        return cls(medians, cells.mean(axis=0), np.where(deviations > 1e-9, deviations, 1.0))


_LOG = logarithmic()


def _flattened(cells: Floats) -> Floats:
    """Wide scales as logarithms of their size, keeping the sign."""
    logarithms = np.log1p(np.abs(cells))
    return np.where(_LOG, np.copysign(logarithms, cells, out=logarithms), cells)


@dataclass(frozen=True, slots=True, eq=False)
class Boosting:
    """Gradient boosting: log-odds of fraud as the sum of trees, and from them a probability."""

    trees: Trees
    preparation: ClassVar[None] = None

    def margins(self, rows: Floats) -> Floats:
        return self.trees.sums(rows)

    def raw(self, rows: Floats) -> Floats:
        odds = self.margins(rows)
        # The exponential overflows beyond that.
        np.exp(np.minimum(odds, 700.0, out=odds), out=odds)
        return np.divide(odds, odds + 1.0, out=odds)

    def measure(self, cells: Floats) -> Floats:
        return self.raw(cells)

    def explain(self, row: Floats) -> Floats:
        return self.trees.contributions(row)

    def arrays(self) -> dict[str, NDArray]:
        return self.trees.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> Boosting:
        return cls(Trees.from_arrays(arrays))


@dataclass(frozen=True, slots=True, eq=False)
class Isolation:
    """Isolation Forest (Liu, Ting, Zhou, 2008): what few random cuts set apart is unusual. `norm` is the depth of all."""

    preparation: Preparation
    trees: Trees
    norm: float

    def raw(self, rows: Floats) -> Floats:
        return self.measure(self.preparation.apply(rows))

    def measure(self, cells: Floats) -> Floats:
        return np.asarray(np.exp2(self.trees.sums(cells) / -self.norm), dtype=np.float64)

    def explain(self, row: Floats) -> Floats:
        # A short path makes a row unusual, so what shortened it counts.
        return -self.trees.contributions(self.preparation.apply(row[None, :])[0])

    def arrays(self) -> dict[str, NDArray]:
        return {**_dump(self.preparation), **self.trees.arrays(), "norm": np.array([self.norm])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> Isolation:
        return cls(_preparation(arrays), Trees.from_arrays(arrays), float(_part(arrays, "norm")[0]))


@dataclass(frozen=True, eq=False)
class OneClass:
    """One-Class SVM over a Nyström map of the RBF kernel: how far outside the region of usual payments.

    The map's normalisation and the SVM's weights are one vector, so a score is the kernel with each landmark times that.
    """

    preparation: Preparation
    landmarks: Floats
    weights: Floats
    gamma: float
    offset: float

    def raw(self, rows: Floats) -> Floats:
        return self.measure(self.preparation.apply(rows))

    @cached_property
    def _exponent(self) -> tuple[Floats, Floats]:
        """What -gamma times the squared distance to each landmark is made of, beside the row's own square."""
        return 2.0 * self.gamma * self.landmarks.T, -self.gamma * (self.landmarks**2).sum(axis=1)

    def measure(self, cells: Floats) -> Floats:
        found = np.empty(len(cells))
        slope, start = self._exponent
        for begin in range(0, len(cells), _CHUNK):
            part = cells[begin : begin + _CHUNK]
            exponent = part.dot(slope)
            exponent += start
            exponent -= self.gamma * np.vecdot(part, part)[:, None]
            np.minimum(exponent, 0.0, out=exponent)
            found[begin : begin + _CHUNK] = self.offset - np.exp(exponent, out=exponent).dot(self.weights)
        return found

    def explain(self, row: Floats) -> Floats:
        # The gradient points out of the region; what of it lies along the row's own deviations is each one's share.
        cells = self.preparation.apply(row[None, :])[0]
        apart = cells - self.landmarks
        kernel = np.exp(-self.gamma * (apart**2).sum(axis=1))
        gradient = 2.0 * self.gamma * (kernel * self.weights) @ apart
        return gradient * cells

    def arrays(self) -> dict[str, NDArray]:
        return {
            **_dump(self.preparation),
            "landmarks": self.landmarks,
            "weights": self.weights,
            "kernel": np.array([self.gamma, self.offset]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> OneClass:
        landmarks, weights = _part(arrays, "landmarks"), _part(arrays, "weights")
        if landmarks.ndim != 2 or landmarks.shape[1] != WIDTH or weights.shape != (len(landmarks),):
            raise BrokenArrays("landmarks and weights do not fit")
        gamma, offset = _part(arrays, "kernel")
        return cls(_preparation(arrays), landmarks, weights, float(gamma), float(offset))


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """A network that learnt to give usual payments back through 14 numbers; what it cannot give back is unusual."""

    preparation: Preparation
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def raw(self, rows: Floats) -> Floats:
        return self.measure(self.preparation.apply(rows))

    def measure(self, cells: Floats) -> Floats:
        """Mean squared error of the reconstruction."""
        found = np.empty(len(cells))
        for start in range(0, len(cells), _CHUNK):
            part = cells[start : start + _CHUNK]
            apart = self._pass(part)
            apart -= part
            found[start : start + _CHUNK] = np.vecdot(apart, apart) / WIDTH
        return found

    def explain(self, row: Floats) -> Floats:
        cells = self.preparation.apply(row[None, :])
        return (self._pass(cells) - cells)[0] ** 2

    def _pass(self, cells: Floats) -> Floats:
        """Each matrix brings its bias as one more row, for a last number that stays 1 all the way."""
        *inner, last = self._matrices
        with_one = np.ones((len(cells), WIDTH + 1))
        with_one[:, :WIDTH] = cells
        for matrix in inner:
            with_one = with_one.dot(matrix)
            np.maximum(with_one, 0.0, out=with_one)
        return with_one.dot(last)

    @cached_property
    def _matrices(self) -> list[Floats]:
        found = []
        for weight, bias in zip(self.weights, self.biases, strict=True):
            matrix = np.zeros((weight.shape[0] + 1, weight.shape[1] + 1))
            matrix[:-1, :-1], matrix[-1, :-1], matrix[-1, -1] = weight, bias, 1.0
            found.append(matrix)
        return [*found[:-1], np.ascontiguousarray(found[-1][:, :-1])]

    def arrays(self) -> dict[str, NDArray]:
        found = _dump(self.preparation)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            found[f"weight_{index}"], found[f"bias_{index}"] = weight, bias
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> Autoencoder:
        count = sum(name.startswith("weight_") for name in arrays)
        weights = tuple(_part(arrays, f"weight_{index}") for index in range(count))
        biases = tuple(_part(arrays, f"bias_{index}") for index in range(count))
        sizes = [WIDTH, *(len(bias) for bias in biases)]
        if (
            not weights
            or sizes[-1] != WIDTH
            or any(weight.shape != shape for weight, shape in zip(weights, pairwise(sizes), strict=True))
        ):
            raise BrokenArrays("the network's parts do not fit")
        return cls(_preparation(arrays), weights, biases)


KINDS: Mapping[LayerName, type[Boosting | Isolation | OneClass | Autoencoder]] = {
    LayerName.SUPERVISED: Boosting,
    LayerName.ISOLATION_FOREST: Isolation,
    LayerName.ONE_CLASS_SVM: OneClass,
    LayerName.AUTOENCODER: Autoencoder,
}


def _dump(preparation: Preparation) -> dict[str, NDArray]:
    return {part.name: getattr(preparation, part.name) for part in fields(preparation)}


def _preparation(arrays: Mapping[str, NDArray]) -> Preparation:
    parts = [_part(arrays, part.name) for part in fields(Preparation)]
    if any(part.shape != (WIDTH,) for part in parts) or not (parts[2] > 0).all():
        raise BrokenArrays("the preparation does not fit")
    return Preparation(*parts)


def _part(arrays: Mapping[str, NDArray], name: str) -> Floats:
    """One array of finite numbers. Raises BrokenArrays."""
    try:
        found = np.asarray(arrays[name], dtype=np.float64)
    except (KeyError, ValueError, TypeError) as error:
        raise BrokenArrays(f"{name} is missing") from error
    if not np.isfinite(found).all():
        raise BrokenArrays(f"{name} is not finite")
    return found
