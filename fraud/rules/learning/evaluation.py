"""The Handbook's protocol on an outside dataset, through our features, our training and our scoring.

Le Borgne, Siblini, Lebichot, Bontempi: Reproducible Machine Learning for Credit Card Fraud Detection (2022), chapters 4
and 5: train on some days, wait for the labels, test on the days after, and move on by the length of the test.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.rules.features.arithmetic import DAY_US
from fraud.rules.features.replay import replay
from fraud.rules.features.table import VECTOR_FEATURES
from fraud.rules.judging import LiveRule, judge
from fraud.rules.learning import boosting, unsupervised
from fraud.rules.learning.dataset import BadDataset, Dataset
from fraud.rules.learning.layers import Layer, LayerName
from fraud.rules.learning.metrics import (
    FALSE_POSITIVES,
    OneClassOnly,
    Quality,
    mean_quality,
    measure,
    recall_at,
)
from fraud.rules.learning.stack import Budget, Scaled, combine, supervised_scale, unsupervised_scale
from fraud.rules.learning.trees import Floats

SEED = 20_180_401
WHOLE = "whole stack"
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Lengths in days. `label_delay_days` is how long after a fraud its label is known; `delay_days` lies between the
    training days and the test days. Raises BadDataset for lengths that make no sense."""

    train_start: date
    train_days: int = 7
    delay_days: int = 7
    test_days: int = 7
    folds: int = 4
    label_delay_days: int = 7

    def __post_init__(self) -> None:
        for name, least in (
            ("train_days", 1),
            ("delay_days", 0),
            ("test_days", 1),
            ("folds", 1),
            ("label_delay_days", 0),
        ):
            if getattr(self, name) < least:
                raise BadDataset(f"--{name.replace('_', '-')} must be at least {least}.")

    def starts(self, first: date, last: date) -> list[date]:
        """Where the folds begin to train: forwards from the start, or backwards where the data end too early for that.

        The Handbook counts folds backwards from its start date. Raises BadDataset when neither fits.
        """
        span = timedelta(days=self.train_days + self.delay_days + self.test_days - 1)
        for step in (1, -1):
            starts = [self.train_start + timedelta(days=step * self.test_days * fold) for fold in range(self.folds)]
            if min(starts) >= first and max(starts) + span <= last:
                return starts
        raise BadDataset(
            f"The data run from {first} to {last}; {self.folds} folds from {self.train_start} with {self.train_days} days "
            f"to train, {self.delay_days} to wait and {self.test_days} to test do not fit in there."
        )


@dataclass
class Fold:
    """What one fold found; `recalls` by layer and scenario follow FALSE_POSITIVES."""

    train_start: date
    test_start: date
    train_rows: int
    train_frauds: int
    test_rows: int
    test_frauds: int
    choice: dict[str, Any]
    choices: list[dict[str, Any]]
    layers: dict[str, Quality] = field(default_factory=dict)
    scenarios: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)
    flagged_share: float = 0.0
    seconds: float = 0.0


def evaluate(
    dataset: Dataset, protocol: Protocol, *, rules: Sequence[LiveRule], say: Callable[[str], None], jobs: int = 2
) -> dict[str, Any]:
    """Run all folds and return the report, ready for JSON. Raises BadDataset."""
    starts = protocol.starts(dataset.first_date, dataset.last_date)
    began = time.perf_counter()
    events = dataset.events(label_delay_days=protocol.label_delay_days)
    rows = replay(events)
    replayed = time.perf_counter() - began
    say(f"{len(rows):,} payments replayed into {rows.shape[1]} features in {replayed:.1f} s")
    folds = []
    for number, start in enumerate(starts, 1):
        fold = _fold(dataset, rows, events.known_us, protocol, start, rules, jobs)
        folds.append(fold)
        best = fold.layers[LayerName.SUPERVISED]
        say(
            f"fold {number} of {len(starts)}: trained from {fold.train_start}, tested from {fold.test_start}, "
            f"{fold.choice['library']} with {fold.choice['balance']}: AUC {best.auc_roc:.3f}, "
            f"AP {best.average_precision:.3f}, CP@100 {best.card_precision:.3f} ({fold.seconds:.0f} s)"
        )
    return _report(dataset, protocol, folds, replay_seconds=replayed)


def _fold(
    dataset: Dataset,
    rows: Floats,
    known_us: NDArray[np.int64],
    protocol: Protocol,
    start: date,
    rules: Sequence[LiveRule],
    jobs: int,
) -> Fold:
    began = time.perf_counter()
    train, test = split(dataset, known_us, protocol, start)
    first_test_us = (start.toordinal() - _EPOCH + protocol.train_days + protocol.delay_days) * DAY_US
    known = (known_us[train] <= first_test_us).astype(np.int64)
    try:
        fitted = boosting.fit(rows[train], known, dataset.at_us[train], seed=SEED, jobs=jobs)
    except boosting.TooFewLabels as error:
        raise BadDataset(f"The fold that trains from {start} cannot learn: {error}.") from error
    budget = Budget()
    scores: dict[LayerName, Floats] = {LayerName.RULES: rule_scores(rules, rows[test])}
    supervised = Scaled(fitted.layer, supervised_scale(fitted.validation_scores, budget))
    scores[LayerName.SUPERVISED] = supervised.scores(rows[test])
    raw = {LayerName.SUPERVISED: fitted.layer.raw(rows[test])}
    for name, layer in unsupervised.fit(rows[train][known == 0], seed=SEED).items():
        raw[name] = layer.raw(rows[test])
        scores[name] = Scaled(layer, _scale(layer, rows[train], budget)).scale.apply(raw[name])
    raw |= {LayerName.RULES: scores[LayerName.RULES]}
    together = combine(scores)
    fold = Fold(
        train_start=start,
        test_start=start + timedelta(days=protocol.train_days + protocol.delay_days),
        train_rows=len(train),
        train_frauds=int(known.sum()),
        test_rows=len(test),
        test_frauds=int(dataset.fraud[test].sum()),
        choice=fitted.choice.describe(),
        choices=[
            {"library": choice.library, "balance": choice.balance, "average_precision": precision}
            for choice, precision in fitted.average_precisions.items()
        ],
        flagged_share=float((together >= 0.5).mean()),
    )
    for name, values in raw.items():
        _measure(fold, dataset, test, str(name), values)
    _measure(fold, dataset, test, WHOLE, together)
    fold.seconds = time.perf_counter() - began
    return fold


def _scale(layer: Layer, training: Floats, budget: Budget) -> Any:
    return unsupervised_scale(layer.raw(unsupervised.sample(training, seed=SEED)), budget)


def split(
    dataset: Dataset, known_us: NDArray[np.int64], protocol: Protocol, start: date
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and rows to test on. Cards with a fraud since training began that is known by the day of a test
    leave that day. Raises BadDataset for a side without rows."""
    day, first = dataset.day, start.toordinal() - _EPOCH
    train = np.flatnonzero((day >= first) & (day < first + protocol.train_days))
    first_test = first + protocol.train_days + protocol.delay_days
    fraud = (dataset.fraud == 1) & (day >= first)
    parts = []
    for today in range(first_test, first_test + protocol.test_days):
        compromised = np.unique(dataset.customer[fraud & (day < today - protocol.label_delay_days)])
        rows = np.flatnonzero(day == today)
        parts.append(rows[~np.isin(dataset.customer[rows], compromised)])
    test = np.concatenate(parts)
    if not len(train) or not len(test):
        raise BadDataset(
            f"There are no payments to {'train' if not len(train) else 'test'} on in the fold from {start}."
        )
    return train, test


def rule_scores(rules: Sequence[LiveRule], rows: Floats) -> Floats:
    """What the rules alone say about each row of a replay."""
    places = {name: index for index, name in enumerate(VECTOR_FEATURES)}
    asked = sorted(places)
    renamed = {"amount_base": "transaction_amount", "max_amount_90d": "user_max_amount"}
    found = np.zeros(len(rows))
    for number, row in enumerate(rows):
        vector: dict[str, Any] = {name: _known(row[places[name]]) for name in asked}
        vector |= {fact: vector[feature] for fact, feature in renamed.items()}
        found[number] = judge(rules, vector, currency="EUR").score
    return found


def _known(value: float) -> float | None:
    return None if value != value else value


def _measure(fold: Fold, dataset: Dataset, test: NDArray[np.int64], name: str, scores: Floats) -> None:
    labels = dataset.fraud[test]
    try:
        fold.layers[name] = measure(
            labels=labels, scores=scores, days=dataset.day[test], customers=dataset.customer[test]
        )
    except OneClassOnly as error:
        raise BadDataset(f"The fold that tests from {fold.test_start} holds only one class.") from error
    if dataset.scenario is None:
        return
    kinds = dataset.scenario[test]
    for scenario in np.unique(kinds[labels == 1]):
        wanted = (labels == 1) & (kinds == scenario)
        fold.scenarios.setdefault(str(scenario), {})[name] = tuple(
            recall_at(wanted, scores, labels == 0, share) for share in FALSE_POSITIVES
        )


def _report(dataset: Dataset, protocol: Protocol, folds: Sequence[Fold], *, replay_seconds: float) -> dict[str, Any]:
    layers = {name: mean_quality([fold.layers[name] for fold in folds]) for name in folds[0].layers}
    scenarios = sorted({scenario for fold in folds for scenario in fold.scenarios})
    return {
        "protocol": {**asdict(protocol), "train_start": str(protocol.train_start)},
        "data": {"payments": len(dataset.at_us), "from": str(dataset.first_date), "to": str(dataset.last_date)},
        "replay_seconds": round(replay_seconds, 2),
        "false_positives": FALSE_POSITIVES,
        "layers": {name: _rounded(quality) for name, quality in layers.items()},
        "scenarios": {scenario: _mean_recalls(folds, scenario) for scenario in scenarios},
        "folds": [
            {
                **{name: getattr(fold, name) for name in ("train_rows", "train_frauds", "test_rows", "test_frauds")},
                "train_start": str(fold.train_start),
                "test_start": str(fold.test_start),
                "choice": fold.choice,
                "choices": fold.choices,
                "layers": {name: _rounded(quality) for name, quality in fold.layers.items()},
                "flagged_share": round(fold.flagged_share, 5),
                "seconds": round(fold.seconds, 1),
            }
            for fold in folds
        ],
    }


def _mean_recalls(folds: Sequence[Fold], scenario: str) -> Mapping[str, list[float]]:
    here = [fold.scenarios[scenario] for fold in folds if scenario in fold.scenarios]
    return {name: [round(float(v), 4) for v in np.mean([one[name] for one in here], axis=0)] for name in here[0]}


def _rounded(quality: Quality) -> dict[str, Any]:
    return {
        "auc_roc": round(quality.auc_roc, 4),
        "average_precision": round(quality.average_precision, 4),
        "card_precision_100": round(quality.card_precision, 4),
        "recalls": [round(recall, 4) for recall in quality.recalls],
    }
