"""Stretches of an account's sequence: what a statement opens and closes with, and what moved between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger import queries

pytestmark = pytest.mark.django_db


def test_a_period_is_a_stretch_of_the_sequence(customer, pay, now):
    payer, payee = customer(0, floor=None), customer()
    for day, amount in enumerate([100, 250, 30]):
        pay(payer, payee, amount, booked_at=now + timedelta(days=day))
    pay(payee, payer, 80, booked_at=now + timedelta(days=3))
    assert queries.bounds(payee, now + timedelta(days=1), now + timedelta(days=4)) == (1, 4)
    found = queries.span(payee, after_seq=1, last_seq=4)
    assert (found.opening, found.closing, found.credits, found.debits) == (100, 300, 280, 80)
    assert (found.credit_count, found.debit_count, found.count) == (2, 1, 3)


def test_the_end_of_a_period_is_not_in_it(customer, pay, now):
    payer, payee = customer(0, floor=None), customer()
    pay(payer, payee, 100, booked_at=now)
    assert queries.bounds(payee, now - timedelta(days=1), now) == (0, 0)
    assert queries.bounds(payee, now, now + timedelta(microseconds=1)) == (0, 1)


def test_a_quiet_stretch_keeps_the_balance(customer, pay, now):
    payer, payee = customer(0, floor=None), customer()
    pay(payer, payee, 100, booked_at=now)
    quiet = queries.span(payee, after_seq=1, last_seq=1)
    assert (quiet.opening, quiet.closing, quiet.credits, quiet.debits, quiet.count) == (100, 100, 0, 0, 0)


def test_an_untouched_account_has_the_empty_stretch(customer, now):
    account = customer()
    assert queries.bounds(account, now - timedelta(days=30), now) == (0, 0)
    assert queries.span(account, after_seq=0, last_seq=0).closing == 0
