"""The stored arrays score as the libraries that fitted them do."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import IsolationForest
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neural_network import MLPRegressor

from fraud.rules.features import VECTOR_FEATURES
from fraud.rules.learning import boosting, unsupervised
from fraud.rules.learning.boosting import Balance, Choice, Library
from fraud.rules.learning.layers import KINDS, WIDTH, Layer, LayerName, Preparation
from fraud.rules.learning.trees import BrokenArrays

COLUMNS = len(VECTOR_FEATURES)


def payments(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Rows with gaps, of which large amounts to risky payees are fraud."""
    dice = np.random.default_rng(seed)
    rows = dice.exponential(20.0, size=(count, COLUMNS))
    rows[:, 0] = dice.integers(1, 500_00, count)
    rows[dice.random(rows.shape) < 0.1] = np.nan
    labels = (np.nan_to_num(rows[:, 0]) > 400_00) & (np.nan_to_num(rows[:, 45]) > 10)
    return rows, labels.astype(np.int64)


@pytest.mark.parametrize("balance", list(Balance))
def test_xgboost_scores_to_the_same_bits(balance: Balance) -> None:
    rows, labels = payments(800)
    choice = Choice(Library.XGBOOST, balance, trees=40)
    booster = boosting.fit_library(rows, labels, choice, seed=1, jobs=1)
    fresh, _ = payments(300, seed=2)
    ours = boosting.pack_xgboost(booster, COLUMNS).margins(fresh)
    theirs = booster.predict(xgboost.DMatrix(fresh), output_margin=True)
    assert np.array_equal(ours.astype(np.float32), theirs)


def test_lightgbm_scores_the_same_with_and_without_gaps_in_training() -> None:
    rows, labels = payments(800)
    rows[:, 3] = np.nan_to_num(rows[:, 3]) - 5.0
    booster = boosting.fit_library(rows, labels, Choice(Library.LIGHTGBM, Balance.NONE, trees=40), seed=1, jobs=1)
    fresh, _ = payments(300, seed=2)
    ours = boosting.pack_lightgbm(booster, COLUMNS)
    assert np.abs(ours.raw(fresh) - booster.predict(fresh)).max() < 1e-9


def test_the_unsupervised_layers_score_the_same() -> None:
    rows, _ = payments(600)
    preparation = Preparation.fit(rows)
    cells = preparation.apply(rows)
    fresh, _ = payments(200, seed=2)
    seen = preparation.apply(fresh)
    forest = IsolationForest(n_estimators=100, random_state=1).fit(cells)
    ours: Layer = unsupervised.pack_isolation(forest, preparation)
    assert np.abs(ours.raw(fresh) + forest.score_samples(seen)).max() < 1e-9
    mapping = Nystroem(gamma=1 / WIDTH, n_components=50, random_state=1).fit(cells)
    machine = SGDOneClassSVM(nu=0.05, random_state=1).fit(mapping.transform(cells))
    ours = unsupervised.pack_one_class(mapping, machine, preparation)
    assert np.abs(ours.raw(fresh) + machine.decision_function(mapping.transform(seen))).max() < 1e-9
    network = MLPRegressor(hidden_layer_sizes=unsupervised.HIDDEN, max_iter=2, random_state=1).fit(cells, cells)
    ours = unsupervised.pack_autoencoder(network, preparation)
    assert np.abs(ours.raw(fresh) - ((network.predict(seen) - seen) ** 2).mean(axis=1)).max() < 1e-9


@pytest.fixture(scope="module")
def layers() -> dict[LayerName, Layer]:
    rows, labels = payments(800)
    choice = Choice(Library.XGBOOST, Balance.NONE, trees=20)
    supervised: dict[LayerName, Layer] = {LayerName.SUPERVISED: boosting.fit_once(rows, labels, choice, seed=1)}
    return supervised | dict(unsupervised.fit(rows, seed=1))


@pytest.mark.parametrize("name", list(KINDS))
def test_arrays_come_back_as_the_same_layer(layers: dict[LayerName, Layer], name: LayerName) -> None:
    fresh, _ = payments(50, seed=3)
    again = KINDS[name].from_arrays(layers[name].arrays())
    assert np.array_equal(again.raw(fresh), layers[name].raw(fresh))


@pytest.mark.parametrize("name", list(KINDS))
def test_broken_arrays_are_refused(layers: dict[LayerName, Layer], name: LayerName) -> None:
    arrays = layers[name].arrays()
    for part in arrays:
        broken: dict[str, Any] = {**arrays, part: np.full(3, np.nan)}
        with pytest.raises(BrokenArrays):
            KINDS[name].from_arrays(broken)
        with pytest.raises(BrokenArrays):
            KINDS[name].from_arrays({other: value for other, value in arrays.items() if other != part})


def test_contributions_of_boosting_add_up_to_the_score(layers: dict[LayerName, Layer]) -> None:
    fresh, _ = payments(20, seed=4)
    layer: Any = layers[LayerName.SUPERVISED]
    for row in fresh:
        start = layer.trees.base + layer.trees.value[:, 0].sum()
        assert start + layer.explain(row).sum() == pytest.approx(layer.margins(row[None, :])[0], abs=1e-4)


@pytest.mark.parametrize("name", [LayerName.ISOLATION_FOREST, LayerName.ONE_CLASS_SVM, LayerName.AUTOENCODER])
def test_what_is_unusual_stands_out_and_is_named(layers: dict[LayerName, Layer], name: LayerName) -> None:
    usual, _ = payments(200, seed=5)
    odd = np.nan_to_num(usual[0], nan=10.0)
    odd[7] = 1e9
    layer = layers[name]
    assert layer.raw(odd[None, :])[0] > np.median(layer.raw(usual))
    assert int(np.argmax(layer.explain(odd))) == 7


def test_a_process_that_serves_starts_without_the_libraries_that_only_fit() -> None:
    code = "import django, sys; django.setup(); print(sorted({'sklearn', 'xgboost', 'lightgbm'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[-2] == "[]"
