"""Training on stored decisions: a challenger that opens, with what it was trained on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from fraud.errors import TooLittleHistory
from fraud.models import Decision, Label, ModelState
from fraud.rules.learning import boosting
from fraud.rules.learning.layers import LayerName
from fraud.services import training
from fraud.services.unsealing import opened
from tests.fraud.conftest import NOON, do_screen

Write = Callable[..., None]


@pytest.fixture
def write(db: None, officer: Any) -> Write:
    """Decisions as screening stores them, every tenth of them a confirmed fraud of a large amount."""

    def make(count: int, *, labelled: bool = True, known_after: timedelta = timedelta(hours=1)) -> None:
        do_screen()
        pattern = Decision.objects.get()
        dice = np.random.default_rng(3)
        decisions, labels = [], []
        for index in range(count):
            fraud = index % 10 == 0
            minor = int(dice.integers(300_00, 900_00) if fraud else dice.integers(5_00, 400_00))
            row = Decision.objects.get(pk=pattern.pk)
            row.pk, row.at = uuid.uuid4(), NOON - timedelta(minutes=30 * (count - index))
            row.features = {**pattern.features, "transaction_amount": minor, "hour": int(dice.integers(8, 20))}
            decisions.append(row)
            if fraud and labelled:
                at = row.at + known_after
                kind = "MULE" if index % 20 else ""
                labels.append(Label(decision_id=row.pk, is_fraud=True, kind=kind, labelled_by=officer, labelled_at=at))
        Decision.objects.bulk_create(decisions)
        Label.objects.bulk_create(labels)

    return make


@pytest.fixture(autouse=True)
def few_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    small = (boosting.Choice(boosting.Library.LIGHTGBM, boosting.Balance.WEIGHTS, trees=40),)
    monkeypatch.setitem(boosting.fit.__kwdefaults__, "choices", small)


def train(**given: Any) -> tuple[Any, list[str]]:
    said: list[str] = []
    version = training.train(
        days=90, trials=given.pop("trials", 0), trained_by=None, now=NOON, say=said.append, **given
    )
    return version, said


def test_a_training_gives_a_challenger_with_a_report(write: Write) -> None:
    write(500)
    version, said = train(trials=1)
    assert version.state == ModelState.CHALLENGER
    assert set(opened(version).stack) == {name for name in LayerName if name is not LayerName.RULES}
    manifest = json.loads(version.manifest)
    assert (manifest["rows"], manifest["frauds"], manifest["label_cut_off"]) == (501, 50, NOON.isoformat())
    assert manifest["metrics"]["average_precision"] > 0.5
    assert [cost["share"] for cost in manifest["metrics"]["costs"]] == sorted(training._COST_SHARES)
    assert len([line for line in said if " with " in line]) == 2
    kinds = manifest["kinds"]
    assert [each["kind"] for each in kinds] == ["MULE", ""]
    assert sum(each["frauds"] for each in kinds) == manifest["curves"]["frauds"]
    for share, recall in manifest["metrics"]["recalls"].items():
        found = sum(each["recalls"][share] * each["frauds"] for each in kinds)
        assert found == pytest.approx(recall * manifest["curves"]["frauds"])


def test_labels_that_come_later_do_not_count(write: Write) -> None:
    write(300, known_after=timedelta(days=60))
    version, said = train()
    assert json.loads(version.manifest)["frauds"] == 0
    assert LayerName.SUPERVISED not in opened(version).stack
    assert any("no supervised layer" in line for line in said)


def test_too_few_decisions_train_nothing(write: Write) -> None:
    write(20)
    with pytest.raises(TooLittleHistory, match="21 decisions"):
        train()


def test_the_command_says_what_is_missing(db: None) -> None:
    with pytest.raises(CommandError, match="0 decisions to learn from"):
        call_command("train_fraud", verbosity=0, stdout=StringIO(), stderr=StringIO())
    with pytest.raises(CommandError, match="--days"):
        call_command("train_fraud", days=0)
