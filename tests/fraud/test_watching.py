"""Beside live decisions: rules tried on the past, challengers in shadow."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from common.errors import Forbidden, Invalid
from fraud import services as fraud
from fraud import tasks
from fraud.models import Backtest, Case, Decision, Label, Rule, ShadowScore
from fraud.rules.learning.stack import Scale
from fraud.services import backtests, watching
from tests.fraud.conftest import NOON
from tests.fraud.test_registry import golden, in_charge, keep, stack

__all__ = ["golden", "in_charge", "keep", "stack"]
DAY = timedelta(days=1)


def test_a_backtest_counts_what_the_rule_would_have_hit(screen: Any, officer: Any) -> None:
    seen = [screen(amount_minor=minor, customer_id=uuid.UUID(int=minor)) for minor in (90_00, 200_00, 300_00)]
    for verdict, fraud_found in zip(seen[1:], (True, False), strict=True):
        Label.objects.create(
            decision_id=verdict.decision_id, is_fraud=fraud_found, labelled_by=officer, labelled_at=NOON
        )
    rule = fraud.draft_rule(
        actor=officer,
        code="ABOVE_100",
        name="Above a hundred",
        condition={"feature": "amount_base", "op": ">", "value": "100.00"},
        action="FLAG",
        customer_text="This payment is large.",
        now=NOON,
    )
    asked = backtests.request_backtest(actor=officer, rule_id=rule.pk, from_at=NOON, to_at=NOON + DAY, now=NOON + DAY)
    assert tasks.run_backtests() == 1
    asked.refresh_from_db()
    assert (asked.decisions_total, asked.decisions_done) == (3, 3)
    assert asked.result == {
        "decisions": 3,
        "hits": 2,
        "hits_fraud": 1,
        "hits_honest": 1,
        "silenced": 0,
        "frauds": 1,
        "precision": 0.5,
        "recall": 1.0,
        "saved_minor": 200_00,
        "customers_bothered": 1,
        "overlap": {},
    }
    finished = asked.finished_at
    assert tasks.run_backtests() == 0
    backtests.run_backtest(backtest_id=asked.pk, now=NOON + 2 * DAY)
    asked.refresh_from_db()
    assert asked.finished_at == finished


def test_a_backtest_of_a_live_rule_gives_what_live_gave(screen: Any, officer: Any) -> None:
    for index in range(8):
        screen(at=NOON + timedelta(seconds=index))
    screen(amount_minor=6000_00, country="NG", customer_id=uuid.UUID(int=8))
    for code in ("VELOCITY", "LARGE_AWAY_FROM_HOME"):
        rule = Rule.objects.get(code=code)
        asked = backtests.request_backtest(
            actor=officer, rule_id=rule.pk, from_at=NOON - DAY, to_at=NOON + DAY, now=NOON + DAY
        )
        result = backtests.run_backtest(backtest_id=asked.pk, now=NOON + DAY).result
        live = sum(code in [reason["code"] for reason in decision.reasons] for decision in Decision.objects.all())
        assert result["hits"] == result["overlap"][code] == live > 0


def test_one_worker_at_a_time_runs_a_backtest_and_another_takes_over_when_it_is_gone(screen: Any, officer: Any) -> None:
    screen()
    rule = Rule.objects.get(code="VELOCITY")
    asked = backtests.request_backtest(
        actor=officer, rule_id=rule.pk, from_at=NOON - DAY, to_at=NOON + DAY, now=NOON + DAY
    )
    Backtest.objects.filter(pk=asked.pk).update(alive_at=NOON + DAY)
    soon, later = NOON + DAY + timedelta(minutes=1), NOON + DAY + timedelta(minutes=5)
    assert backtests.waiting(now=soon) == []
    assert backtests.run_backtest(backtest_id=asked.pk, now=soon).finished_at is None
    assert backtests.waiting(now=later) == [asked.pk]
    assert backtests.run_backtest(backtest_id=asked.pk, now=later).result["decisions"] == 1


def test_a_backtest_that_cannot_be_run_says_why_and_its_result_stays(db: None, officer: Any) -> None:
    rule = Rule.objects.get(code="VELOCITY")
    asked = Backtest.objects.create(
        rule=rule,
        condition={"feature": "of_another_day", "op": ">", "value": 1},
        from_at=NOON,
        to_at=NOON + DAY,
        requested_by=officer,
        requested_at=NOON,
    )
    done = backtests.run_backtest(backtest_id=asked.pk, now=NOON + DAY)
    assert done.error == "“of_another_day” is not a known feature."
    assert not backtests.was_tried(rule)
    for change in ({"error": ""}, {"condition": rule.condition}, {"result": {"hits": 0}}):
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            Backtest.objects.filter(pk=asked.pk).update(**change)


def test_a_backtest_needs_the_right_and_a_period(db: None, officer: Any, teller: Any) -> None:
    rule = Rule.objects.get(code="VELOCITY")
    with pytest.raises(Forbidden):
        backtests.request_backtest(actor=teller, rule_id=rule.pk, from_at=NOON, to_at=NOON + DAY, now=NOON)
    with pytest.raises(Invalid):
        backtests.request_backtest(actor=officer, rule_id=rule.pk, from_at=NOON, to_at=NOON, now=NOON)
    with pytest.raises(Invalid):
        backtests.request_backtest(actor=officer, rule_id=rule.pk, from_at=NOON, to_at=NOON + 500 * DAY, now=NOON)
    assert not Backtest.objects.exists()


def test_a_challenger_scores_in_shadow_and_decides_nothing(keep: Any, screen: Any) -> None:
    version = keep(supervised=Scale((0.0, 0.05, 1.0), (0.0, 0.9, 0.95)))
    verdict = screen(amount_minor=450_00)
    assert verdict.outcome == "APPROVED"
    assert watching.score_challengers(now=NOON + timedelta(minutes=1)) == 1
    assert watching.score_challengers(now=NOON + timedelta(minutes=2)) == 0
    score = ShadowScore.objects.get()
    assert (score.version_id, score.outcome) == (version.pk, "BLOCKED")
    assert score.layers["rules"] == 0.0
    assert not Case.objects.exists()


def test_every_decision_is_judged_in_shadow_however_many_and_by_the_layers_that_are_on(
    keep: Any, screen: Any, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = keep()
    for minute in range(5):
        screen(customer_id=uuid.UUID(int=minute), at=NOON - timedelta(minutes=minute))
    monkeypatch.setattr(watching, "SHADOW_BATCH", 2)
    fraud.switch_layer(actor=officer, layer="autoencoder", enabled=False, reason="Too loud", now=NOON)
    assert watching.score_challengers(now=NOON, seconds=0.0) == 0
    assert watching.score_challengers(now=NOON) == 5
    layers = {frozenset(score.layers) for score in ShadowScore.objects.filter(version=version)}
    assert layers == {frozenset({"rules", "supervised", "isolation_forest", "one_class_svm"})}


def test_shadow_gives_what_the_same_model_gives_in_charge(keep: Any, in_charge: Any, screen: Any) -> None:
    in_charge()
    keep()
    verdict = screen(amount_minor=6000_00, country="NG", at=NOON + timedelta(hours=1))
    assert watching.score_challengers(now=NOON + timedelta(hours=2)) == 1
    score = ShadowScore.objects.get(decision_id=verdict.decision_id)
    assert (score.outcome, score.score, score.layers) == (verdict.outcome, verdict.score, dict(verdict.layers))


def test_the_tasks_run_on_an_empty_bank(db: None) -> None:
    assert tasks.score_challengers() == 0
    assert tasks.report_drift() is False
