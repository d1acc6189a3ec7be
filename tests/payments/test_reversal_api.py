"""Reversals through the API: once, with a reason, by staff who have no part in the payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from identity.models import User
from payments.models import Payment
from tests.payments.conftest import Bank
from tests.payments.factories import pay, posted

pytestmark = pytest.mark.django_db
Api = Callable[..., Any]


def reverse(client: Any, payment_id: object, reason: str = "Paid twice", key: str = "") -> Any:
    address = f"/api/v1/transactions/history/{payment_id}/reverse"
    return client.post(address, {"reason": reason}, format="json", headers={"Idempotency-Key": key or str(uuid4())})


def test_staff_reverse_a_payment_once(bank: Bank, officer: User, api: Api) -> None:
    payment, key = pay(bank.alice, bank.current, bank.bobs, "25.00"), str(uuid4())
    client = api(officer)
    answer = reverse(client, payment.pk, key=key)
    assert (answer.status_code, answer.json()["status"], answer.json()["amount"]) == (200, "REVERSED", "25.00")
    assert reverse(client, payment.pk, key=key).content == answer.content
    assert reverse(client, payment.pk).json()["code"] == "payment_not_reversible"
    assert (posted(bank.current), posted(bank.bobs)) == (1000_00, 100_00)
    event = AuditEvent.objects.get(action="payment.reversed")
    assert (event.actor, event.reason) == (officer, "Paid twice")
    assert Payment.objects.get().reversal_entry_id == answer.json()["reversal_entry_id"]


def test_needs_a_reason_a_key_and_a_payment(bank: Bank, officer: User, api: Api) -> None:
    payment = pay(bank.alice, bank.current, bank.bobs, "25.00")
    client = api(officer)
    assert reverse(client, payment.pk, reason=" ").status_code == 400
    assert reverse(client, uuid4()).status_code == 404
    address = f"/api/v1/transactions/history/{payment.pk}/reverse"
    assert client.post(address, {"reason": "Paid twice"}, format="json").json()["code"] == "idempotency_key_missing"
    payment.refresh_from_db()
    assert payment.status == "COMPLETED"


def test_money_that_is_spent_cannot_be_taken_back(bank: Bank, officer: User, api: Api) -> None:
    # Bob's account may go 500.00 below zero.
    payment = pay(bank.alice, bank.current, bank.bobs, "500.00")
    pay(bank.bob, bank.bobs, bank.current, "1100.00")
    answer = reverse(api(officer), payment.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_funds")


def test_customers_and_their_payees_are_refused(bank: Bank, api: Api) -> None:
    payment = pay(bank.alice, bank.current, bank.bobs, "25.00")
    assert reverse(api(bank.alice), payment.pk).status_code == 403
    assert reverse(api(bank.bob), payment.pk).status_code == 403
    assert posted(bank.bobs) == 125_00
