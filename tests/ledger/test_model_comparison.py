"""Random sequences of operations against a plain dictionary: balances, holds and refusals agree step by step."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ledger import queries, services, verification
from ledger.services import Leg
from tests.ledger.conftest import NOW

STEP = st.one_of(
    st.tuples(st.just("transfer"), st.integers(0, 2), st.integers(0, 2), st.integers(1, 600)),
    st.tuples(st.just("hold"), st.integers(0, 2), st.just(0), st.integers(1, 600)),
    st.tuples(st.just("post"), st.integers(0, 5), st.integers(0, 2), st.integers(1, 600)),
    st.tuples(st.just("void"), st.integers(0, 5), st.just(0), st.just(0)),
)
SOURCE = {"source_kind": "test", "source_id": "1"}


class Plain:
    """What the ledger should do, in a few lines and without a database."""

    def __init__(self) -> None:
        self.posted = [500, 500, 0]
        self.held = [0, 0, 0]
        self.holds: list[tuple[int, int] | None] = []

    def available(self, who: int) -> int:
        return self.posted[who] - self.held[who]


@pytest.mark.django_db
class TestTheLedgerAgreesWithAPlainModel(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps=st.lists(STEP, min_size=3, max_size=20))
    def test_step_by_step(self, steps):
        plain, hold_ids = Plain(), []
        equity = queries.internal_account("3000", "EUR")
        accounts = [
            services.open_account(gl_code="2100", currency="EUR", name="x", floor=0, external_ref=uuid4())
            for _ in range(3)
        ]
        for account, amount in zip(accounts, plain.posted, strict=True):
            if amount:
                self.move(equity, account, amount)
        for what, who, other, amount in steps:
            getattr(self, what)(plain, accounts, hold_ids, who, other, amount)
            read = queries.balances(accounts)
            assert [read[account].posted for account in accounts] == plain.posted
            assert [read[account].held for account in accounts] == plain.held
        assert list(verification.verify()) == []

    def move(self, debit, credit, amount):
        services.post_transfer(
            external_ref=uuid4(),
            debit_account_id=debit,
            credit_account_id=credit,
            amount_minor=amount,
            kind="transfer",
            description="x",
            booked_at=NOW,
            **SOURCE,
        )

    def transfer(self, plain, accounts, hold_ids, who, other, amount):
        allowed = who != other and plain.available(who) >= amount
        with self.expecting(allowed):
            self.move(accounts[who], accounts[other], amount)
        if allowed:
            plain.posted[who] -= amount
            plain.posted[other] += amount

    def hold(self, plain, accounts, hold_ids, who, other, amount):
        allowed = plain.available(who) >= amount
        with self.expecting(allowed):
            placed = services.place_hold(
                external_ref=uuid4(),
                account_id=accounts[who],
                amount_minor=amount,
                expires_at=NOW + timedelta(days=1),
                now=NOW,
                **SOURCE,
            )
            hold_ids.append(placed.hold_id)
        if allowed:
            plain.held[who] += amount
            plain.holds.append((who, amount))

    def post(self, plain, accounts, hold_ids, which, other, amount):
        if which >= len(hold_ids):
            return
        held = plain.holds[which]
        who = held[0] if held else 0
        allowed = held is not None and other != who and amount <= held[1]
        with self.expecting(allowed):
            services.post_hold(
                hold_id=hold_ids[which],
                external_ref=uuid4(),
                legs=[Leg(accounts[who], -amount), Leg(accounts[other], amount)],
                kind="transfer",
                description="x",
                booked_at=NOW,
                **SOURCE,
            )
        if allowed:
            plain.posted[who] -= amount
            plain.posted[other] += amount
            plain.held[who] -= held[1]
            plain.holds[which] = None

    def void(self, plain, accounts, hold_ids, which, other, amount):
        if which >= len(hold_ids):
            return
        held = plain.holds[which]
        with self.expecting(held is not None):
            services.void_hold(hold_id=hold_ids[which], now=NOW)
        if held:
            plain.held[held[0]] -= held[1]
            plain.holds[which] = None

    def expecting(self, allowed):
        from contextlib import contextmanager

        @contextmanager
        def block():
            if allowed:
                yield
                return
            with (
                pytest.raises(
                    (services.InsufficientFunds, services.SameAccount, services.HoldNotActive, services.HoldExceeded)
                ),
                transaction.atomic(),
            ):
                yield

        return block()
