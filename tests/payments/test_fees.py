"""The fee of each operation is posted with the payment, shown with how it was made up, and goes back on a reversal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.rules.fees import Band, Operation, Tariff, flat
from fraud import services as fraud
from fraud.rules.facts import Outcome
from identity.models import User
from ledger import queries as ledger
from payments import services
from payments.models import Channel, Payment, Status
from tests.accounts.factories import set_test_fee
from tests.payments.conftest import Bank
from tests.payments.factories import CHECKED, PIN, case_of, held, pay, posted, verdict

pytestmark = pytest.mark.django_db
IBAN = "DE89370400440532013000"
PERCENT = Tariff((Band(0, 0, Decimal("0.5")),), least_minor=1_00, most_minor=5_00)


def income() -> int:
    return ledger.balance(ledger.internal_account("4100", "EUR")).posted


def withdraw(bank: Bank, amount: str = "300.00") -> Payment:
    return services.withdraw(
        actor=bank.alice,
        debit_account_id=bank.current.pk,
        iban=IBAN,
        amount=amount,
        client_id=uuid4(),
        channel=Channel.PORTAL,
        now=timezone.now(),
    )


def entry_sum(entry_id: int | None) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(amount) FROM ledger_posting WHERE entry_id = %s", [entry_id])
        row = cursor.fetchone()
    return int(row[0]), int(row[1])


def test_a_withdrawal_pays_its_percentage_in_the_same_entry(bank: Bank) -> None:
    version = set_test_fee("CUR-EUR", Operation.WITHDRAWAL, PERCENT)
    payment = withdraw(bank)
    assert (payment.fee_minor, payment.fee_note) == (1_50, "0.5% of €300.00")
    assert payment.fee_version_id == version.pk
    assert (posted(bank.current), income()) == (1_000_00 - 301_50, 1_50)
    assert entry_sum(payment.entry_id) == (3, 0)


def test_cash_at_the_counter_pays_its_own_fee_and_the_teller_sees_it(
    bank: Bank, teller: User, login: Callable[[User], Client]
) -> None:
    set_test_fee("CUR-EUR", Operation.CASH_WITHDRAWAL, flat(2_00))
    typed = {"account_number": bank.current.number, "amount": "50.00", "client_id": str(uuid4())}
    page = login(teller).post("/admin/payments/payment/cash-out/", typed).content.decode()
    assert "Fee on top, from the account" in page
    assert "€2.00" in page
    assert login(teller).post("/admin/payments/payment/cash-out/", {**typed, "confirmed": "1"}).status_code == 302
    assert (posted(bank.current), income()) == (1_000_00 - 52_00, 2_00)


def test_a_standing_order_pays_the_fee_of_standing_orders(bank: Bank) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, flat(9_00))
    set_test_fee("CUR-EUR", Operation.STANDING_ORDER, flat(25))
    now = timezone.now()
    draft = services.draft_standing_order(
        actor=bank.alice,
        debit_account_id=bank.current.pk,
        payee_number=bank.bobs.number,
        payee_name="Bob Baker",
        amount="40.00",
        first_date=timezone.localdate(now),
        now=now,
    )
    services.make_standing_order(draft=draft, pin=PIN, now=now)
    assert services.run_due(now=now) == 1
    assert Payment.objects.get().fee_minor == 25
    assert posted(bank.current) == 1_000_00 - 40_25


def test_a_held_withdrawal_reserves_its_fee_and_keeps_it_when_the_fee_changes(bank: Bank, officer: User) -> None:
    set_test_fee("CUR-EUR", Operation.WITHDRAWAL, PERCENT)
    with verdict(Outcome.FLAGGED):
        payment = withdraw(bank)
    assert (payment.status, held(bank.current)) == (Status.HELD, 301_50)
    set_test_fee("CUR-EUR", Operation.WITHDRAWAL, flat(99_00))
    fraud.decide_case(
        actor=officer,
        case_id=case_of(payment).pk,
        decision="RELEASE",
        reason="Known payee",
        now=timezone.now(),
        checked=CHECKED,
    )
    payment.refresh_from_db()
    assert (payment.status, payment.fee_minor) == (Status.COMPLETED, 1_50)
    assert (posted(bank.current), held(bank.current), income()) == (1_000_00 - 301_50, 0, 1_50)


def test_a_reversal_gives_the_fee_back(bank: Bank, officer: User) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, PERCENT)
    payment = pay(bank.alice, bank.current, bank.bobs, "400.00")
    assert (payment.fee_minor, income()) == (2_00, 2_00)
    services.reverse_payment(actor=officer, payment_id=payment.pk, reason="Wrong payee", now=timezone.now())
    assert (posted(bank.current), posted(bank.bobs), income()) == (1_000_00, 100_00, 0)


def test_a_change_leaves_past_payments_as_they_were(bank: Bank, administrator: User) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, PERCENT)
    payment = pay(bank.alice, bank.current, bank.bobs, "400.00")
    accounts.set_fee(
        actor=administrator,
        product_code="CUR-EUR",
        operation=Operation.TRANSFER,
        tariff=flat(7_00),
        reason="Costs rose",
        now=timezone.now(),
    )
    payment.refresh_from_db()
    assert (payment.fee_minor, payment.fee_note) == (2_00, "0.5% of €400.00")
    again = pay(bank.alice, bank.current, bank.bobs, "400.00", now=timezone.now() + timedelta(seconds=5))
    assert (again.fee_minor, again.fee_note) == (7_00, "€7.00")


def test_the_review_and_the_receipt_say_how_the_fee_was_made_up(
    bank: Bank, login: Callable[[User], Client], api: Callable[[User], APIClient]
) -> None:
    set_test_fee("CUR-EUR", Operation.WITHDRAWAL, PERCENT)
    client = login(bank.alice)
    asked: dict[str, Any] = {"debit_account": str(bank.current.pk), "iban": IBAN, "amount": "20.00"}
    review = client.post("/withdraw/", asked)
    page = client.get(review["Location"]).content.decode()
    assert "0.5% of €20.00, at least €1.00" in page
    assert "€21.00" in page
    receipt = client.post(review["Location"], {"pin": PIN})
    assert "0.5% of €20.00, at least €1.00" in client.get(receipt["Location"]).content.decode()
    payment = Payment.objects.get()
    shown = api(bank.alice).get(f"/api/v1/transactions/history/{payment.pk}").json()
    assert (shown["fee"], shown["fee_note"]) == ("1.00", "0.5% of €20.00, at least €1.00")


def test_the_payee_sees_nothing_of_the_fee(bank: Bank, api: Callable[[User], APIClient]) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, PERCENT)
    payment = pay(bank.alice, bank.current, bank.bobs, "400.00")
    shown = api(bank.bob).get(f"/api/v1/transactions/history/{payment.pk}").json()
    assert (shown["fee"], shown["fee_note"]) == (None, "")
