"""Fitting the supervised layer: which library and which answer to rare labels does best on the days that follow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import lightgbm
import numpy as np
import optuna
import xgboost
from imblearn.over_sampling import SMOTE
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from fraud.rules.learning.layers import Boosting
from fraud.rules.learning.trees import DEEPEST, Floats, Node, pack

# The last days of the training window choose.
VALIDATION_SHARE = 2 / 7
# SMOTE raises frauds to this share of the other rows.
SMOTE_SHARE = 0.05
FEWEST_FRAUDS = 10


class TooFewLabels(ValueError):
    """Training needs frauds and other payments."""


class Library(StrEnum):
    XGBOOST = "xgboost"
    LIGHTGBM = "lightgbm"


class Balance(StrEnum):
    """What is done about frauds being rare: nothing, heavier ones, or synthetic ones between neighbours."""

    NONE = "none"
    WEIGHTS = "class weights"
    SMOTE = "SMOTE"


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to fit. `rate` is the step of each tree, `columns` and `sample` the shares each tree sees."""

    library: Library
    balance: Balance
    trees: int = 200
    depth: int = 4
    rate: float = 0.05
    columns: float = 0.5
    sample: float = 0.8
    penalty: float = 1.0
    least: int = 1

    def describe(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in asdict(self).items()}


# Asked in this order; the first of equals wins.
CHOICES = tuple(Choice(library, balance) for library in Library for balance in Balance)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The layer, how it was chosen, and what the chosen way said about the days it had not seen."""

    layer: Boosting
    choice: Choice
    average_precisions: Mapping[Choice, float]
    validation_scores: Floats
    validation_labels: NDArray


def fit(
    rows: Floats,
    labels: NDArray,
    at_us: NDArray,
    *,
    seed: int,
    choices: Sequence[Choice] = CHOICES,
    trials: int = 0,
    jobs: int = 2,
    each: Callable[[Choice, float], None] = lambda choice, precision: None,
) -> Fitted:
    """Try each choice on the earlier days and measure it on the last ones, then fit the best on all.

    `trials` more choices are searched for by Optuna, which learns from those before; `each` is told of every one.
    Rows in order of time. Raises TooFewLabels.
    """
    cut = at_us[0] + (at_us[-1] - at_us[0]) * (1 - VALIDATION_SHARE)
    early = at_us < cut
    for part, words in ((early, "earlier"), (~early, "last")):
        frauds = int(labels[part].sum())
        if frauds < FEWEST_FRAUDS or frauds > part.sum() - FEWEST_FRAUDS:
            raise TooFewLabels(
                f"the {words} part of the training days has {frauds} frauds in {int(part.sum())} payments; "
                f"at least {FEWEST_FRAUDS} of each kind are needed"
            )
    found: dict[Choice, tuple[float, Floats]] = {}

    def measure(choice: Choice) -> float:
        scores = fit_once(rows[early], labels[early], choice, seed=seed, jobs=jobs).raw(rows[~early])
        found[choice] = (float(average_precision_score(labels[~early], scores)), scores)
        each(choice, found[choice][0])
        return found[choice][0]

    if trials:
        _search(measure, choices, trials=trials, seed=seed)
    else:
        for choice in choices:
            measure(choice)
    best = max(found, key=lambda choice: found[choice][0])
    return Fitted(
        layer=fit_once(rows, labels, best, seed=seed, jobs=jobs),
        choice=best,
        average_precisions={choice: precision for choice, (precision, _) in found.items()},
        validation_scores=found[best][1],
        validation_labels=labels[~early],
    )


def _search(measure: Callable[[Choice], float], choices: Sequence[Choice], *, trials: int, seed: int) -> None:
    """Optuna's tree of Parzen estimators over library, balance and sizes, beginning with the choices given."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for choice in choices:
        study.enqueue_trial(choice.describe())
    study.optimize(lambda trial: measure(_suggested(trial)), n_trials=len(choices) + trials)


def _suggested(trial: Any) -> Choice:
    return Choice(
        library=Library(trial.suggest_categorical("library", [each.value for each in Library])),
        balance=Balance(trial.suggest_categorical("balance", [each.value for each in Balance])),
        trees=trial.suggest_int("trees", 100, 400, step=20),
        depth=trial.suggest_int("depth", 3, 6),
        rate=trial.suggest_float("rate", 0.02, 0.2, log=True),
        columns=trial.suggest_float("columns", 0.2, 1.0),
        sample=trial.suggest_float("sample", 0.5, 1.0),
        penalty=trial.suggest_float("penalty", 0.1, 20.0, log=True),
        least=trial.suggest_int("least", 1, 20),
    )


def fit_once(rows: Floats, labels: NDArray, choice: Choice, *, seed: int, jobs: int = 2) -> Boosting:
    """One fit, packed."""
    booster = fit_library(rows, labels, choice, seed=seed, jobs=jobs)
    if choice.library is Library.XGBOOST:
        return pack_xgboost(booster, rows.shape[1])
    return pack_lightgbm(booster, rows.shape[1])


def fit_library(rows: Floats, labels: NDArray, choice: Choice, *, seed: int, jobs: int) -> Any:
    """The library's own booster, for packing and for comparing with it."""
    weight = 1.0
    if choice.balance is Balance.WEIGHTS:
        weight = math.sqrt((len(labels) - labels.sum()) / max(labels.sum(), 1))
    if choice.balance is Balance.SMOTE:
        rows, labels = _with_synthetic(rows, labels, seed)
    if choice.library is Library.XGBOOST:
        return xgboost.train(
            {
                "objective": "binary:logistic",
                "tree_method": "hist",
                "max_bin": 1024,
                "max_depth": choice.depth,
                "eta": choice.rate,
                "colsample_bytree": choice.columns,
                "subsample": choice.sample,
                "lambda": choice.penalty,
                "min_child_weight": choice.least,
                "scale_pos_weight": weight,
                "seed": seed,
                "nthread": jobs,
                "base_score": 0.5,
            },
            xgboost.DMatrix(rows, label=labels),
            num_boost_round=choice.trees,
        )
    return lightgbm.train(
        {
            "objective": "binary",
            "max_depth": choice.depth + 1,
            "num_leaves": 3 * 2 ** (choice.depth - 2),
            "learning_rate": choice.rate,
            "feature_fraction": choice.columns,
            "bagging_fraction": choice.sample,
            "bagging_freq": 1,
            "lambda_l2": choice.penalty,
            "min_sum_hessian_in_leaf": choice.least,
            "scale_pos_weight": weight,
            "max_bin": 511,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": jobs,
            "verbosity": -1,
        },
        lightgbm.Dataset(rows, label=labels),
        num_boost_round=choice.trees,
    )


def _with_synthetic(rows: Floats, labels: NDArray, seed: int) -> tuple[Floats, NDArray]:
    """SMOTE knows no gaps, so the rows it draws from have medians there; the real rows keep theirs."""
    medians = np.array([np.median(seen) if len(seen := column[~np.isnan(column)]) else 0.0 for column in rows.T])
    share = labels.sum() / (len(labels) - labels.sum())
    if share >= SMOTE_SHARE:
        return rows, labels
    filled = np.where(np.isnan(rows), medians, rows)
    neighbours = min(5, int(labels.sum()) - 1)
    sampler = SMOTE(sampling_strategy=SMOTE_SHARE, k_neighbors=neighbours, random_state=seed)
    more, more_labels = sampler.fit_resample(filled, labels)
    return np.concatenate([rows, more[len(rows) :]]), np.concatenate([labels, more_labels[len(rows) :]])


def pack_xgboost(booster: Any, width: int) -> Boosting:
    """Take the trees out of its JSON. It goes left below a threshold, so ours is the number just under it."""
    model = json.loads(bytes(booster.save_raw("json")))["learner"]
    base = float(np.float32(str(model["learner_model_param"]["base_score"]).strip("[]")))
    roots = [_xgboost_node(tree, 0) for tree in model["gradient_booster"]["model"]["trees"]]
    margin = math.log(base / (1.0 - base))
    return Boosting(pack(roots, width=width, base=margin, single=True, single_sum=True))


def _xgboost_node(tree: Mapping[str, Any], at: int) -> Node:
    cover = float(tree["sum_hessian"][at])
    if tree["left_children"][at] < 0:
        return Node(value=float(np.float32(tree["split_conditions"][at])), cover=cover)
    below = np.nextafter(np.float32(tree["split_conditions"][at]), np.float32(-np.inf))
    return Node(
        value=0.0,
        cover=cover,
        feature=int(tree["split_indices"][at]),
        threshold=float(below),
        gaps_left=bool(tree["default_left"][at]),
        left=_xgboost_node(tree, tree["left_children"][at]),
        right=_xgboost_node(tree, tree["right_children"][at]),
    )


def pack_lightgbm(booster: Any, width: int) -> Boosting:
    """Take the trees out of its dump; it compares in double precision, as we do."""
    roots = [_lightgbm_node(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    return Boosting(pack(roots, width=width, base=0.0, single=False, single_sum=False))


def _lightgbm_node(tree: Mapping[str, Any]) -> Node:
    if "left_child" not in tree:
        return Node(value=float(tree["leaf_value"]), cover=float(tree.get("leaf_count", 1)))
    threshold = float(tree["threshold"])
    # A column without gaps in training takes a gap for zero.
    gaps_left = bool(tree["default_left"]) if tree["missing_type"] == "NaN" else threshold >= 0.0
    return Node(
        value=0.0,
        cover=float(tree["internal_count"]),
        feature=int(tree["split_feature"]),
        threshold=threshold,
        gaps_left=gaps_left,
        left=_lightgbm_node(tree["left_child"]),
        right=_lightgbm_node(tree["right_child"]),
    )


assert max(choice.depth for choice in CHOICES) < DEEPEST
