from __future__ import annotations

from uuid import uuid4

import pytest

from ledger import queries, services
from ledger.services import Leg

pytestmark = pytest.mark.django_db


def test_posts_a_transfer_with_its_fee(customer, fees, source):
    payer, payee = customer(10_000), customer()
    posted = services.post_entry(
        external_ref=uuid4(), legs=[Leg(payer, -1_050), Leg(payee, 1_000), Leg(fees, 50)], **source
    )
    assert posted.balances == {payer: 8_950, payee: 1_000}
    assert queries.balance(fees).posted == 50


def test_posts_many_entries_in_their_order_or_none_at_all(customer, fees, source, refused):
    payer, payee = customer(10_000), customer()
    facts = {name: source[name] for name in ("kind", "description", "source_kind", "source_id")}

    def entries(*amounts):
        return [
            services.Entry(
                external_ref=uuid4(), legs=[Leg(payer, -amount - 1), Leg(payee, amount), Leg(fees, 1)], **facts
            )
            for amount in amounts
        ]

    wanted = entries(4_000, 5_000)
    posted = services.post_entries(entries=wanted, booked_at=source["booked_at"])
    again = services.post_entries(entries=wanted, booked_at=source["booked_at"])

    assert [entry.balances[payer] for entry in posted] == [5_999, 998]
    assert [(entry.entry_id, entry.replayed) for entry in again] == [(entry.entry_id, True) for entry in posted]
    assert services.post_entries(entries=[], booked_at=source["booked_at"]) == []
    with refused(services.InsufficientFunds):
        services.post_entries(entries=entries(100, 5_000), booked_at=source["booked_at"])
    assert (queries.balance(payer).posted, queries.balance(fees).posted) == (998, 2)


def test_keeps_a_running_balance_over_several_legs_of_one_account(customer, fees, source):
    payer, payee = customer(10_000), customer()
    services.post_entry(
        external_ref=uuid4(), legs=[Leg(payer, -1_000), Leg(payee, 1_000), Leg(payer, -50), Leg(fees, 50)], **source
    )
    assert [(line.account_seq, line.amount_minor, line.balance_after) for line in queries.lines(payer)] == [
        (1, 10_000, 10_000),
        (2, -1_000, 9_000),
        (3, -50, 8_950),
    ]


def test_holds_the_floor_against_the_sum_of_an_accounts_legs(customer, source, refused):
    payer, payee = customer(1_000), customer()
    services.post_entry(external_ref=uuid4(), legs=[Leg(payer, -1_500), Leg(payer, 600), Leg(payee, 900)], **source)
    assert queries.balance(payer).posted == 100
    with refused(services.InsufficientFunds):
        services.post_entry(external_ref=uuid4(), legs=[Leg(payer, -60), Leg(payer, -60), Leg(payee, 120)], **source)


def test_posts_two_currencies_that_each_balance(customer, source):
    euros, dollars = customer(10_000), customer(currency="USD")
    services.post_entry(
        external_ref=uuid4(),
        legs=[
            Leg(euros, -1_000),
            Leg(queries.internal_account("2900", "EUR"), 1_000),
            Leg(queries.internal_account("2900", "USD"), -1_100),
            Leg(dollars, 1_100),
        ],
        **source,
    )
    assert queries.balance(dollars).posted == 1_100


@pytest.mark.parametrize(
    "amounts", [(-100, 99), (-100, 50, 49), (-100,), (), (100, 100)], ids=["off by one", "three", "one", "none", "same"]
)
def test_refuses_legs_that_do_not_balance(customer, source, refused, amounts):
    accounts = [customer(1_000) for _ in range(3)]
    with refused(services.UnbalancedEntry):
        services.post_entry(
            external_ref=uuid4(), legs=[Leg(a, m) for a, m in zip(accounts, amounts, strict=False)], **source
        )
    assert all(queries.balance(account).posted == 1_000 for account in accounts)


def test_refuses_two_currencies_that_balance_only_together(customer, source, refused):
    with refused(services.UnbalancedEntry):
        services.post_entry(
            external_ref=uuid4(), legs=[Leg(customer(1_000), -100), Leg(customer(currency="USD"), 100)], **source
        )


@pytest.mark.parametrize("amount", [0, 2**63, -(2**63) - 1])
def test_refuses_a_leg_of_nothing_or_too_much(customer, source, refused, amount):
    with refused(services.InvalidAmount):
        services.post_entry(
            external_ref=uuid4(), legs=[Leg(customer(1_000), amount), Leg(customer(1_000), -amount)], **source
        )


def test_refuses_unknown_and_frozen_accounts(customer, source, refused):
    account, frozen = customer(1_000), customer()
    services.set_status(account_id=frozen, status="FROZEN")
    for other, error in ((999_999_999, services.UnknownAccount), (frozen, services.AccountNotUsable)):
        with refused(error):
            services.post_entry(external_ref=uuid4(), legs=[Leg(account, -1), Leg(other, 1)], **source)


def test_replays_and_tells_a_reused_reference(customer, source, refused):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    legs = [Leg(payer, -10), Leg(payee, 10)]
    first = services.post_entry(external_ref=ref, legs=legs, **source)
    again = services.post_entry(external_ref=ref, legs=legs, **source)
    assert again.replayed
    assert (again.entry_id, again.balances) == (first.entry_id, first.balances)
    with refused(services.ExternalRefReused):
        services.post_entry(external_ref=ref, legs=[Leg(payer, -11), Leg(payee, 11)], **source)
    with refused(services.ExternalRefReused):
        services.post_entry(external_ref=ref, legs=list(reversed(legs)), **source)


def test_a_transfer_and_an_entry_with_the_same_legs_are_the_same_content(customer, pay, source):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    first = pay(payer, payee, 10, external_ref=ref)
    again = services.post_entry(external_ref=ref, legs=[Leg(payer, -10), Leg(payee, 10)], **source)
    assert (again.entry_id, again.replayed) == (first.entry_id, True)
