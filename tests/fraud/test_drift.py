"""Drift: fixed bins, samples of one size, and references that stay while a model is in charge."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, transaction

from fraud.models import Decision, DriftPart, DriftReference, DriftReport, ModelState, ModelVersion
from fraud.rules.drift import DRIFTED, Bins, freeze, stability_index
from fraud.services.drifting import report_drift
from tests.fraud.conftest import NOON

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def index(before: Any, now: Any) -> float:
    return stability_index(freeze(np.array(before, dtype=float)), np.array(now, dtype=float), seed=1)[0]


def test_the_index_is_nothing_for_the_same_and_large_for_another_population() -> None:
    dice = np.random.default_rng(1)
    before, same, other = dice.normal(size=4000), dice.normal(size=4000), dice.normal(1.5, size=4000)
    assert index(before, before) == 0
    assert index(before, same) < 0.02
    assert index(before, other) > 1
    assert index(before, np.where(np.arange(4000) % 2, before, np.nan)) > 1
    with pytest.raises(ValueError, match="needs values"):
        index(before, [])
    with pytest.raises(ValueError, match="needs values"):
        index([], before)


def test_few_values_have_a_bin_each_and_a_constant_is_seen_to_change() -> None:
    kinds = freeze(np.array([1.0, 2.0, 2.0, 4.0, np.nan]))
    assert (kinds.own, kinds.marks, kinds.counts) == (True, (1.0, 2.0, 4.0), (1, 2, 1, 0, 1))
    constant = [5.0] * 500
    assert index(constant, constant) == 0
    for moved in (3.0, 7.0, np.nan):
        assert index(constant, [5.0] * 300 + [moved] * 200) > DRIFTED
    assert index([np.nan] * 500, [np.nan] * 500) == 0
    assert index([np.nan] * 500, [0.0] * 500) > DRIFTED
    # Between two known values lies another one.
    assert index([1.0] * 250 + [3.0] * 250, [1.0] * 250 + [2.0] * 250) > DRIFTED


def test_bins_come_back_from_the_database_as_they_were_fixed() -> None:
    for values in (np.random.default_rng(2).lognormal(size=500), np.array([1.0, 1.0, 2.0])):
        bins = freeze(values)
        assert Bins.stored(json.loads(json.dumps(bins.to_store()))) == bins


def test_samples_are_of_one_size() -> None:
    dice = np.random.default_rng(3)
    many, few = dice.normal(size=20_000), dice.normal(size=400)
    for before, now in ((many, few), (few, many)):
        # With 400 of each chance makes about 2 * 9 / 400; a reference without its own chance would make half of that.
        found = [stability_index(freeze(before), now, seed=seed)[0] for seed in range(20)]
        assert 0.03 < np.mean(found) < 0.09


def test_small_samples_do_not_alarm_by_chance_as_the_plain_limit_would() -> None:
    dice = np.random.default_rng(4)
    found = [stability_index(freeze(dice.normal(size=100)), dice.normal(size=100), seed=1) for _ in range(300)]
    assert sum(value > DRIFTED for value, _ in found) > 30
    assert not any(drifted for _, drifted in found)
    assert stability_index(freeze(dice.normal(size=100)), dice.normal(2, size=100), seed=1)[1]


def test_slow_drift_over_months_is_seen_beside_a_fixed_reference() -> None:
    """Amounts grow by three in a hundred each week; the control compares with the month before, which moves along."""
    dice = np.random.default_rng(5)
    weeks = [dice.lognormal(4 + 0.03 * week, 0.5, size=3000) for week in range(30)]
    reference = freeze(np.concatenate(weeks[:4]))
    beside_fixed = [stability_index(reference, weeks[week], seed=week) for week in range(4, 30)]
    beside_month = [
        stability_index(freeze(np.concatenate(weeks[week - 4 : week])), weeks[week], seed=week) for week in range(4, 30)
    ]
    assert not beside_fixed[0][1]
    assert beside_fixed[-1][1]
    assert beside_fixed[-1][0] > 1
    assert max(value for value, _ in beside_month) < 0.1


@pytest.fixture
def decided(screen: Any) -> Any:
    """So many decisions in the days before a moment, with amounts around a mean in minor units."""
    pattern = Decision.objects.get(pk=screen(at=NOON - timedelta(days=400)).decision_id)
    dice = np.random.default_rng(6)

    def make(*, until: datetime, days: int, mean: int, rows: int = 300, score: float = 0.0, model: Any = None) -> None:
        made = []
        for number in range(rows):
            row = Decision.objects.get(pk=pattern.pk) if not made else _copy(made[0])
            row.pk, row.at = uuid.uuid4(), until - timedelta(days=days) * (number + 0.5) / rows
            row.features = {**pattern.features, "transaction_amount": int(dice.integers(mean, 2 * mean))}
            row.score, row.model_id = score * dice.random(), model and model.pk
            made.append(row)
        Decision.objects.bulk_create(made)

    return make


def _copy(row: Decision) -> Decision:
    return Decision(**{field.attname: getattr(row, field.attname) for field in Decision._meta.concrete_fields})


@pytest.fixture
def champion(officer: Any, second_officer: Any) -> Any:
    def make(number: int, *, learnt: tuple[datetime, datetime] | None, since: datetime) -> ModelVersion:
        ModelVersion.objects.filter(state=ModelState.CHAMPION).update(state=ModelState.RETIRED, retired_at=since)
        return ModelVersion.objects.create(
            number=number,
            state=ModelState.CHAMPION,
            manifest=json.dumps({"window": [at.isoformat() for at in learnt]} if learnt else {}),
            signature="0" * 64,
            created_at=since,
            nominated_by=officer,
            nominated_at=since,
            promoted_by=second_officer,
            promoted_at=since,
        )

    return make


def test_without_a_model_the_first_month_stays_the_reference(decided: Any) -> None:
    assert report_drift(now=NOON) is None
    decided(until=NOON, days=7, mean=50_00)
    assert report_drift(now=NOON) is None, "a bank of a week has nothing to compare with"
    decided(until=NOON - WEEK, days=30, mean=50_00)
    first = report_drift(now=NOON)
    assert first is not None
    assert first.features_reference is not None
    assert (first.drifted, first.rows, first.features["hour"]) == ([], 300, 0)
    assert report_drift(now=NOON + timedelta(hours=1)) == first
    later = NOON + 20 * WEEK
    decided(until=later - WEEK, days=30, mean=500_00)
    decided(until=later, days=7, mean=500_00)
    second = report_drift(now=later)
    assert second is not None
    assert second.features_reference == first.features_reference
    assert second.drifted == ["transaction_amount"]
    assert second.alert_share == 0
    assert DriftReport.objects.count() == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        DriftReference.objects.update(rows=1)


def test_a_model_is_compared_with_what_it_learnt_and_with_its_own_first_scores(decided: Any, champion: Any) -> None:
    decided(until=NOON - 60 * DAY, days=30, mean=50_00)
    decided(until=NOON - 3 * WEEK, days=14, mean=200_00)
    model = champion(7, learnt=(NOON - 90 * DAY, NOON - 60 * DAY), since=NOON - 2 * WEEK)
    decided(until=NOON - WEEK, days=7, mean=200_00, score=0.2, model=model)
    decided(until=NOON, days=7, mean=200_00, score=0.2, model=model)
    early = report_drift(now=NOON - 2 * DAY)
    assert early is not None
    assert (early.score, early.score_reference) == (None, None), "not two weeks in charge"
    report = report_drift(now=NOON)
    assert report is not None
    assert report.features_reference is not None
    assert report.score_reference is not None
    assert report.drifted == ["transaction_amount"], "though the month before was the same"
    assert (report.features_reference.to_at, report.features_reference.version) == (NOON - 60 * DAY, model)
    assert report.score_reference.version == model
    assert report.score is not None
    assert report.score < DRIFTED
    decided(until=NOON + WEEK, days=7, mean=200_00, score=1.0, model=model)
    moved = report_drift(now=NOON + WEEK)
    assert moved is not None
    assert moved.drifted == ["transaction_amount", "score"]


def test_a_model_that_comes_back_has_its_references_again(decided: Any, champion: Any) -> None:
    decided(until=NOON - 30 * DAY, days=30, mean=50_00)
    decided(until=NOON - 10 * DAY, days=20, mean=200_00)
    first = champion(1, learnt=(NOON - 60 * DAY, NOON - 30 * DAY), since=NOON - 9 * DAY)
    decided(until=NOON, days=7, mean=200_00, model=first)
    before = report_drift(now=NOON)
    champion(2, learnt=(NOON - 30 * DAY, NOON - 10 * DAY), since=NOON)
    other = report_drift(now=NOON + DAY)
    ModelVersion.objects.filter(number=2).update(state=ModelState.RETIRED, retired_at=NOON + 2 * DAY)
    ModelVersion.objects.filter(number=1).update(state=ModelState.CHAMPION)
    back = report_drift(now=NOON + 2 * DAY)
    assert before is not None
    assert other is not None
    assert back is not None
    assert before.drifted == back.drifted == ["transaction_amount"]
    assert other.drifted == []
    assert before.features_reference == back.features_reference != other.features_reference
    assert DriftReference.objects.filter(part=DriftPart.FEATURES).count() == 2


def test_a_model_that_does_not_say_what_it_learnt_from_is_compared_with_the_month_before(
    decided: Any, champion: Any
) -> None:
    decided(until=NOON - WEEK, days=30, mean=50_00)
    champion(3, learnt=None, since=NOON - DAY)
    decided(until=NOON, days=7, mean=50_00)
    report = report_drift(now=NOON)
    assert report is not None
    assert report.features_reference is not None
    assert (report.features_reference.to_at, report.score) == (NOON - WEEK, None)
