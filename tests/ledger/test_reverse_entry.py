from __future__ import annotations

from uuid import uuid4

import pytest

from ledger import queries, services
from ledger.services import Leg

pytestmark = pytest.mark.django_db


@pytest.fixture
def reversal(now):
    return {"description": "Sent twice", "booked_at": now, "source_kind": "test", "source_id": "9"}


def test_mirrors_every_leg(customer, fees, source, reversal):
    payer, payee = customer(10_000), customer()
    entry = services.post_entry(
        external_ref=uuid4(), legs=[Leg(payer, -1_050), Leg(payee, 1_000), Leg(fees, 50)], **source
    )
    posted = services.reverse_entry(entry_id=entry.entry_id, external_ref=uuid4(), **reversal)
    assert posted.balances == {payer: 10_000, payee: 0}
    assert queries.balance(fees).posted == 0
    assert queries.recent_lines(payer)[0].kind == "reversal"


def test_happens_once(customer, pay, reversal, refused):
    entry = pay(customer(1_000), customer(), 10).entry_id
    services.reverse_entry(entry_id=entry, external_ref=uuid4(), **reversal)
    with refused(services.AlreadyReversed):
        services.reverse_entry(entry_id=entry, external_ref=uuid4(), **reversal)


def test_replays_its_own_reference(customer, pay, reversal, refused):
    entry, ref = pay(customer(1_000), customer(), 10).entry_id, uuid4()
    first = services.reverse_entry(entry_id=entry, external_ref=ref, **reversal)
    again = services.reverse_entry(entry_id=entry, external_ref=ref, **reversal)
    assert (again.entry_id, again.replayed) == (first.entry_id, True)
    with refused(services.ExternalRefReused):
        services.reverse_entry(entry_id=entry, external_ref=ref, **{**reversal, "description": "Other"})


def test_refuses_a_reference_of_another_entry(customer, pay, reversal, refused):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    entry = pay(payer, payee, 10).entry_id
    pay(payee, payer, 10, external_ref=ref)
    with refused(services.ExternalRefReused):
        services.reverse_entry(entry_id=entry, external_ref=ref, **reversal)


def test_refuses_to_reverse_a_reversal(customer, pay, reversal, refused):
    entry = pay(customer(1_000), customer(), 10).entry_id
    reverse = services.reverse_entry(entry_id=entry, external_ref=uuid4(), **reversal).entry_id
    with refused(services.NotReversible):
        services.reverse_entry(entry_id=reverse, external_ref=uuid4(), **reversal)


def test_refuses_an_unknown_entry(db, reversal, refused):
    with refused(services.UnknownEntry):
        services.reverse_entry(entry_id=999_999_999, external_ref=uuid4(), **reversal)


def test_refuses_when_the_money_has_gone_on(customer, pay, reversal, refused):
    payer, payee = customer(1_000), customer()
    entry = pay(payer, payee, 10).entry_id
    pay(payee, payer, 10)
    with refused(services.InsufficientFunds):
        services.reverse_entry(entry_id=entry, external_ref=uuid4(), **reversal)
