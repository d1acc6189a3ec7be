"""The fraud desk: dossiers, claiming, the clock, checklists, and several decisions at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from audit.models import AuditEvent
from common.db import use_case
from common.errors import Invalid
from fraud import services as fraud
from fraud import subjects
from fraud.models import Case, CaseCheck, DeskConfig, Dossier, Label
from fraud.queries import desk
from fraud.rules.desk import DeskSettings, Urgency
from fraud.subjects import CheckItem
from identity.permissions import Role
from tests.conftest import make_user
from tests.fraud.conftest import KIND, NOON, Orders, do_screen, make_facts
from tests.patience import PATIENCE

MakeCase = Callable[..., Case]
ITEMS = (CheckItem("history", "History looked at"), CheckItem("customer", "Customer called"))


def decide(case: Case, actor: Any, decision: str = "RELEASE", **more: Any) -> Case:
    return fraud.decide_case(
        actor=actor, case_id=case.pk, decision=decision, reason="Phoned the customer", now=NOON, **more
    )


@pytest.fixture
def listed(orders: Orders) -> Orders:
    """Held payments of the tests' kind have a checklist."""
    subjects.register(KIND, release=orders.release, decline=orders.decline, checklists={"FLAGGED": ITEMS})
    return orders


def test_a_new_hit_joins_the_open_case_about_the_same_rule(flagged: MakeCase, later: Any) -> None:
    first = flagged()
    second, other = flagged(at=later(hours=1)), flagged(customer_id=uuid.uuid4(), at=later(hours=1))
    assert second.dossier == first.dossier != other.dossier
    assert first.dossier.rule == "LARGE_AWAY_FROM_HOME"
    assert [case.pk for case in desk.open_cases_of(second)] == [first.pk, second.pk]


def test_a_hit_joins_whichever_of_its_rules_is_open(flagged: MakeCase, later: Any) -> None:
    first = flagged()
    both = flagged(at=later(minutes=1), beneficiary_ref="PAYEE-2")
    assert both.dossier == first.dossier


def test_each_payment_of_a_dossier_is_decided_and_the_last_closes_it(
    flagged: MakeCase, officer: Any, orders: Orders, later: Any
) -> None:
    first, second = flagged(), flagged(at=later(minutes=5))
    decide(first, officer)
    first.dossier.refresh_from_db()
    assert first.dossier.closed_at is None
    assert orders.released == [first.subject_id]
    decide(second, officer, "DECLINE")
    first.dossier.refresh_from_db()
    assert first.dossier.closed_at == NOON
    assert [label.is_fraud for label in Label.objects.order_by("pk")] == [False, True]
    assert flagged(at=later(minutes=9)).dossier != first.dossier


def test_a_payment_that_ends_by_itself_closes_its_dossier(flagged: MakeCase) -> None:
    case = flagged()
    with use_case():
        fraud.close_case_for_subject(subject_kind=KIND, subject_id=case.subject_id, status="CANCELLED", now=NOON)
    case.dossier.refresh_from_db()
    assert case.dossier.closed_at == NOON


def test_a_case_is_due_by_its_urgency(flagged: MakeCase, later: Any, officer: Any) -> None:
    assert (flagged().dossier.urgency, flagged().dossier.due_at) == (Urgency.SUSPICIOUS, later(hours=24))
    fraud.set_desk(actor=officer, settings=DeskSettings(2, 6, 50, 0.01), reason="Fewer people", now=NOON)
    assert flagged(customer_id=uuid.uuid4()).dossier.due_at == later(hours=6)
    assert desk.desk_settings() == DeskSettings(2, 6, 50, 0.01)
    assert AuditEvent.objects.get(action="fraud.desk_set").reason == "Fewer people"


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        (DeskSettings(critical_hours=0), "critical_hours"),
        (DeskSettings(sample_hours=99_999), "sample_hours"),
        (DeskSettings(sample_share=0.5), "sample_share"),
        (DeskSettings(sample_share=float("nan")), "sample_share"),
    ],
)
def test_the_desk_refuses_what_makes_no_sense(officer: Any, chosen: DeskSettings, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        fraud.set_desk(actor=officer, settings=chosen, reason="Why not", now=NOON)
    assert refused.value.field == field
    assert not DeskConfig.objects.exists()


def test_the_most_urgent_case_is_claimed_first_and_then_what_is_due_first(
    flagged: MakeCase, officer: Any, later: Any
) -> None:
    late, early, urgent = (flagged(customer_id=uuid.uuid4(), at=later(hours=hour)) for hour in (3, 1, 5))
    Dossier.objects.filter(pk=urgent.dossier_id).update(urgency=Urgency.CRITICAL)
    own = flagged(customer_id=officer.public_id)
    claimed = [fraud.claim_next(actor=officer, now=NOON) for _ in range(4)]
    assert [case.pk if case else None for case in claimed] == [urgent.pk, early.pk, late.pk, None]
    own.dossier.refresh_from_db()
    assert own.dossier.assigned_to is None


def test_what_a_colleague_has_is_neither_taken_nor_decided(
    flagged: MakeCase, officer: Any, second_officer: Any, orders: Orders
) -> None:
    case = flagged()
    assert fraud.claim_next(actor=officer, now=NOON) == case
    with pytest.raises(fraud.CaseTaken, match="Carla Compliance has this case"):
        fraud.assign_case(actor=second_officer, case_id=case.pk, assignee=second_officer, now=NOON)
    with pytest.raises(fraud.CaseTaken):
        decide(case, second_officer)
    assert orders.released == []
    fraud.assign_case(actor=officer, case_id=case.pk, assignee=second_officer, now=NOON)
    assert decide(case, second_officer).status == "RELEASED"


def test_nothing_is_decided_before_everything_is_checked(flagged: MakeCase, officer: Any, listed: Orders) -> None:
    case = flagged()
    with pytest.raises(fraud.ChecklistOpen, match="Customer called") as refused:
        decide(case, officer, checked=["history"])
    assert refused.value.data == {"missing": ["customer"]}
    assert not CaseCheck.objects.exists()
    fraud.check_items(actor=officer, case_id=case.pk, items=["history"], now=NOON)
    with pytest.raises(fraud.UnknownCheck):
        fraud.check_items(actor=officer, case_id=case.pk, items=["horoscope"], now=NOON)
    assert decide(case, officer, checked=["customer"]).status == "RELEASED"
    assert listed.released == [case.subject_id]
    assert set(CaseCheck.objects.values_list("item", flat=True)) == {"history", "customer"}


def test_of_several_each_is_decided_on_its_own(
    flagged: MakeCase, officer: Any, second_officer: Any, listed: Orders
) -> None:
    free, taken, gone = (flagged(customer_id=uuid.uuid4()) for _ in range(3))
    own = flagged(customer_id=officer.public_id)
    fraud.assign_case(actor=second_officer, case_id=taken.pk, assignee=second_officer, now=NOON)
    decide(gone, second_officer, checked=["history", "customer"])
    results = fraud.decide_cases(
        actor=officer,
        case_ids=[gone.pk, taken.pk, own.pk, free.pk, free.pk],
        decision="DECLINE",
        reason="One gang",
        now=NOON,
        checked=["history", "customer", "elsewhere"],
    )
    assert [result.case is not None for result in results] == [False, False, False, True]
    assert ["Conrad Compliance" in result.refusal for result in results[:3]] == [True, True, False]
    assert listed.declined == [free.subject_id]


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Run `work` for 0 and 1 in two threads that start together."""
    gate, ended = threading.Barrier(2), [None, None]

    def one(index: int) -> None:
        try:
            gate.wait(timeout=PATIENCE)
            ended[index] = work(index)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


@pytest.fixture
def two_waiting(transactional_db: None, orders: Orders) -> list[Any]:
    for number in (1, 2):
        do_screen(amount_minor=6000_00, country="NG", customer_id=uuid.UUID(int=100 + number))
    return [make_user(f"claims{index}@bank.example", Role.COMPLIANCE) for index in range(2)]


@pytest.fixture
def both_choose_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each claims only after both have chosen: the moment at which a missing lock would show."""
    chosen = threading.Barrier(2)
    original = Dossier.save

    def save(self: Dossier, *args: Any, **kwargs: Any) -> None:
        chosen.wait(timeout=PATIENCE)
        original(self, *args, **kwargs)

    monkeypatch.setattr(Dossier, "save", save)


@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_get_two_different_cases(two_waiting: list[Any], both_choose_first: None) -> None:
    claimed = at_once(lambda index: fraud.claim_next(actor=two_waiting[index], now=NOON))
    assert len({case.pk for case in claimed}) == 2
    holders = Dossier.objects.values_list("assigned_to_id", flat=True)
    assert set(holders) == {officer.pk for officer in two_waiting}


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_would_get_the_same(
    two_waiting: list[Any], both_choose_first: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    claimed = at_once(lambda index: fraud.claim_next(actor=two_waiting[index], now=NOON))
    assert len({case.pk for case in claimed}) == 1


@pytest.mark.django_db(transaction=True)
def test_two_hits_at_once_join_one_dossier(orders: Orders) -> None:
    cases = at_once(
        lambda index: Case.objects.get(decision_id=do_screen(amount_minor=6000_00, country="NG").decision_id)
    )
    assert cases[0].dossier_id == cases[1].dossier_id
    assert Dossier.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_unscreened_payments_at_once_join_one_dossier_without_the_customers_lock(orders: Orders) -> None:
    def hold(_: int) -> uuid.UUID:
        with use_case():
            return fraud.hold_unscreened(facts=make_facts()).decision_id

    held = at_once(hold)
    assert Case.objects.filter(decision_id__in=held).values("dossier").distinct().count() == 1
