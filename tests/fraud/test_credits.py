"""Money that arrived: scored by a worker in the order of its arrival, looked at by a person."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from audit.models import AuditEvent
from common.errors import Conflict, Forbidden, Invalid, NotFound
from fraud import services as fraud
from fraud.models import Activity, Case, CreditReview, CreditScore, Decision, EntityReport, Label
from fraud.queries.credits import around
from fraud.rules.credits import Around, Credit, judge_credit
from fraud.services import sampling
from fraud.services.sampling import draw_sample
from insights.queries import bank
from payments.models import Payment
from payments.tasks import score_credits
from tests.accounts.factories import open_test_account
from tests.fraud.conftest import NOON, do_screen
from tests.payments.factories import case_of, give_pin, held_payment, pay

Login = Callable[[Any], Client]
NOTHING = Around(1, 1, 100_00, 100_00, 0, 0, 0)
ACCOUNT, OWNER = uuid.UUID(int=70), uuid.UUID(int=7)


def credit(**changes: Any) -> Credit:
    values: dict[str, Any] = {
        "subject_kind": "test_order",
        "subject_id": uuid.uuid4(),
        "customer_id": OWNER,
        "account_ref": ACCOUNT,
        "account_label": "BP00000000000070",
        "payer_ref": "payer-1",
        "payer_label": "Somebody",
        "amount_minor": 400_00,
        "currency": "EUR",
        "amount_base_minor": 400_00,
        "at": NOON,
    }
    return Credit(**values | changes)


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_creditscore_{name}", args=args)


@pytest.mark.parametrize(
    ("known", "codes"),
    [
        (NOTHING, []),
        (Around(4, 9, 100_00, 900_00, 0, 0, 0), []),
        (Around(5, 5, 100_00, 100_00, 0, 0, 0), ["MANY_PAYERS"]),
        (Around(1, 1, 100_00, 100_00, 0, 0, 1), ["PAID_BY_FRAUD"]),
        (Around(1, 3, 0, 1_000_00, 0, 900_00, 0), ["PASSES_ON"]),
        (Around(1, 3, 0, 1_000_00, 0, 899_99, 0), []),
        (Around(1, 3, 0, 999_99, 0, 999_99, 0), []),
        (Around(1, 2, 0, 1_000_00, 0, 1_000_00, 0), []),
        (Around(1, 1, 5_000_00, 5_000_00, 1_000_00, 0, 0), ["FAR_ABOVE"]),
        (Around(1, 1, 4_999_99, 4_999_99, 10_00, 0, 0), []),
        (Around(1, 1, 9_000_00, 9_000_00, 0, 0, 0), []),
        (
            Around(5, 5, 5_000_00, 5_000_00, 10_00, 5_000_00, 2),
            ["PAID_BY_FRAUD", "MANY_PAYERS", "PASSES_ON", "FAR_ABOVE"],
        ),
    ],
)
def test_each_sign_at_its_bound(known: Around, codes: list[str]) -> None:
    score, reasons = judge_credit(known)
    assert [reason.code for reason in reasons] == codes
    assert score == (0.0 if not codes else min(0.79, round(0.6 + 0.05 * (len(codes) - 1), 2)))
    assert all(reason.detail for reason in reasons)


def test_what_is_around_a_credit_has_its_windows_and_is_of_this_account_alone(db: None) -> None:
    past = [
        credit(at=NOON - timedelta(days=31), amount_base_minor=1),
        credit(at=NOON - timedelta(days=30, hours=23), amount_base_minor=10),
        credit(at=NOON - timedelta(days=7), amount_base_minor=100),
        credit(at=NOON - timedelta(days=6), amount_base_minor=1_000, payer_ref="payer-2"),
        credit(at=NOON - timedelta(hours=24), amount_base_minor=10_000, payer_ref="payer-3"),
        credit(at=NOON - timedelta(hours=23), amount_base_minor=100_000, payer_ref="payer-4"),
        credit(at=NOON - timedelta(hours=1), amount_base_minor=None, payer_ref="payer-4"),
        credit(at=NOON - timedelta(hours=1), account_ref=uuid.UUID(int=71), amount_base_minor=9),
        credit(at=NOON + timedelta(seconds=1), amount_base_minor=9),
    ]
    assert fraud.score_credits(past, now=NOON) == len(past)
    do_screen(customer_id=OWNER, account_ref=ACCOUNT, amount_minor=7_00, at=NOON - timedelta(days=2))
    do_screen(customer_id=OWNER, account_ref=uuid.UUID(int=72), amount_minor=8_00, at=NOON - timedelta(days=1))
    assert Activity.objects.filter(settled_minor__isnull=False).count() == 2
    found = around(credit(), now=NOON)
    assert found == Around(
        payers_day=2,
        credits_week=5,
        received_day_minor=140_000,
        received_week_minor=151_000,
        received_month_before_minor=11_110,
        sent_week_minor=7_00,
        frauds_month=0,
    )
    assert around(credit(payer_ref="payer-4"), now=NOON).payers_day == 1


def test_credits_are_scored_once_in_their_order_and_many_payers_stand_out(db: None, officer: Any) -> None:
    arrived = [credit(payer_ref=f"payer-{turn}", at=NOON + timedelta(minutes=turn)) for turn in range(6)]
    assert fraud.score_credits(list(reversed(arrived)), now=NOON) == 6
    assert fraud.score_credits(arrived, now=NOON) == 0
    scores = list(CreditScore.objects.order_by("at").values_list("score", flat=True))
    assert scores == [0.0, 0.0, 0.0, 0.0, 0.6, 0.6]
    queue = next(
        queue for queue in bank.queues(actor=officer, now=NOON + timedelta(hours=1)) if queue.name == "credits"
    )
    assert queue.count == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        CreditScore.objects.update(score=0.0)


@pytest.fixture
def paid(alice: Any, bob: Any) -> tuple[Payment, Account]:
    give_pin(alice)
    debit, to = open_test_account(alice, "CUR-EUR", "900.00"), open_test_account(bob, "CUR-EUR", "20.00")
    return pay(alice, debit, to), to


def test_the_task_scores_transfers_and_deposits_that_arrived_and_no_others(
    paid: tuple[Payment, Account], alice: Any
) -> None:
    payment, to = paid
    held = held_payment(alice, payment.debit_account, to)
    score_credits()
    found = CreditScore.objects.get(subject_id=payment.pk)
    assert (found.subject_kind, found.account_ref, found.payer_ref) == ("payment", to.pk, str(payment.debit_account_id))
    assert found.account_label == f"{to.owner.get_full_name()}, {to.number}"
    assert set(CreditScore.objects.values_list("subject_id", flat=True)) == set(
        Payment.objects.filter(status="COMPLETED", kind__in=["TRANSFER", "DEPOSIT"]).values_list("pk", flat=True)
    )
    assert not CreditScore.objects.filter(subject_id=held.pk).exists()
    before = CreditScore.objects.count()
    assert score_credits() == 0
    assert CreditScore.objects.count() == before


def test_a_confirmed_credit_labels_its_payment_and_the_next_one_stands_out(
    paid: tuple[Payment, Account], alice: Any, officer: Any, login: Login
) -> None:
    payment, to = paid
    score_credits()
    found = CreditScore.objects.get(subject_id=payment.pk)
    browser = login(officer)
    assert browser.post(page("confirm", found.pk), {"reason": ""}).status_code == 422
    assert browser.post(page("confirm", found.pk), {"reason": "A mule, says the police"}).status_code == 302
    label = Label.objects.get(decision__subject_id=payment.pk)
    assert (label.is_fraud, label.labelled_by) == (True, officer)
    assert EntityReport.objects.filter(label=label, entity="beneficiary", is_fraud=True).exists()
    assert AuditEvent.objects.get(action="fraud.credit_confirmed").reason == "A mule, says the police"
    shown = browser.get(page("change", found.pk)).content.decode()
    assert "A mule, says the police" in shown
    assert page("clear", found.pk) not in shown
    refused = browser.post(page("clear", found.pk), {"reason": "Twice"})
    assert (refused.status_code, "in the meantime" in refused.content.decode()) == (422, True)

    second = pay(alice, payment.debit_account, to)
    score_credits()
    stands_out = CreditScore.objects.get(subject_id=second.pk)
    assert [reason["code"] for reason in stands_out.reasons] == ["PAID_BY_FRAUD"]
    queue = browser.get(page("changelist"), {"state": "open"}).context["cl"].result_list
    assert [row.pk for row in queue] == [stands_out.pk]


def test_a_labelled_payment_is_never_drawn_and_one_with_a_case_is_labelled_there(
    paid: tuple[Payment, Account], officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment, _ = paid
    score_credits()
    found = CreditScore.objects.get(subject_id=payment.pk)
    monkeypatch.setattr(sampling, "sample_limit", lambda share: 2**32)
    now = timezone.now()
    fraud.review_credit(actor=officer, credit_id=found.pk, is_fraud=False, reason="A gift", now=now)
    drawn = draw_sample(now=now)
    assert drawn == Decision.objects.filter(outcome="APPROVED", label__isnull=True).count()
    assert not Case.objects.filter(subject_id=payment.pk).exists()


def test_a_payment_under_a_case_keeps_its_label_for_the_case(
    paid: tuple[Payment, Account], alice: Any, officer: Any
) -> None:
    payment, to = paid
    held = held_payment(alice, payment.debit_account, to)
    fraud.score_credits([credit(subject_kind="payment", subject_id=held.pk, account_ref=to.pk)], now=timezone.now())
    found = CreditScore.objects.get(subject_id=held.pk)
    fraud.review_credit(actor=officer, credit_id=found.pk, is_fraud=True, reason="A mule", now=timezone.now())
    assert not Label.objects.exists()
    assert case_of(held).status == "OPEN"


def test_only_officers_review_nobody_an_own_credit_and_each_once(
    officer: Any, auditor: Any, teller: Any, login: Login
) -> None:
    own = credit(customer_id=officer.public_id)
    fraud.score_credits([credit(), own], now=NOON)
    first, mine = (CreditScore.objects.get(customer_id=who) for who in (OWNER, officer.public_id))

    def review(actor: Any, which: int, reason: str = "Looked") -> None:
        fraud.review_credit(actor=actor, credit_id=which, is_fraud=False, reason=reason, now=NOON)

    for refusal, given in (
        (Forbidden, (auditor, first.pk)),
        (Forbidden, (officer, mine.pk)),
        (Invalid, (officer, first.pk, " ")),
        (NotFound, (officer, 0)),
    ):
        with pytest.raises(refusal):
            review(*given)
    review(officer, first.pk)
    with pytest.raises(Conflict):
        review(officer, first.pk)
    assert CreditReview.objects.count() == 1
    assert page("clear", mine.pk) not in login(auditor).get(page("change", mine.pk)).content.decode()
    assert login(teller).get(page("changelist")).status_code in (302, 403)
