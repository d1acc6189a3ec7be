"""Accounting examples in full: what is posted, and what the trial balance then says."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ledger import queries, services
from ledger.services import Leg

pytestmark = pytest.mark.django_db


def sides() -> dict[str, tuple[int, int]]:
    """Code to (debit, credit), for what is not zero in euros."""
    return {
        row.gl_code: (row.debit_minor, row.credit_minor)
        for row in queries.trial_balance()
        if row.currency == "EUR" and (row.debit_minor or row.credit_minor)
    }


def test_a_week_at_the_counter(customer, cash, fees, pay, source, now):
    equity = queries.internal_account("3000", "EUR")
    settlement = queries.internal_account("1100", "EUR")
    expense = queries.internal_account("5100", "EUR")
    alice, bob = customer(), customer(floor=-20_000)

    # The owners bring 1,000.00 in: the bank has cash, and owes it to its owners.
    pay(cash, equity, 100_000)
    assert sides() == {"1000": (100_000, 0), "3000": (0, 100_000)}

    # Alice pays in 250.00 at the counter: more cash, and the bank owes Alice.
    pay(cash, alice, 25_000)
    assert sides() == {"1000": (125_000, 0), "2100": (0, 25_000), "3000": (0, 100_000)}

    # Alice sends Bob 100.00 for a fee of 0.50: what the bank owes customers falls by the fee alone.
    services.post_entry(external_ref=uuid4(), legs=[Leg(alice, -10_050), Leg(bob, 10_000), Leg(fees, 50)], **source)
    assert sides() == {"1000": (125_000, 0), "2100": (0, 24_950), "3000": (0, 100_000), "4100": (0, 50)}

    # Bob goes 150.00 into his overdraft by a payment to another bank.
    pay(bob, settlement, 25_000)
    assert queries.balance(bob).posted == -15_000
    assert queries.balance(bob).available == 5_000
    assert sides() == {
        "1000": (125_000, 0),
        "1100": (0, 25_000),
        "2100": (50, 0),
        "3000": (0, 100_000),
        "4100": (0, 50),
    }

    # Alice earns 0.12 of interest: an expense of the bank, owed to Alice.
    pay(expense, alice, 12)
    assert queries.balance(alice).posted == 14_962
    assert sides()["5100"] == (12, 0)

    # Bob's payment was a mistake: its reversal leaves both entries on his statement.
    mistake = queries.recent_lines(bob)[0].entry_id
    services.reverse_entry(
        entry_id=mistake,
        external_ref=uuid4(),
        description="Wrong bank",
        booked_at=now,
        source_kind="test",
        source_id="1",
    )
    assert [(line.amount_minor, line.balance_after) for line in queries.lines(bob)] == [
        (10_000, 10_000),
        (-25_000, -15_000),
        (25_000, 10_000),
    ]
    final = sides()
    assert "1100" not in final
    assert sum(debit for debit, _ in final.values()) == sum(credit for _, credit in final.values())
