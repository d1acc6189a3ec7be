"""What customers say about their payments under review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import AuditEvent
from fraud import services as fraud
from fraud.models import Case, CustomerAnswer, Label
from fraud.rules.desk import Urgency
from identity.errors import WrongPin
from notifications.models import OutboxEvent
from tests.fraud.conftest import KIND, NOON, Orders
from tests.payments.factories import PIN, give_pin

MakeCase = Callable[..., Case]
pytestmark = pytest.mark.django_db


@pytest.fixture
def case(flagged: MakeCase, alice: Any) -> Case:
    give_pin(alice)
    return flagged(customer_id=alice.public_id, beneficiary_label="Bob Baker, BP00")


def say(case: Case, actor: Any, *, is_mine: bool = True, pin: str = PIN) -> CustomerAnswer:
    return fraud.answer_for_subject(
        actor=actor, subject_kind=KIND, subject_id=case.subject_id, is_mine=is_mine, pin=pin, now=NOON
    )


def test_a_yes_is_kept_and_decides_nothing(case: Case, alice: Any, orders: Orders) -> None:
    say(case, alice)
    case.refresh_from_db()
    assert (case.status, case.answer.is_mine) == ("OPEN", True)
    assert case.dossier.urgency == Urgency.SUSPICIOUS
    assert (orders.released, Label.objects.count()) == ([], 0)
    assert AuditEvent.objects.get(action="fraud.customer_confirmed").actor == alice


def test_a_no_brings_the_case_to_the_front_and_is_confirmed_by_mail(case: Case, alice: Any, later: Any) -> None:
    say(case, alice, is_mine=False)
    case.refresh_from_db()
    assert (case.status, case.dossier.urgency, case.dossier.due_at) == ("OPEN", Urgency.CRITICAL, later(hours=4))
    told = OutboxEvent.objects.get(user=alice, kind="payment_disowned")
    assert told.data["payee"] == "Bob Baker"


def test_one_answer_counts(case: Case, alice: Any) -> None:
    say(case, alice)
    with pytest.raises(fraud.AlreadyAnswered):
        say(case, alice, is_mine=False)
    assert CustomerAnswer.objects.get().is_mine is True


def test_a_wrong_pin_says_nothing(case: Case, alice: Any) -> None:
    with pytest.raises(WrongPin):
        say(case, alice, pin="0000")
    assert not CustomerAnswer.objects.exists()


def test_strangers_do_not_learn_that_there_is_a_case(case: Case, charlie: Any) -> None:
    give_pin(charlie)
    with pytest.raises(fraud.CaseNotFound):
        say(case, charlie)


def test_what_was_decided_needs_no_answer(case: Case, alice: Any, officer: Any) -> None:
    fraud.decide_case(actor=officer, case_id=case.pk, decision="RELEASE", reason="Fine", now=NOON)
    with pytest.raises(fraud.NotUnderReview):
        say(case, alice)
    assert not CustomerAnswer.objects.exists()
