"""The sample of approved payments: who is drawn, what it means, and that it decides nothing about money."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fraud import queries
from fraud import services as fraud
from fraud.models import Case, Decision, EntityReport, Label
from fraud.rules.desk import DeskSettings, Urgency, sample_limit, sample_number
from fraud.rules.facts import Verdict
from fraud.services.sampling import SampleNumber, draw_sample
from fraud.tasks import draw_sample as draw_sample_task
from tests.fraud.conftest import NOON, Orders

pytestmark = pytest.mark.django_db
Screen = Callable[..., Verdict]


@pytest.fixture
def sampling(officer: Any) -> Callable[[float], None]:
    def share(of: float) -> None:
        fraud.set_desk(actor=officer, settings=DeskSettings(sample_share=of), reason="For the test", now=NOON)

    return share


def test_the_database_draws_the_same_as_the_rule(screen: Screen) -> None:
    for number in range(20):
        screen(customer_id=uuid.UUID(int=50 + number))
    for pk, drawn in Decision.objects.annotate(number=SampleNumber("id")).values_list("pk", "number"):
        assert drawn == sample_number(pk)


def test_a_larger_share_keeps_what_a_smaller_one_drew() -> None:
    numbers = [sample_number(uuid.UUID(int=number)) for number in range(40_000)]
    drawn = sum(number < sample_limit(0.005) for number in numbers)
    assert 150 < drawn < 250
    assert sample_limit(0.0) == 0
    assert all(number < sample_limit(1.0) for number in numbers)


def test_only_approved_payments_of_late_are_drawn_and_each_once(
    screen: Screen, flagged: Callable[..., Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraud.services.sampling.sample_limit", lambda share: 2**32)
    old = screen(at=NOON - timedelta(days=3), customer_id=uuid.UUID(int=9))
    fresh, held = screen(), flagged(customer_id=uuid.UUID(int=8))
    assert draw_sample(now=NOON) == 1
    assert draw_sample(now=NOON) == 0
    case = Case.objects.get(decision_id=fresh.decision_id)
    assert (case.outcome, case.dossier.rule, case.dossier.urgency) == ("SAMPLED", "SAMPLED", Urgency.SAMPLE)
    assert not Case.objects.filter(decision_id=old.decision_id).exists()
    held.refresh_from_db()
    assert held.outcome == "FLAGGED"


def test_a_share_of_nothing_draws_nothing(screen: Screen, sampling: Callable[[float], None]) -> None:
    sampling(0.0)
    screen()
    assert draw_sample_task() == 0
    assert not Case.objects.exists()


@pytest.mark.parametrize(("decision", "is_fraud"), [("RELEASE", False), ("DECLINE", True)])
def test_the_answer_is_a_label_and_moves_no_money(
    screen: Screen, officer: Any, orders: Orders, monkeypatch: pytest.MonkeyPatch, decision: str, is_fraud: bool
) -> None:
    monkeypatch.setattr("fraud.services.sampling.sample_limit", lambda share: 2**32)
    done = screen()
    draw_sample(now=NOON)
    case = Case.objects.get()
    fraud.decide_case(actor=officer, case_id=case.pk, decision=decision, reason="Looked at it", now=NOON)
    assert Label.objects.get(decision_id=done.decision_id).is_fraud is is_fraud
    assert EntityReport.objects.filter(is_fraud=is_fraud).exists()
    assert (orders.released, orders.declined) == ([], [])


def test_being_drawn_by_lot_counts_against_nobody(
    screen: Screen, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraud.services.sampling.sample_limit", lambda share: 2**32)
    screen()
    draw_sample(now=NOON)
    case = Case.objects.get()
    assert queries.suspicions_of(customer_id=case.customer_id, since=NOON - timedelta(days=1)).open == 0
