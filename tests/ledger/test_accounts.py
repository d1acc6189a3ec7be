from __future__ import annotations

from uuid import uuid4

import pytest

from ledger import queries, services

pytestmark = pytest.mark.django_db


def open_account(**changes):
    values = {"gl_code": "2100", "currency": "EUR", "name": "Savings", "floor": 0, "external_ref": uuid4()}
    return services.open_account(**{**values, **changes})


def test_opens_at_zero(db):
    assert queries.balance(open_account(floor=-100)) == queries.Balance(posted=0, held=0, floor=-100)


def test_opens_once_per_reference(refused):
    ref = uuid4()
    assert open_account(external_ref=ref) == open_account(external_ref=ref)
    with refused(services.ExternalRefReused):
        open_account(external_ref=ref, currency="USD")


@pytest.mark.parametrize("code", ["9999", "1000"])
def test_refuses_codes_that_are_unknown_or_the_banks_own(refused, code):
    with refused(services.UnknownGlCode):
        open_account(gl_code=code)


def test_refuses_a_floor_that_an_empty_account_does_not_cover(refused):
    with refused(services.FloorNotCovered):
        open_account(floor=1)


def test_internal_accounts_are_one_per_code_and_currency():
    assert queries.internal_account("1000", "EUR") == services.internal_account(gl_code="1000", currency="EUR")
    assert queries.internal_account("1000", "EUR") != queries.internal_account("1000", "USD")
    assert queries.internal_account("1000", "CHF") == queries.internal_account("1000", "CHF")


@pytest.mark.parametrize("code", ["9999", "2100"])
def test_refuses_internal_accounts_for_other_codes(refused, code):
    with refused(services.UnknownGlCode):
        queries.internal_account(code, "EUR")


def test_freezes_and_releases(customer, pay, refused):
    account, other = customer(100), customer()
    services.set_status(account_id=account, status="FROZEN")
    with refused(services.AccountNotUsable):
        pay(account, other, 1)
    services.set_status(account_id=account, status="ACTIVE")
    pay(account, other, 1)


def test_closes_only_when_empty_and_for_good(customer, pay, refused):
    account, other = customer(100), customer()
    with refused(services.AccountNotEmpty):
        services.set_status(account_id=account, status="CLOSED")
    pay(account, other, 100)
    services.set_status(account_id=account, status="CLOSED")
    with refused(services.StatusNotAllowed):
        services.set_status(account_id=account, status="ACTIVE")


def test_keeps_every_change_of_status(customer, as_owner):
    account = customer()
    for status in ("FROZEN", "FROZEN", "ACTIVE", "CLOSED"):
        services.set_status(account_id=account, status=status)
    with as_owner() as cursor:
        cursor.execute(
            "SELECT old_status, new_status FROM ledger_statuschange WHERE account_id = %s ORDER BY id", [account]
        )
        assert cursor.fetchall() == [("ACTIVE", "FROZEN"), ("FROZEN", "ACTIVE"), ("ACTIVE", "CLOSED")]


def test_moves_the_floor_as_far_as_the_balance_covers(customer, pay, refused):
    account, other = customer(100), customer()
    services.set_floor(account_id=account, floor=-50)
    pay(account, other, 150)
    with refused(services.FloorNotCovered) as caught:
        services.set_floor(account_id=account, floor=-49)
    assert caught.value.data["available_minor"] == -50
    services.set_floor(account_id=account, floor=None)
    pay(account, other, 1)


def test_tells_unknown_accounts(refused):
    with refused(services.UnknownAccount):
        services.set_status(account_id=999_999_999, status="FROZEN")
    with refused(services.UnknownAccount):
        services.set_floor(account_id=999_999_999, floor=0)
    with refused(services.UnknownAccount):
        queries.balance(999_999_999)
