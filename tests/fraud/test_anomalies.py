"""How unusual: the stored arrays score as scikit-learn does, and only say something to analysts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from sklearn.ensemble import IsolationForest

from fraud import tasks
from fraud.models import AnomalyModel, AnomalyScore, Case, Decision
from fraud.rules.features import SCHEMA_HASH
from fraud.rules.forest import BrokenForest, Forest, pack
from fraud.services import anomalies
from tests.fraud.conftest import NOON, do_screen


@pytest.fixture
def history(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """210 everyday payments of the last days, written as screening writes them."""
    monkeypatch.setattr(anomalies, "_serving", None)
    do_screen()
    pattern = Decision.objects.get()
    generator = np.random.default_rng(7)
    rows = []
    for index in range(210):
        minor = int(generator.integers(5_00, 90_00))
        features = {
            **pattern.features,
            "amount_base": minor,
            "daily_total": minor,
            "hour": int(generator.integers(8, 20)),
        }
        row = Decision.objects.get(pk=pattern.pk)
        row.pk = uuid.uuid4()
        row.at = NOON - timedelta(minutes=30 * index)
        row.features = features
        rows.append(row)
    Decision.objects.bulk_create(rows)


def test_the_arrays_score_exactly_as_the_library_does() -> None:
    rows = np.random.default_rng(3).normal(size=(600, 5))
    fitted = IsolationForest(n_estimators=100, random_state=1).fit(rows)
    forest = Forest.from_bytes(pack(fitted, rows, np.median(rows, axis=0), 101).to_bytes())
    fresh = np.random.default_rng(4).normal(scale=2, size=(200, 5))
    assert np.abs(forest.scores(fresh) + fitted.score_samples(fresh)).max() < 1e-9
    assert forest.percentiles(np.full((1, 5), 9.0))[0] > 0.98


@pytest.mark.parametrize("data", [b"", b"not a forest", b"PK\x03\x04broken"])
def test_broken_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BrokenForest):
        Forest.from_bytes(data)


def test_too_few_payments_give_no_model(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anomalies, "_serving", None)
    do_screen()
    assert anomalies.score_recent(now=NOON) == 0
    assert not AnomalyModel.objects.exists()


def test_an_unusual_payment_stands_out_and_is_explained(
    history: None, officer: Any, login: Callable[..., Client]
) -> None:
    verdict = do_screen(amount_minor=40_000_00, country="NG", beneficiary_ref="NEW", at=NOON + timedelta(minutes=1))
    assert anomalies.score_recent(now=NOON + timedelta(minutes=2)) == 212
    assert anomalies.score_recent(now=NOON + timedelta(minutes=3)) == 0
    score = AnomalyScore.objects.get(decision_id=verdict.decision_id)
    assert score.percentile > 0.95
    assert any(line.startswith("Amount: €40,000.00 (usually about €") for line in score.deviations)
    case = Case.objects.get(decision_id=verdict.decision_id)
    shown = login(officer).get(reverse("admin:fraud_case_change", args=[case.pk])).content.decode()
    assert "More unusual than" in shown
    assert case.status == "OPEN"


def test_the_same_history_gives_the_same_scores(history: None, monkeypatch: pytest.MonkeyPatch) -> None:
    anomalies.score_recent(now=NOON)
    rows = anomalies.to_rows([decision.features for decision in Decision.objects.order_by("pk")])
    first = anomalies.fit_rows(rows, seed_text="a").scores(rows)
    assert np.array_equal(first, anomalies.fit_rows(rows, seed_text="a").scores(rows))


def test_a_model_is_fitted_once_a_day_and_few_are_kept(history: None) -> None:
    anomalies.score_recent(now=NOON)
    anomalies.score_recent(now=NOON + timedelta(hours=23))
    assert AnomalyModel.objects.count() == 1
    for day in range(1, 6):
        anomalies.score_recent(now=NOON + timedelta(days=day))
    assert AnomalyModel.objects.count() == anomalies.KEEP_MODELS


def test_a_damaged_model_is_passed_over(history: None, monkeypatch: pytest.MonkeyPatch) -> None:
    good = anomalies.fit(now=NOON)
    assert good is not None
    AnomalyModel.objects.create(
        fitted_at=NOON + timedelta(minutes=1),
        window_from_at=NOON,
        window_to_at=NOON,
        row_count=300,
        schema_hash=SCHEMA_HASH,
        arrays=bytes(good.arrays)[:-1] + b"x",
        sha256=good.sha256,
    )
    assert anomalies.score_recent(now=NOON + timedelta(minutes=2)) > 0
    assert set(AnomalyScore.objects.values_list("model_id", flat=True)) == {good.pk}


def test_the_task_runs(db: None) -> None:
    assert tasks.score_anomalies() == 0
