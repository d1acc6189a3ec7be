"""Two officers at one wish or one payout at the same moment: exactly one of them decides. With a control for each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from common.errors import DomainError
from identity.models import User
from identity.permissions import Role
from loans import services, verification
from loans.models import Application, Decision, Loan, Movement, Tranche
from loans.services import tranches, underwriting
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.loans.factories import noon, referred
from tests.loans.test_tranches import in_parts
from tests.patience import PATIENCE
from tests.payments.factories import posted

pytestmark = pytest.mark.django_db(transaction=True)
Deed = Callable[[], Any]


def side_by_side(*deeds: Deed) -> list[str]:
    """What became of each, by name; all start at once."""
    gate = threading.Barrier(len(deeds), timeout=PATIENCE)

    def run(deed: Deed) -> str:
        try:
            gate.wait()
            return type(deed()).__name__
        except (DomainError, DatabaseError, AssertionError) as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return sorted(pool.map(run, deeds))


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no service ever locked a row."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)


def meeting(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Both officers have looked at the same state before either goes on: they meet in this function."""
    original, both = getattr(module, name), threading.Barrier(2, timeout=PATIENCE)

    def wait_then_do(*args: Any, **facts: Any) -> Any:
        both.wait()
        return original(*args, **facts)

    monkeypatch.setattr(module, name, wait_then_do)


@pytest.fixture
def wish(alice: User) -> Application:
    return referred(alice, open_test_account(alice), now=timezone.now())


def approving(wish: Application, officer: User) -> Deed:
    return lambda: services.approve(actor=officer, application_id=wish.pk, reason="Pay slips seen", now=timezone.now())


def test_of_two_officers_who_approve_one_decides(wish: Application, lender: User, second_lender: User) -> None:
    found = side_by_side(approving(wish, lender), approving(wish, second_lender))

    assert found == ["Application", "NotPossibleNow"]
    assert Decision.objects.filter(application=wish, officer__isnull=False).count() == 1


def test_of_an_approval_and_a_refusal_one_stands(wish: Application, lender: User, second_lender: User) -> None:
    def refuse() -> Application:
        told = {"reason": "Too little", "told": "Your income varies.", "now": timezone.now()}
        return services.decline(actor=second_lender, application_id=wish.pk, **told)

    found = side_by_side(approving(wish, lender), refuse)

    assert found == ["Application", "NotPossibleNow"]
    decision = Decision.objects.get(application=wish, officer__isnull=False)
    wish.refresh_from_db()
    assert wish.status == {"APPROVE": "APPROVED", "DECLINE": "DECLINED"}[decision.outcome]


def test_control_without_the_lock_both_decide(
    wish: Application, lender: User, second_lender: User, no_locks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting(monkeypatch, underwriting, "assess")

    found = side_by_side(approving(wish, lender), approving(wish, second_lender))

    assert found == ["Application", "Application"]
    assert Decision.objects.filter(application=wish, officer__isnull=False).count() == 2


@pytest.fixture
def third_lender(db: None) -> User:
    return make_user("lending3@bank.example", Role.LENDING, name="Lena Lending")


@pytest.fixture
def asked(alice: User, lender: User) -> Loan:
    """A house loan whose second part one officer has asked for."""
    loan = in_parts(alice)
    services.ask_payout(actor=lender, loan_id=loan.pk, reason="Walls stand", now=noon())
    return loan


def answering(loan: Loan, officer: User) -> Deed:
    return lambda: services.answer_payout(actor=officer, loan_id=loan.pk, approved=True, reason="Seen", now=noon())


def test_of_two_officers_who_pay_out_one_does(asked: Loan, second_lender: User, third_lender: User) -> None:
    before = posted(asked.account)
    part = asked.tranches.get(status=Tranche.Status.ASKED)

    found = side_by_side(answering(asked, second_lender), answering(asked, third_lender))

    assert found == ["NotPossibleNow", "Tranche"]
    paid = Movement.objects.filter(loan=asked, kind=Movement.Kind.DISBURSEMENT).order_by("pk")
    assert list(paid.values_list("principal_minor", flat=True)) == [12_000_00, 8_000_00]
    part.refresh_from_db()
    assert (part.status, part.checker in (second_lender, third_lender)) == ("PAID", True)
    assert before < posted(asked.account) < before + 8_000_00
    assert list(verification.verify()) == []


def test_of_two_officers_who_ask_one_does(alice: User, lender: User, second_lender: User) -> None:
    loan = in_parts(alice)

    def asking(officer: User) -> Deed:
        return lambda: services.ask_payout(actor=officer, loan_id=loan.pk, reason="Walls stand", now=noon())

    assert side_by_side(asking(lender), asking(second_lender)) == ["NotPossibleNow", "Tranche"]


def test_control_without_the_lock_only_the_database_keeps_the_second_payout_away(
    asked: Loan, second_lender: User, third_lender: User, no_locks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read that the part waits; the unique keys turn one away, and nothing of it stays."""
    meeting(monkeypatch, tranches, "_pay_out")

    found = side_by_side(answering(asked, second_lender), answering(asked, third_lender))

    assert "NotPossibleNow" not in found
    assert found.count("Tranche") == 1
    assert list(verification.verify()) == []
