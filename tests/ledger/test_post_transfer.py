from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from ledger import queries, services

pytestmark = pytest.mark.django_db


def test_moves_money_and_tells_both_balances(customer, pay):
    payer, payee = customer(10_000), customer(500)
    posted = pay(payer, payee, 2_500)
    assert not posted.replayed
    assert posted.balances == {payer: 7_500, payee: 3_000}
    assert queries.balance(payer).posted == 7_500
    assert queries.balance(payee).posted == 3_000


def test_leaves_internal_accounts_out_of_the_balances(customer, pay, cash):
    account = customer()
    posted = pay(cash, account, 700)
    assert posted.balances == {account: 700}
    assert queries.balance(cash).posted == -700


def test_numbers_the_legs_debit_first_whichever_account_is_older(customer, pay, as_owner):
    older, newer = customer(1_000), customer(1_000)
    for debit, credit in ((older, newer), (newer, older)):
        entry = pay(debit, credit, 10).entry_id
        with as_owner() as cursor:
            cursor.execute("SELECT account_id, amount FROM ledger_posting WHERE entry_id = %s ORDER BY no", [entry])
            assert cursor.fetchall() == [(debit, -10), (credit, 10)]


def test_replays_the_same_reference_with_the_first_answer(customer, pay):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    first = pay(payer, payee, 100, external_ref=ref)
    pay(payer, payee, 50)
    again = pay(payer, payee, 100, external_ref=ref)
    assert again.replayed
    assert (again.entry_id, again.balances) == (first.entry_id, {payer: 900, payee: 100})
    assert queries.balance(payer).posted == 850


def test_replays_when_the_clock_has_moved_on(customer, pay, now):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    pay(payer, payee, 100, external_ref=ref)
    assert pay(payer, payee, 100, external_ref=ref, booked_at=now + timedelta(days=2)).replayed


@pytest.mark.parametrize(
    "change",
    [{"kind": "fee"}, {"description": "Other"}, {"source_kind": "other"}, {"source_id": "2"}],
    ids=lambda change: next(iter(change)),
)
def test_refuses_a_reference_that_was_used_with_other_words(customer, pay, refused, change):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    pay(payer, payee, 100, external_ref=ref)
    with refused(services.ExternalRefReused):
        pay(payer, payee, 100, external_ref=ref, **change)


def test_refuses_a_reference_that_was_used_with_other_money(customer, pay, refused):
    payer, payee, other, ref = customer(1_000), customer(), customer(), uuid4()
    pay(payer, payee, 100, external_ref=ref)
    for debit, credit, amount in ((payer, payee, 101), (payer, other, 100), (payee, payer, 100)):
        with refused(services.ExternalRefReused):
            pay(debit, credit, amount, external_ref=ref)


def test_refuses_to_go_below_the_floor_and_says_what_is_available(customer, pay, refused):
    payer, payee = customer(1_000), customer()
    with refused(services.InsufficientFunds) as caught:
        pay(payer, payee, 1_001)
    assert caught.value.error_code == "insufficient_funds"
    assert caught.value.data == {"account_id": payer, "available_minor": 1_000, "amount_minor": 1_001}
    assert queries.balance(payer).posted == 1_000


def test_spends_an_overdraft_to_its_last_cent(customer, pay, refused):
    payer, payee = customer(0, floor=-500), customer()
    pay(payer, payee, 500)
    with refused(services.InsufficientFunds):
        pay(payer, payee, 1)
    assert queries.balance(payer) == queries.Balance(posted=-500, held=0, floor=-500)


def test_lets_an_account_without_a_floor_go_down(customer, pay):
    payer, payee = customer(0, floor=None), customer()
    pay(payer, payee, 9_999)
    assert queries.balance(payer).available is None


@pytest.mark.parametrize("amount", [0, -1, -(2**63)])
def test_refuses_an_amount_that_is_not_above_zero(customer, pay, refused, amount):
    payer, payee = customer(1_000), customer()
    with refused(services.InvalidAmount):
        pay(payer, payee, amount)


@pytest.mark.parametrize("amount", [2**63, 10**30])
def test_refuses_an_amount_beyond_what_the_ledger_can_hold(customer, pay, refused, amount):
    payer, payee = customer(0, floor=None), customer()
    with refused(services.InvalidAmount):
        pay(payer, payee, amount)


def test_refuses_a_balance_beyond_what_the_ledger_can_hold(customer, pay, refused):
    payer, payee = customer(0, floor=None), customer(2**63 - 1)
    with refused(services.InvalidAmount):
        pay(payer, payee, 1)


def test_refuses_to_pay_an_account_from_itself(customer, pay, refused):
    account = customer(1_000)
    with refused(services.SameAccount):
        pay(account, account, 1)


def test_refuses_an_unknown_account_on_either_side(customer, pay, refused):
    account = customer(1_000)
    for debit, credit in ((account, 999_999_999), (999_999_999, account)):
        with refused(services.UnknownAccount) as caught:
            pay(debit, credit, 1)
        assert caught.value.data == {"account_id": 999_999_999}


def test_refuses_two_currencies(customer, pay, refused):
    euros, dollars = customer(1_000), customer(1_000, currency="USD")
    with refused(services.CurrencyMismatch):
        pay(euros, dollars, 1)
    with refused(services.CurrencyMismatch):
        pay(queries.internal_account("1000", "USD"), euros, 1)


@pytest.mark.parametrize("status", ["FROZEN", "CLOSED"])
def test_refuses_an_account_that_is_not_active_on_either_side(customer, pay, refused, status):
    active, blocked = customer(1_000), customer()
    services.set_status(account_id=blocked, status=status)
    for debit, credit in ((active, blocked), (blocked, active)):
        with refused(services.AccountNotUsable) as caught:
            pay(debit, credit, 1)
        assert caught.value.error_code == f"account_{status.lower()}"


def test_refuses_a_frozen_internal_account(customer, pay, refused, cash):
    account = customer()
    services.set_status(account_id=cash, status="FROZEN")
    with refused(services.AccountNotUsable):
        pay(cash, account, 1)


def test_takes_the_value_date_from_the_booking_day_unless_told(customer, pay, now):
    payer, payee = customer(1_000), customer()
    pay(payer, payee, 1)
    pay(payer, payee, 1, value_date=date(2026, 1, 31))
    assert [line.value_date for line in queries.lines(payee)] == [now.date(), date(2026, 1, 31)]


def test_never_books_backwards_on_an_account(customer, pay, now):
    payer, payee = customer(1_000), customer()
    pay(payer, payee, 1, booked_at=now + timedelta(hours=1))
    pay(payer, payee, 1, booked_at=now)
    assert [line.booked_at for line in queries.lines(payee)] == [now + timedelta(hours=1)] * 2
