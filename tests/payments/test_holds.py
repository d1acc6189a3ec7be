"""Held payments: released, declined, cancelled, expired; reversals of completed ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction
from django.utils import timezone

from accounts import services as accounts
from audit.models import AuditEvent
from fraud import services as fraud
from identity.errors import PermissionMissing
from notifications.models import OutboxEvent
from payments import services
from payments.models import HoldCause, Payment, Status
from tests.payments.conftest import Bank
from tests.payments.factories import CHECKED, case_of, held, held_payment, pay, posted

pytestmark = pytest.mark.django_db


def decide(officer: Any, payment: Payment, decision: str, **overrides: Any) -> None:
    facts: dict[str, Any] = {"reason": "called the customer", "now": timezone.now(), "checked": CHECKED}
    fraud.decide_case(actor=officer, case_id=case_of(payment).pk, decision=decision, **{**facts, **overrides})


def test_a_released_transfer_reaches_the_payee(bank: Bank, officer: Any) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs, "100.00")
    decide(officer, payment, "RELEASE")
    payment.refresh_from_db()
    assert (payment.status, payment.decided_by) == (Status.COMPLETED, officer)
    assert (posted(bank.current), held(bank.current), posted(bank.bobs)) == (90_000, 0, 20_000)
    assert OutboxEvent.objects.filter(user=bank.alice, kind="transfer_released").count() == 1
    assert OutboxEvent.objects.filter(user=bank.bob, kind="money_received").count() == 1


def test_a_declined_transfer_gives_the_money_back(bank: Bank, officer: Any) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs, "100.00")
    decide(officer, payment, "DECLINE")
    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code) == (Status.REFUSED, "declined")
    assert "called the customer" not in payment.refusal_text
    assert (posted(bank.current), held(bank.current), posted(bank.bobs)) == (100_000, 0, 10_000)
    assert AuditEvent.objects.get(action="payment.declined").reason == "called the customer"


def test_a_release_to_a_frozen_payee_is_refused_and_moves_nothing(bank: Bank, officer: Any) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs, "100.00")
    accounts.freeze_account(actor=officer, account_id=bank.bobs.pk, reason="court order", now=timezone.now())
    with pytest.raises(services.PayeeCannotReceive):
        decide(officer, payment, "RELEASE")
    payment.refresh_from_db()
    assert (payment.status, case_of(payment).status, held(bank.current)) == (Status.HELD, "OPEN", 10_000)
    decide(officer, payment, "DECLINE")
    assert held(bank.current) == 0


def test_nobody_decides_about_an_own_payment(bank: Bank, officer: Any) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs)
    for involved in (bank.alice, bank.bob):
        with pytest.raises(services.OwnDecision), transaction.atomic():
            services.release_held(subject_id=payment.pk, actor=involved, reason="please", now=timezone.now())
    assert held(bank.current) == 2_500


def test_a_payment_is_decided_once(bank: Bank, officer: Any) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs)
    services.cancel_held(actor=bank.alice, payment_id=payment.pk, now=timezone.now())
    assert case_of(payment).status == "CANCELLED"
    for call in (services.release_held, services.decline_held):
        with pytest.raises(services.NotHeld), transaction.atomic():
            call(subject_id=payment.pk, actor=officer, reason="late", now=timezone.now())
    with pytest.raises(services.NotHeld):
        services.cancel_held(actor=bank.alice, payment_id=payment.pk, now=timezone.now())
    assert (posted(bank.current), held(bank.current)) == (100_000, 0)


def test_only_the_payer_cancels(bank: Bank, charlie: Any) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs)
    for stranger in (bank.bob, charlie):
        with pytest.raises(services.PaymentNotFound):
            services.cancel_held(actor=stranger, payment_id=payment.pk, now=timezone.now())
    assert (held(bank.current), case_of(payment).status) == (2_500, "OPEN")


def test_what_nobody_decides_expires_once(bank: Bank, officer: Any) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs)
    assert payment.expires_at is not None
    assert services.expire_held(now=payment.expires_at - timedelta(seconds=1)) == 0
    with pytest.raises(services.HoldExpired):
        decide(officer, payment, "RELEASE", now=payment.expires_at)
    assert services.expire_held(now=payment.expires_at) == 1
    assert services.expire_held(now=payment.expires_at) == 0
    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code, case_of(payment).status) == (Status.CANCELLED, "expired", "EXPIRED")
    assert (posted(bank.current), held(bank.current)) == (100_000, 0)
    assert OutboxEvent.objects.filter(user=bank.alice, kind="transfer_expired").count() == 1


def test_a_payment_that_nobody_could_check_is_decided_in_its_case(
    bank: Bank, officer: Any, teller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fraud, "screen", lambda **_: 1 / 0)
    first, second = pay(bank.alice, bank.current, bank.bobs), pay(bank.alice, bank.current, bank.bobs)
    for payment in (first, second):
        assert (payment.status, payment.hold_cause) == (Status.HELD, HoldCause.UNSCREENED)
        assert payment.decision_id == case_of(payment).decision_id
        assert [reason["code"] for reason in payment.reasons] == ["NOT_SCREENED"]
    assert (posted(bank.bobs), held(bank.current)) == (10_000, 5_000)
    with pytest.raises(PermissionMissing):
        decide(teller, first, "RELEASE")
    decide(officer, first, "RELEASE")
    decide(officer, second, "DECLINE")
    assert [Payment.objects.get(pk=payment.pk).status for payment in (first, second)] == ["COMPLETED", "REFUSED"]
    assert (posted(bank.bobs), held(bank.current)) == (12_500, 0)


def test_a_payment_fails_as_a_whole_when_not_even_its_case_can_be_written(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fraud, "screen", lambda **_: 1 / 0)
    monkeypatch.setattr(fraud, "hold_unscreened", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pay(bank.alice, bank.current, bank.bobs)
    assert (Payment.objects.count(), held(bank.current)) == (0, 0)


def test_a_reversal_takes_amount_and_fee_back_once(bank: Bank, officer: Any) -> None:
    payment = pay(bank.alice, bank.current, bank.bobs, "50.00")
    facts: dict[str, Any] = {"payment_id": payment.pk, "reason": "sent by mistake", "now": timezone.now()}
    with pytest.raises(PermissionMissing):
        services.reverse_payment(actor=bank.alice, **facts)
    with pytest.raises(services.ReasonMissing):
        services.reverse_payment(actor=officer, **{**facts, "reason": " "})
    done = services.reverse_payment(actor=officer, **facts)
    assert (done.status, done.reversed_by) == (Status.REVERSED, officer)
    assert (posted(bank.current), posted(bank.bobs)) == (100_000, 10_000)
    with pytest.raises(services.NotReversible):
        services.reverse_payment(actor=officer, **facts)


def test_a_reversal_of_spent_money_is_refused(bank: Bank, officer: Any) -> None:
    payment = pay(bank.alice, bank.current, bank.bobs, "300.00")
    pay(bank.bob, bank.bobs, bank.current, "890.00")
    with pytest.raises(services.NotEnoughMoney):
        services.reverse_payment(actor=officer, payment_id=payment.pk, reason="mistake", now=timezone.now())


def test_the_database_refuses_other_moves_and_deletion(bank: Bank) -> None:
    payment = pay(bank.alice, bank.current, bank.bobs)
    attempts = [
        "UPDATE payments_payment SET status = 'HELD' WHERE id = %s",
        "UPDATE payments_payment SET amount_minor = 1 WHERE id = %s",
        "DELETE FROM payments_payment WHERE id = %s",
    ]
    for attempt in attempts:
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attempt, [payment.pk])
