"""Deciding cases: who may, what moves, what is kept, and who wins."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from common.db import use_case
from common.errors import Conflict, Forbidden, Invalid
from fraud import checks, subjects
from fraud import services as fraud
from fraud.models import Case, CaseNote, Label, Rule
from tests.conftest import make_user
from tests.fraud.conftest import KIND, NOON, Orders
from tests.patience import PATIENCE

MakeCase = Callable[..., Case]


def decide(case: Case, actor: Any, decision: str = "RELEASE", reason: str = "Phoned the customer") -> Case:
    return fraud.decide_case(actor=actor, case_id=case.pk, decision=decision, reason=reason, now=NOON)


def test_releasing_moves_the_money_and_labels_it_honest(flagged: MakeCase, officer: Any, orders: Orders) -> None:
    case = flagged()
    decide(case, officer)
    case.refresh_from_db()
    assert (case.status, case.decided_by, case.decided_at) == ("RELEASED", officer, NOON)
    assert (orders.released, orders.declined) == ([case.subject_id], [])
    assert Label.objects.get(decision=case.decision).is_fraud is False
    event = AuditEvent.objects.get(action="fraud.case_released", subject_id=str(case.pk))
    assert (event.actor, event.reason) == (officer, "Phoned the customer")


def test_declining_gives_it_back_and_labels_it_fraud(flagged: MakeCase, officer: Any, orders: Orders) -> None:
    case = flagged()
    decide(case, officer, "DECLINE")
    assert (orders.released, orders.declined) == ([], [case.subject_id])
    assert Label.objects.get(decision=case.decision).is_fraud is True


def test_the_kind_of_a_fraud_is_part_of_its_label(flagged: MakeCase, officer: Any, orders: Orders) -> None:
    case = flagged()
    told = {"actor": officer, "case_id": case.pk, "reason": "Not hers", "now": NOON}
    for decision, kind in (("DECLINE", "MAGIC"), ("RELEASE", "TAKEOVER")):
        with pytest.raises(Invalid, match="kinds of fraud"):
            fraud.decide_case(decision=decision, kind=kind, **told)
    assert not Label.objects.exists()
    fraud.decide_case(decision="DECLINE", kind="TAKEOVER", **told)
    assert Label.objects.get(decision=case.decision).kind == "TAKEOVER"


def test_deciding_a_refused_payment_moves_nothing(flagged: MakeCase, officer: Any, orders: Orders) -> None:
    rule = Rule.objects.get(code="VERY_LARGE_AWAY_TO_NEW_PAYEE")
    fraud.approve_rule(actor=officer, rule_id=rule.pk, reason="Agreed", now=NOON)
    case = flagged(amount_minor=30_000_00)
    assert case.outcome == "BLOCKED"
    decide(case, officer, "DECLINE")
    assert (orders.released, orders.declined) == ([], [])
    assert Label.objects.get(decision=case.decision).is_fraud is True


def test_nothing_is_kept_when_the_owner_refuses(flagged: MakeCase, officer: Any, orders: Orders) -> None:
    case = flagged()
    orders.fail_with = Conflict("The payee's account is closed.")
    with pytest.raises(Conflict, match="closed"):
        decide(case, officer)
    case.refresh_from_db()
    assert case.status == "OPEN"
    assert not Label.objects.filter(decision=case.decision).exists()
    assert not AuditEvent.objects.filter(action="fraud.case_released").exists()


def test_a_case_is_decided_once(flagged: MakeCase, officer: Any, second_officer: Any, orders: Orders) -> None:
    case = flagged()
    decide(case, officer)
    with pytest.raises(fraud.CaseAlreadyDecided):
        decide(case, second_officer, "DECLINE")
    assert orders.declined == []


@pytest.mark.parametrize("who", ["alice", "teller", "auditor", "administrator"])
def test_only_compliance_decides(flagged: MakeCase, who: str, request: pytest.FixtureRequest, orders: Orders) -> None:
    case = flagged()
    with pytest.raises(Forbidden):
        decide(case, request.getfixturevalue(who))
    assert orders.released == []


def test_nobody_decides_about_their_own_payment(flagged: MakeCase, officer: Any) -> None:
    case = flagged(customer_id=officer.public_id)
    with pytest.raises(fraud.OwnCase):
        decide(case, officer)


def test_a_reason_is_needed(flagged: MakeCase, officer: Any) -> None:
    with pytest.raises(Invalid):
        decide(flagged(), officer, reason="  ")


def test_an_unknown_case_is_not_found(officer: Any) -> None:
    with pytest.raises(fraud.CaseNotFound):
        fraud.decide_case(actor=officer, case_id=uuid.uuid4(), decision="RELEASE", reason="x", now=NOON)


@pytest.mark.parametrize("status", ["EXPIRED", "CANCELLED"])
def test_a_payment_that_ends_closes_its_case_without_a_label(flagged: MakeCase, status: str, officer: Any) -> None:
    case = flagged()
    end = {"subject_kind": KIND, "subject_id": case.subject_id, "status": status, "now": NOON}
    with use_case():
        assert fraud.close_case_for_subject(**end) is True
        assert fraud.close_case_for_subject(**end) is False
    case.refresh_from_db()
    assert case.status == status
    assert not Label.objects.exists()
    with pytest.raises(fraud.CaseAlreadyDecided):
        decide(case, officer)


def test_a_payments_end_is_no_decision(flagged: MakeCase) -> None:
    case = flagged()
    with use_case(), pytest.raises(ValueError, match="EXPIRED"):
        fraud.close_case_for_subject(subject_kind=KIND, subject_id=case.subject_id, status="RELEASED", now=NOON)


def test_cases_are_taken_and_put_back(flagged: MakeCase, officer: Any, teller: Any) -> None:
    case = flagged()
    taken = fraud.assign_case(actor=officer, case_id=case.pk, assignee=officer, now=NOON)
    assert taken.dossier.assigned_to == officer
    with pytest.raises(Forbidden):
        fraud.assign_case(actor=officer, case_id=case.pk, assignee=teller, now=NOON)
    assert fraud.release_assignment(actor=officer, case_id=case.pk).dossier.assigned_to is None


def test_notes_are_kept_with_their_author(flagged: MakeCase, officer: Any, auditor: Any) -> None:
    case = flagged()
    fraud.add_note(actor=officer, case_id=case.pk, text=" Called twice. ", now=NOON)
    assert CaseNote.objects.get(case=case).text == "Called twice."
    with pytest.raises(Forbidden):
        fraud.add_note(actor=auditor, case_id=case.pk, text="I was here", now=NOON)


def test_a_kind_without_handlers_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.every_kind_has_handlers(None) == []
    monkeypatch.setattr(subjects, "_registered", {})
    assert [message.id for message in checks.every_kind_has_handlers(None)] == ["fraud.E001"] * len(
        subjects.REQUIRED_KINDS
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_officers_at_once_one_wins(orders: Orders) -> None:
    from identity.permissions import Role
    from tests.fraud.conftest import do_screen

    officers = [make_user(f"race{index}@bank.example", Role.COMPLIANCE) for index in range(2)]
    case = Case.objects.get(decision_id=do_screen(amount_minor=6000_00, country="NG").decision_id)
    gate = threading.Barrier(2)
    ended: list[str] = []

    def one(index: int) -> None:
        gate.wait(timeout=PATIENCE)
        try:
            ended.append(decide(case, officers[index], ["RELEASE", "DECLINE"][index]).status)
        except fraud.CaseAlreadyDecided:
            ended.append("LATE")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("LATE") == 1
    assert len(orders.released) + len(orders.declined) == 1
    assert Label.objects.filter(decision=case.decision).count() == 1
