"""A challenger takes over on matured labels: the interval, when it refuses, and what a reason can do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from audit.models import AuditEvent
from fraud.errors import ModelNotProven
from fraud.models import Decision, Label, ModelComparison, ModelState, ModelVersion
from fraud.rules.features import VECTOR_FEATURES
from fraud.rules.learning.comparing import compare
from fraud.rules.learning.stack import Scale
from fraud.services import registry
from tests.fraud.conftest import NOON, do_screen
from tests.fraud.test_layers import payments
from tests.fraud.test_registry import golden, in_charge, keep, stack  # noqa: F401 (fixtures)

Promote = Callable[..., ModelVersion]
# Above every probability: such a layer never speaks, so all payments look alike to it.
SILENT = Scale((2.0, 3.0), (0.0, 0.5))


def drawn(seed: int = 1, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    return (dice.random(count) < 0.1).astype(np.int64), dice.random(count)


def test_the_precisions_are_those_of_scikit_learn_with_ties_too() -> None:
    labels, noise = drawn()
    good = np.round(labels * 0.4 + noise, 1)
    found = compare(labels, champion=noise, challenger=good, seed=1, resamples=20)
    assert found.champion == pytest.approx(average_precision_score(labels, noise))
    assert found.challenger == pytest.approx(average_precision_score(labels, good))


def test_better_worse_and_not_to_be_told_apart() -> None:
    labels, noise = drawn()
    good = labels + noise
    assert compare(labels, champion=noise, challenger=good, seed=1).is_better
    assert compare(labels, champion=good, challenger=noise, seed=1).is_worse
    same = compare(labels, champion=good, challenger=good + drawn(2)[1] * 0.01, seed=1)
    assert not same.is_better
    assert not same.is_worse
    assert same.low <= same.difference <= same.high


def test_one_class_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="frauds and other"):
        compare(np.zeros(5), champion=np.zeros(5), challenger=np.zeros(5), seed=1)


@pytest.fixture
def labelled(db: None, officer: Any) -> Callable[..., None]:
    """Decisions after NOON with labels that follow what the good model says, plainly enough for a few of them."""

    def make(count: int = 200, *, at: Any = NOON + timedelta(days=1)) -> None:
        do_screen()
        pattern = Decision.objects.get()
        values = {field.attname: getattr(pattern, field.attname) for field in Decision._meta.concrete_fields}
        rows, _ = payments(count, seed=21)
        decisions = []
        for number, row in enumerate(rows):
            vector = {
                name: None if value != value else float(value) for name, value in zip(VECTOR_FEATURES, row, strict=True)
            }
            moment = at + timedelta(minutes=number)
            decisions.append(Decision(**values | {"id": uuid.uuid4(), "at": moment, "features": vector}))
        Decision.objects.bulk_create(decisions)
        Label.objects.bulk_create(
            Label(
                decision=decision,
                is_fraud=(decision.features["transaction_amount"] or 0) > 350_00,
                labelled_by=officer,
                labelled_at=decision.at + timedelta(days=1),
            )
            for decision in decisions
        )

    return make


def promote(version: ModelVersion, officer: Any, second_officer: Any, *, after_days: int, despite: str = "") -> None:
    now = NOON + timedelta(days=after_days)
    registry.nominate(actor=officer, version_id=version.pk, reason="Newer", now=now)
    registry.promote(actor=second_officer, version_id=version.pk, reason="Agreed", now=now, despite=despite)


def test_the_first_model_needs_no_comparison(in_charge: Promote) -> None:  # noqa: F811
    assert in_charge().state == ModelState.CHAMPION
    assert not ModelComparison.objects.exists()


def test_a_worse_model_is_refused_until_somebody_says_why(
    in_charge: Promote,  # noqa: F811
    keep: Any,  # noqa: F811
    labelled: Any,
    officer: Any,
    second_officer: Any,
) -> None:
    champion = in_charge()
    worse = keep(supervised=SILENT)
    labelled()
    with pytest.raises(ModelNotProven, match="lower than the champion's"):
        promote(worse, officer, second_officer, after_days=20)
    kept = ModelComparison.objects.get()
    assert (kept.champion, kept.challenger) == (champion, worse)
    assert kept.frauds + kept.others == 200
    assert kept.high is not None
    assert kept.high < 0
    champion.refresh_from_db()
    assert champion.state == ModelState.CHAMPION
    reason = "The champion learnt from wrong labels"
    now = NOON + timedelta(days=20)
    registry.promote(actor=second_officer, version_id=worse.pk, reason="Agreed", now=now, despite=reason)
    event = AuditEvent.objects.filter(action="fraud.model_promoted").latest("id")
    assert (event.data["despite"], event.data["comparison"]) == (reason, kept.pk)


def test_a_better_model_takes_over(
    in_charge: Promote,  # noqa: F811
    keep: Any,  # noqa: F811
    labelled: Any,
    officer: Any,
    second_officer: Any,
) -> None:
    in_charge(supervised=SILENT)
    better = keep()
    labelled()
    promote(better, officer, second_officer, after_days=20)
    kept = ModelComparison.objects.get()
    assert kept.low is not None
    assert kept.low > 0
    better.refresh_from_db()
    assert better.state == ModelState.CHAMPION


@pytest.mark.parametrize("case", ["none", "not matured", "learnt from"])
def test_labels_that_prove_nothing_are_not_counted(
    in_charge: Promote,  # noqa: F811
    keep: Any,  # noqa: F811
    labelled: Any,
    officer: Any,
    second_officer: Any,
    case: str,
) -> None:
    in_charge()
    other = keep()
    if case != "none":
        labelled(at=NOON + timedelta(days=15) if case == "not matured" else NOON - timedelta(days=3))
    with pytest.raises(ModelNotProven, match="Only 0 frauds and 0 other payments"):
        promote(other, officer, second_officer, after_days=20)
    assert ModelComparison.objects.get().low is None
