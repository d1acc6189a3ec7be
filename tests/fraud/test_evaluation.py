"""The Handbook's protocol on a small made-up dataset, and what it says to files that cannot be used."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from fraud.rules.features.replay import NEVER
from fraud.rules.learning import evaluation
from fraud.rules.learning.boosting import Balance, Choice, Library
from fraud.rules.learning.dataset import BadDataset, read
from fraud.rules.learning.evaluation import Protocol, split
from fraud.rules.learning.metrics import card_precision, recall_at
from fraud.rules.learning.stack import threshold_for

SMALL = (Choice(Library.XGBOOST, Balance.NONE, trees=40), Choice(Library.LIGHTGBM, Balance.SMOTE, trees=40))


def made_up(days: int = 24, customers: int = 300) -> pd.DataFrame:
    """Payments of which the large ones, and all at two terminals, are fraud."""
    dice = np.random.default_rng(7)
    size = days * customers
    seconds = np.sort(dice.integers(0, days * 86400, size))
    amounts = np.round(dice.gamma(2.0, 20.0, size), 2)
    large = dice.random(size) < 0.01
    amounts[large] += 300
    terminals = dice.integers(0, 100, size)
    scenario = np.where(large, 1, np.where(terminals < 2, 2, 0))
    return pd.DataFrame(
        {
            "TX_DATETIME": pd.Timestamp("2018-04-01") + pd.to_timedelta(seconds, unit="s"),
            "CUSTOMER_ID": dice.integers(0, customers, size),
            "TERMINAL_ID": terminals,
            "TX_AMOUNT": amounts,
            "TX_FRAUD": (scenario > 0).astype(int),
            "TX_FRAUD_SCENARIO": scenario,
        }
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "payments.parquet"
    made_up().to_parquet(path)
    return path


def run(path: Path, **options: Any) -> str:
    printed = StringIO()
    given = {"train_start": "2018-04-01", "folds": 1, **options}
    call_command("evaluate_fraud", dataset=str(path), stdout=printed, **given)
    return printed.getvalue()


def test_the_report_says_how_each_layer_does(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(evaluation.boosting.fit.__kwdefaults__, "choices", SMALL)
    out = file.parent / "report.json"
    text = run(file, json=str(out), label_delay_days=1)
    report = json.loads(out.read_text())
    assert set(report["layers"]) == {
        "rules",
        "supervised",
        "isolation_forest",
        "one_class_svm",
        "autoencoder",
        "whole stack",
    }
    found = report["layers"]["supervised"]
    assert found["auc_roc"] > 0.9
    assert len(found["recalls"]) == 3
    assert set(report["scenarios"]) == {"1", "2"}
    assert report["scenarios"]["1"]["supervised"][0] > 0.9
    assert report["folds"][0]["test_start"] == "2018-04-15"
    assert {choice["library"] for choice in report["folds"][0]["choices"]} == {"xgboost", "lightgbm"}
    assert "supervised" in text
    assert "CP@100" in text


def test_known_cards_leave_the_test_and_labels_come_late(file: Path) -> None:
    dataset = read(file)
    protocol = Protocol(train_start=date(2018, 4, 1), label_delay_days=7)
    events = dataset.events(label_delay_days=7)
    train, test = split(dataset, events.known_us, protocol, date(2018, 4, 1))
    first = dataset.day[0]
    assert set(dataset.day[train] - first) == set(range(7))
    assert set(dataset.day[test] - first) <= set(range(14, 21))
    bad = set(dataset.customer[train][dataset.fraud[train] == 1])
    assert bad
    assert not bad & set(dataset.customer[test])
    later = np.flatnonzero((dataset.fraud == 1) & (dataset.day - first == 12))[0]
    at_the_end = test[dataset.day[test] - first == 20]
    assert dataset.customer[later] not in dataset.customer[at_the_end]
    assert (events.known_us[dataset.fraud == 0] == NEVER).all()


def test_folds_move_forwards_or_where_the_data_end_backwards() -> None:
    first, last = date(2018, 4, 1), date(2018, 4, 30)
    forwards = Protocol(train_start=date(2018, 4, 1), folds=2).starts(first, last)
    assert forwards == [date(2018, 4, 1), date(2018, 4, 8)]
    backwards = Protocol(train_start=date(2018, 4, 10), folds=2).starts(first, last)
    assert backwards == [date(2018, 4, 10), date(2018, 4, 3)]
    with pytest.raises(BadDataset, match="do not fit"):
        Protocol(train_start=date(2018, 4, 10), folds=4).starts(first, last)


def change(name: str, value: Any) -> Any:
    return lambda frame: frame.assign(**{name: value})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda frame: frame.drop(columns=["TX_AMOUNT", "TX_FRAUD"]), "lacks the columns TX_AMOUNT, TX_FRAUD"),
        (change("TX_FRAUD", 0), "only one class"),
        (change("TX_FRAUD", 2), "other values than 0 and 1"),
        (change("TX_FRAUD", "yes"), "no whole numbers"),
        (change("TX_DATETIME", "yesterday"), "no points in time"),
        (change("TX_DATETIME", pd.NaT), "gaps in TX_DATETIME"),
        (change("TX_AMOUNT", -1.0), "no amount from 0 up"),
        (change("TX_AMOUNT", "much"), "no amount from 0 up"),
        (lambda frame: frame.head(0), "no rows"),
    ],
)
def test_a_dataset_that_cannot_be_used_is_refused_by_name(tmp_path: Path, spoil: Any, message: str) -> None:
    path = tmp_path / "bad.parquet"
    spoil(made_up(days=3)).to_parquet(path)
    with pytest.raises(CommandError, match=message):
        run(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_start": "01.04.2018"}, "is no date"),
        ({"train_start": "2019-04-01"}, "The data run from 2018-04-01 to 2018-04-24"),
        ({"folds": 9}, "do not fit"),
        ({"test_days": 0}, "--test-days must be at least 1"),
        ({"label_delay_days": -1}, "--label-delay-days must be at least 0"),
        ({"label_delay_days": 30}, "cannot learn: the earlier part of the training days has 0 frauds"),
        ({"json": "/nowhere/out.json"}, "There is no folder"),
    ],
)
def test_options_that_cannot_be_met_are_refused(file: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(file, **options)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        run(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("not parquet")
    with pytest.raises(CommandError, match="not a Parquet file"):
        run(tmp_path / "text.parquet")


def test_a_threshold_keeps_its_alarms_within_the_share() -> None:
    scores = np.arange(100.0)
    assert (scores > threshold_for(scores, 0.05)).sum() == 5
    assert (scores > threshold_for(scores, 0.0)).sum() == 0
    tied = np.zeros(100)
    assert (tied > threshold_for(tied, 0.05)).sum() == 0
    wanted = scores >= 90
    assert recall_at(wanted, scores, ~wanted, 0.0) == 1.0


def test_a_card_that_was_found_leaves_the_days_after() -> None:
    labels = np.array([1, 0, 1, 0])
    scores = np.array([0.9, 0.1, 0.9, 0.2])
    days, customers = np.array([1, 1, 2, 2]), np.array([5, 6, 5, 6])
    assert card_precision(labels=labels, scores=scores, days=days, customers=customers, top=1) == 0.5
