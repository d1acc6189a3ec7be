"""Each layer of a decision beside the call of the library that fitted it, and all of them on many rows at once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from sklearn.ensemble import IsolationForest
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from bankportal.bench.decisions import CHOICE, SEED
from fraud.rules.learning import boosting, unsupervised
from fraud.rules.learning.boosting import Library
from fraud.rules.learning.layers import WIDTH, Preparation
from fraud.rules.learning.stack import Stack, combine, scores
from fraud.rules.learning.trees import Floats


class Pair(NamedTuple):
    """Ours and the library's call on the same row; both give one number."""

    ours: Callable[[Floats], Any]
    library: Callable[[Floats], Any]


def pairs(rows: Floats, frauds: Floats) -> Mapping[str, Pair]:
    """Fit each layer once and pack it, so that both calls do the same work. The library's is its own usual one: XGBoost's
    `inplace_predict`, which needs no DMatrix, LightGBM's `predict`, and scikit-learn's behind our preparation."""
    preparation = Preparation.fit(rows)
    prepare = FunctionTransformer(preparation.apply)
    cells = preparation.apply(rows)
    booster = boosting.fit_library(rows, frauds, CHOICE, seed=SEED, jobs=1)
    lighter = boosting.fit_library(rows, frauds, replace(CHOICE, library=Library.LIGHTGBM), seed=SEED, jobs=1)
    forest = IsolationForest(n_estimators=unsupervised.TREES, random_state=SEED).fit(cells)
    mapping = Nystroem(gamma=1.0 / WIDTH, n_components=unsupervised.LANDMARKS, random_state=SEED).fit(cells)
    machine = SGDOneClassSVM(nu=unsupervised.NU, random_state=SEED).fit(mapping.transform(cells))
    # How well it learnt does not matter here; given less to do than its epochs it would warn.
    network = MLPRegressor(hidden_layer_sizes=unsupervised.HIDDEN, tol=1e9, n_iter_no_change=1, random_state=SEED)
    network.fit(cells, cells)
    forests, machines, networks = (
        make_pipeline(prepare, *steps) for steps in ((forest,), (mapping, machine), (network,))
    )
    return {
        "supervised (XGBoost)": Pair(boosting.pack_xgboost(booster, rows.shape[1]).raw, booster.inplace_predict),
        "supervised (LightGBM)": Pair(boosting.pack_lightgbm(lighter, rows.shape[1]).raw, lighter.predict),
        "isolation_forest": Pair(unsupervised.pack_isolation(forest, preparation).raw, forests.score_samples),
        "one_class_svm": Pair(
            unsupervised.pack_one_class(mapping, machine, preparation).raw, machines.decision_function
        ),
        "autoencoder": Pair(
            unsupervised.pack_autoencoder(network, preparation).raw,
            lambda row: ((networks.predict(row) - preparation.apply(row)) ** 2).mean(axis=1),
        ),
    }


def microseconds(found: Mapping[str, Pair], rows: Floats, *, rounds: int) -> dict[str, dict[str, float]]:
    """The median of single rows, ours and the library's in turns."""
    figures = {}
    for name, pair in found.items():
        taken: dict[str, list[float]] = {"ours": [], "library": []}
        for number in range(rounds):
            row = rows[number % len(rows)][None, :]
            for side, call in zip(taken, pair, strict=True):
                began = time.perf_counter()
                call(row)
                taken[side].append((time.perf_counter() - began) * 1e6)
        medians = {f"{side}_us": round(statistics.median(values), 1) for side, values in taken.items()}
        figures[name] = medians | {"times_as_fast": round(medians["library_us"] / medians["ours_us"], 2)}
    return figures


def batch_per_second(stack: Stack, rows: Floats) -> float:
    """Vectors a second through every layer, its scale, and the score that counts; one process."""
    began = time.perf_counter()
    combine(scores(stack, rows))
    return len(rows) / (time.perf_counter() - began)
