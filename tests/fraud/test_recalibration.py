"""Thresholds follow the alert budget once a week, never far; the budget is set by people."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from audit.models import AuditEvent
from common.errors import Forbidden, Invalid
from fraud import queries
from fraud.models import Decision, ModelVersion, Ruleset, ThresholdConfig
from fraud.rules.deciding import Thresholds
from fraud.rules.features import VECTOR_FEATURES
from fraud.rules.learning import budgeting
from fraud.rules.learning.layers import LayerName
from fraud.rules.learning.stack import Budget, combine, scores
from fraud.services import recalibrating, switches
from fraud.services.recalibrating import recalibrate
from tests.fraud.conftest import NOON, do_screen
from tests.fraud.test_layers import payments
from tests.fraud.test_registry import golden, in_charge, keep, stack  # noqa: F401 (fixtures)

Promote = Callable[..., ModelVersion]


@pytest.fixture
def decided(db: None) -> Callable[[int], np.ndarray]:
    """Stored decisions with drawn vectors, one a minute."""

    def make(count: int) -> np.ndarray:
        do_screen(at=NOON - timedelta(days=40))
        pattern = Decision.objects.get()
        rows, _ = payments(count, seed=5)
        decisions = []
        for number, row in enumerate(rows):
            vector = {
                name: None if value != value else float(value) for name, value in zip(VECTOR_FEATURES, row, strict=True)
            }
            at = NOON - timedelta(minutes=number)
            decisions.append(Decision(**_values(pattern) | {"id": uuid.uuid4(), "at": at, "features": vector}))
        Decision.objects.bulk_create(decisions)
        return rows

    return make


def _values(pattern: Decision) -> dict[str, Any]:
    return {field.attname: getattr(pattern, field.attname) for field in Decision._meta.concrete_fields}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibrating, "FEWEST_ROWS", 200)


def test_the_wanted_thresholds_use_the_budgets_up(stack: Any) -> None:  # noqa: F811
    rows, _ = payments(1000, seed=5)
    found = budgeting.wanted(stack, rows, Budget(flagged=0.05, blocked=0.01), before=Thresholds())
    said = scores(stack, rows)
    flagged, blocked = combine(said) >= found.flag_at, said[LayerName.SUPERVISED] >= found.block_at
    assert 0.0 < flagged.mean() <= 0.05
    assert blocked.mean() <= 0.01
    assert found.block_at > found.flag_at


def test_without_a_supervised_layer_the_threshold_of_refusals_stays(stack: Any) -> None:  # noqa: F811
    rows, _ = payments(300, seed=5)
    rest = {name: scaled for name, scaled in stack.items() if name is not LayerName.SUPERVISED}
    assert budgeting.wanted(rest, rows, Budget(), before=Thresholds(0.5, 0.85)).block_at == 0.85


@pytest.mark.parametrize(
    ("before", "target", "after"),
    [
        ((0.5, 0.8), (0.52, 0.83), (0.52, 0.83)),
        ((0.5, 0.8), (0.95, 0.99), (0.6, 0.9)),
        ((0.5, 0.8), (0.0, 0.0), (0.4, 0.7)),
        ((0.25, 0.35), (0.0, 0.0), (0.2, 0.25)),
        ((0.88, 0.97), (1.0, 1.0), (0.9, 0.99)),
        ((0.6, 0.66), (0.7, 0.6), (0.7, 0.75)),
    ],
)
def test_a_week_moves_a_threshold_by_a_tenth_at_most_and_within_bounds(before: Any, target: Any, after: Any) -> None:
    assert budgeting.limited(Thresholds(*before), Thresholds(*target)) == Thresholds(*after)


def test_it_moves_once_a_week_and_is_audited(in_charge: Promote, decided: Any) -> None:  # noqa: F811
    in_charge(at=NOON - timedelta(days=1))
    decided(300)
    token = Ruleset.objects.get().token
    change = recalibrate(now=NOON)
    assert change is not None
    assert change.changed_by is None
    after = queries.switches().thresholds
    assert (after.flag_at, after.block_at) == (change.flag_at, change.block_at)
    assert Ruleset.objects.get().token != token
    event = AuditEvent.objects.get(action="fraud.thresholds_recalibrated")
    assert event.data["before"] == [0.5, 0.8]
    assert abs(change.flag_at - 0.5) <= budgeting.MOST_A_WEEK + 1e-9
    assert recalibrate(now=NOON + timedelta(days=5)) is None
    assert ThresholdConfig.objects.count() == 1


def test_nothing_moves_without_a_champion_or_with_few_decisions(in_charge: Promote, decided: Any) -> None:  # noqa: F811
    decided(300)
    assert recalibrate(now=NOON) is None
    in_charge(at=NOON)
    assert recalibrate(now=NOON + timedelta(days=60)) is None
    assert not ThresholdConfig.objects.exists()


def test_a_corrupt_champion_leaves_the_thresholds_as_they_are(
    in_charge: Promote,  # noqa: F811
    decided: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_charge(at=NOON - timedelta(days=1))
    decided(300)
    monkeypatch.setattr("fraud.services.unsealing.signing_key", lambda: b"another key")
    assert recalibrate(now=NOON) is None
    assert not ThresholdConfig.objects.exists()


def test_people_set_the_budget(second_officer: Any, teller: Any) -> None:
    assert queries.budget() == Budget()
    switches.set_budget(actor=second_officer, flagged_share=0.01, blocked_share=0.0005, reason="Fewer people", now=NOON)
    assert queries.budget() == Budget(flagged=0.01, blocked=0.0005)
    for flagged, blocked in ((0.01, 0.01), (0.3, 0.001), (0.01, 0.0), (float("nan"), 0.001)):
        with pytest.raises(Invalid):
            switches.set_budget(
                actor=second_officer, flagged_share=flagged, blocked_share=blocked, reason="No", now=NOON
            )
    with pytest.raises(Forbidden):
        switches.set_budget(actor=teller, flagged_share=0.01, blocked_share=0.001, reason="Mine", now=NOON)
