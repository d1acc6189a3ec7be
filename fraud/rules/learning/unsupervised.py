"""Fitting the layers that know no labels, on payments that nobody has called fraud."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neural_network import MLPRegressor

from fraud.rules.learning.layers import WIDTH, Autoencoder, Isolation, Layer, LayerName, OneClass, Preparation
from fraud.rules.learning.trees import Floats, Node, pack

TREES = 100
LANDMARKS = 200
NU = 0.01
HIDDEN = (64, 32, 14, 32, 64)
EPOCHS = 35
MOST_ROWS = 20_000


def fit(rows: Floats, *, seed: int) -> Mapping[LayerName, Layer]:
    """All three on the same rows, at most 20,000 of them, drawn evenly."""
    rows = sample(rows, seed=seed)
    preparation = Preparation.fit(rows)
    return {
        LayerName.ISOLATION_FOREST: fit_isolation(rows, preparation, seed=seed),
        LayerName.ONE_CLASS_SVM: fit_one_class(rows, preparation, seed=seed),
        LayerName.AUTOENCODER: fit_autoencoder(rows, preparation, seed=seed),
    }


def sample(rows: Floats, *, seed: int) -> Floats:
    if len(rows) <= MOST_ROWS:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False)
    return rows[np.sort(chosen)]


def fit_isolation(rows: Floats, preparation: Preparation, *, seed: int) -> Isolation:
    return pack_isolation(
        IsolationForest(n_estimators=TREES, random_state=seed).fit(preparation.apply(rows)), preparation
    )


def pack_isolation(fitted: IsolationForest, preparation: Preparation) -> Isolation:
    """Each leaf's depth plus what the rows that ended there would still have had."""
    roots = [_isolation_node(estimator.tree_, 0, 0) for estimator in fitted.estimators_]
    trees = pack(roots, width=WIDTH, base=0.0, single=True, single_sum=False)
    return Isolation(preparation, trees, len(roots) * average_depth(int(fitted.max_samples_)))


def _isolation_node(tree: object, at: int, depth: int) -> Node:
    rows = int(tree.n_node_samples[at])  # type: ignore[attr-defined]
    left, right = tree.children_left[at], tree.children_right[at]  # type: ignore[attr-defined]
    if left < 0:
        return Node(value=depth + average_depth(rows), cover=rows)
    return Node(
        value=0.0,
        cover=rows,
        feature=int(tree.feature[at]),  # type: ignore[attr-defined]
        threshold=float(tree.threshold[at]),  # type: ignore[attr-defined]
        left=_isolation_node(tree, left, depth + 1),
        right=_isolation_node(tree, right, depth + 1),
    )


def average_depth(rows: int) -> float:
    """Average depth at which a search in a random binary tree of so many rows fails: 2 H(n-1) - 2 (n-1) / n."""
    if rows <= 2:
        return float(rows == 2)
    return float(2.0 * (np.log(rows - 1.0) + np.euler_gamma) - 2.0 * (rows - 1.0) / rows)


def fit_one_class(rows: Floats, preparation: Preparation, *, seed: int) -> OneClass:
    cells = preparation.apply(rows)
    landmarks = min(LANDMARKS, len(cells))
    mapping = Nystroem(gamma=1.0 / WIDTH, n_components=landmarks, random_state=seed).fit(cells)
    fitted = SGDOneClassSVM(nu=NU, random_state=seed).fit(mapping.transform(cells))
    return pack_one_class(mapping, fitted, preparation)


def pack_one_class(mapping: Nystroem, fitted: SGDOneClassSVM, preparation: Preparation) -> OneClass:
    return OneClass(
        preparation,
        landmarks=np.asarray(mapping.components_, dtype=np.float64),
        weights=np.asarray(mapping.normalization_.T @ fitted.coef_.ravel(), dtype=np.float64),
        gamma=float(mapping.gamma),
        offset=float(fitted.offset_[0]),
    )


def fit_autoencoder(rows: Floats, preparation: Preparation, *, seed: int) -> Autoencoder:
    cells = preparation.apply(rows)
    network = MLPRegressor(
        hidden_layer_sizes=HIDDEN,
        max_iter=EPOCHS,
        early_stopping=len(cells) >= 100,
        n_iter_no_change=4,
        batch_size=min(256, len(cells)),
        learning_rate_init=2e-3,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Stopping at the last epoch is intended.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(cells, cells)
    return pack_autoencoder(network, preparation)


def pack_autoencoder(network: MLPRegressor, preparation: Preparation) -> Autoencoder:
    return Autoencoder(preparation, tuple(network.coefs_), tuple(network.intercepts_))
