from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from ledger import queries, services
from ledger.services import Leg

pytestmark = pytest.mark.django_db


@pytest.fixture
def hold(now):
    def place(account, amount, **changes):
        values = {
            "external_ref": uuid4(),
            "expires_at": now + timedelta(days=3),
            "source_kind": "test",
            "source_id": "1",
            "now": now,
        }
        return services.place_hold(account_id=account, amount_minor=amount, **{**values, **changes}).hold_id

    return place


def test_reserves_without_moving(customer, hold):
    account = customer(1_000)
    hold(account, 400)
    assert queries.balance(account) == queries.Balance(posted=1_000, held=400, floor=0)
    assert queries.balance(account).available == 600


def test_keeps_reserved_money_from_being_spent(customer, hold, pay, refused):
    account, other = customer(1_000), customer()
    hold(account, 400)
    with refused(services.InsufficientFunds) as caught:
        pay(account, other, 601)
    assert caught.value.data["available_minor"] == 600
    pay(account, other, 600)


def test_refuses_more_than_is_available(customer, hold, refused):
    account = customer(1_000)
    hold(account, 600)
    with refused(services.InsufficientFunds):
        hold(account, 401)


def test_refuses_bad_amounts_accounts_and_times(customer, cash, hold, refused, now):
    account, frozen = customer(1_000), customer(1_000)
    services.set_status(account_id=frozen, status="FROZEN")
    for target, amount, changes, error in (
        (account, 0, {}, services.InvalidAmount),
        (account, -1, {}, services.InvalidAmount),
        (account, 2**63, {}, services.InvalidAmount),
        (999_999_999, 1, {}, services.UnknownAccount),
        (cash, 1, {}, services.UnknownAccount),
        (frozen, 1, {}, services.AccountNotUsable),
        (account, 1, {"expires_at": now}, services.HoldNotActive),
    ):
        with refused(error):
            hold(target, amount, **changes)
    assert queries.balance(account).held == 0


def test_replays_and_tells_a_reused_reference(customer, hold, refused, now):
    account, ref = customer(1_000), uuid4()
    first = hold(account, 100, external_ref=ref)
    assert hold(account, 100, external_ref=ref, expires_at=now + timedelta(days=9)) == first
    assert queries.balance(account).held == 100
    with refused(services.ExternalRefReused):
        hold(account, 101, external_ref=ref)


def test_posts_in_full(customer, hold, source):
    payer, payee = customer(1_000), customer()
    placed = hold(payer, 400)
    posted = services.post_hold(
        hold_id=placed, external_ref=uuid4(), legs=[Leg(payer, -400), Leg(payee, 400)], **source
    )
    assert posted.balances == {payer: 600, payee: 400}
    assert queries.balance(payer) == queries.Balance(posted=600, held=0, floor=0)
    assert (queries.hold(placed).state, queries.hold(placed).posted_minor) == ("POSTED", 400)


def test_posts_a_part_and_gives_the_rest_back(customer, fees, hold, source):
    payer, payee = customer(1_000), customer()
    placed = hold(payer, 1_000)
    services.post_hold(
        hold_id=placed, external_ref=uuid4(), legs=[Leg(payer, -260), Leg(payee, 250), Leg(fees, 10)], **source
    )
    assert queries.balance(payer) == queries.Balance(posted=740, held=0, floor=0)
    assert queries.hold(placed).posted_minor == 260


def test_posts_when_only_the_reserved_money_is_left(customer, hold, pay, source):
    payer, payee = customer(1_000), customer()
    placed = hold(payer, 400)
    pay(payer, payee, 600)
    services.post_hold(hold_id=placed, external_ref=uuid4(), legs=[Leg(payer, -400), Leg(payee, 400)], **source)
    assert queries.balance(payer).posted == 0


@pytest.mark.parametrize("amount", [401, -50])
def test_refuses_to_take_more_than_was_reserved_or_to_pay_in(customer, hold, source, refused, amount):
    payer, payee = customer(1_000), customer(1_000)
    placed = hold(payer, 400)
    with refused(services.HoldExceeded):
        services.post_hold(
            hold_id=placed, external_ref=uuid4(), legs=[Leg(payer, -amount), Leg(payee, amount)], **source
        )
    assert queries.balance(payer).held == 400


def test_refuses_legs_that_leave_the_holds_account_out(customer, hold, source, refused):
    payer, payee, stranger = customer(1_000), customer(), customer(1_000)
    placed = hold(payer, 400)
    with refused(services.HoldExceeded):
        services.post_hold(hold_id=placed, external_ref=uuid4(), legs=[Leg(stranger, -400), Leg(payee, 400)], **source)


def test_refuses_to_post_after_expiry_or_from_a_frozen_account(customer, hold, source, refused, now):
    payer, payee = customer(1_000), customer()
    placed = hold(payer, 400)
    legs = [Leg(payer, -400), Leg(payee, 400)]
    with refused(services.HoldNotActive):
        services.post_hold(
            hold_id=placed, external_ref=uuid4(), legs=legs, **{**source, "booked_at": now + timedelta(days=3)}
        )
    services.set_status(account_id=payer, status="FROZEN")
    with refused(services.AccountNotUsable):
        services.post_hold(hold_id=placed, external_ref=uuid4(), legs=legs, **source)


def test_replays_a_posted_hold(customer, hold, source, refused):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    placed = hold(payer, 400)
    legs = [Leg(payer, -400), Leg(payee, 400)]
    first = services.post_hold(hold_id=placed, external_ref=ref, legs=legs, **source)
    again = services.post_hold(hold_id=placed, external_ref=ref, legs=legs, **source)
    assert (again.entry_id, again.replayed, again.balances) == (first.entry_id, True, first.balances)
    with refused(services.ExternalRefReused):
        services.post_hold(hold_id=placed, external_ref=ref, legs=[Leg(payer, -4), Leg(payee, 4)], **source)


def test_refuses_the_reference_of_another_entry(customer, hold, pay, source, refused):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    pay(payer, payee, 400, external_ref=ref)
    placed = hold(payer, 400)
    with refused(services.ExternalRefReused):
        services.post_hold(hold_id=placed, external_ref=ref, legs=[Leg(payer, -400), Leg(payee, 400)], **source)
    assert queries.hold(placed).state == "ACTIVE"


@pytest.mark.parametrize("status", ["ACTIVE", "FROZEN"])
def test_gives_money_back_when_voided_whatever_the_accounts_status(customer, hold, now, status):
    account = customer(1_000)
    placed = hold(account, 400)
    services.set_status(account_id=account, status=status)
    services.void_hold(hold_id=placed, now=now)
    assert queries.balance(account).held == 0
    assert queries.hold(placed).state == "VOIDED"


def test_expires_only_when_its_time_has_come(customer, hold, refused, now):
    account = customer(1_000)
    placed = hold(account, 400)
    with refused(services.HoldNotDue):
        services.expire_hold(hold_id=placed, now=now + timedelta(days=2))
    services.expire_hold(hold_id=placed, now=now + timedelta(days=3))
    assert queries.balance(account).held == 0
    assert queries.hold(placed).state == "EXPIRED"


def test_ends_once(customer, hold, source, refused, now):
    payer, payee = customer(1_000), customer()
    placed = hold(payer, 400)
    services.void_hold(hold_id=placed, now=now)
    with refused(services.HoldNotActive) as caught:
        services.void_hold(hold_id=placed, now=now)
    assert caught.value.data["state"] == "VOIDED"
    with refused(services.HoldNotActive):
        services.expire_hold(hold_id=placed, now=now + timedelta(days=9))
    with refused(services.HoldNotActive):
        services.post_hold(hold_id=placed, external_ref=uuid4(), legs=[Leg(payer, -4), Leg(payee, 4)], **source)


def test_tells_an_unknown_hold(db, refused, now):
    assert queries.hold(uuid4()) is None
    with refused(services.UnknownHold):
        services.void_hold(hold_id=uuid4(), now=now)
