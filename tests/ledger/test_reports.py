"""The books as reports: worked in full on a small bank, at two moments."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from ledger import queries, reports, services
from ledger.models import LedgerAccount
from ledger.services import Leg

pytestmark = pytest.mark.django_db


@pytest.fixture
def books(customer, pay, cash, fees, source, now):
    """Monday: the owners put in 500.00, Alice pays in 100.00. Tuesday: she pays Bob 30.00 for a fee of 0.50, and earns 0.20."""
    alice, bob = customer(), customer()
    pay(cash, queries.internal_account("3000", "EUR"), 50_000)
    pay(cash, alice, 10_000)
    tuesday = now + timedelta(days=1)
    services.post_entry(
        external_ref=uuid4(),
        legs=[Leg(alice, -3_050), Leg(bob, 3_000), Leg(fees, 50)],
        **{**source, "booked_at": tuesday},
    )
    pay(queries.internal_account("5100", "EUR"), alice, 20, booked_at=tuesday)
    return {"alice": alice, "bob": bob, "cash": cash}


MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@pytest.mark.parametrize("taken", [False, True])
def test_a_trial_balance_at_a_date_has_equal_sides(books, taken):
    if taken:
        services.take_daily_balances()
    (monday,) = reports.trial_balance(day=MONDAY)
    assert {row.gl_code: (row.debit_minor, row.credit_minor) for row in monday.figures if row.net_minor} == {
        "1000": (60_000, 0),
        "2100": (0, 10_000),
        "3000": (0, 50_000),
    }
    (tuesday,) = reports.trial_balance(day=TUESDAY)
    assert {row.gl_code: (row.debit_minor, row.credit_minor) for row in tuesday.figures if row.net_minor} == {
        "1000": (60_000, 0),
        "2100": (0, 9_970),
        "3000": (0, 50_000),
        "4100": (0, 50),
        "5100": (20, 0),
    }
    for each in (monday, tuesday):
        assert each.is_balanced
        assert each.debit_minor == each.credit_minor
    assert (monday.debit_minor, tuesday.debit_minor) == (60_000, 60_020)
    assert reports.trial_balance(day=MONDAY - timedelta(days=1)) == []


def test_a_balance_sheet_puts_the_result_with_the_equity(books):
    (sheet,) = reports.balance_sheet(day=TUESDAY)
    assert (sheet.assets_minor, sheet.liabilities_minor, sheet.equity_minor) == (60_000, 9_970, 50_030)
    assert sheet.result_minor == 30
    assert sheet.is_balanced


def test_an_income_statement_is_of_its_period_alone(books):
    (both,) = reports.income_statement(since=MONDAY, until=TUESDAY + timedelta(days=1))
    assert (both.income_minor, both.expense_minor, both.result_minor) == (50, 20, 30)
    assert reports.income_statement(since=MONDAY, until=TUESDAY) == []
    assert reports.income_statement(since=TUESDAY + timedelta(days=1), until=TUESDAY + timedelta(days=2)) == []


def test_every_currency_has_a_balance_of_its_own(books, customer):
    customer(700, currency="USD")
    assert [each.currency for each in reports.trial_balance(day=TUESDAY)] == ["EUR", "USD"]
    assert all(each.is_balanced for each in reports.trial_balance(day=TUESDAY))


@pytest.mark.parametrize("who", ["alice", "cash"])
def test_the_general_ledger_pages_through_every_posting_once(books, pay, customer, who):
    account = LedgerAccount.objects.get(pk=books[who])
    other = customer(5_000)
    for amount in range(1, 8):
        pay(books["cash"], books["alice"], amount)
        pay(other, books["bob"], amount)
    seen: list[tuple[int, int]] = []
    before = ""
    while True:
        page = reports.general_ledger(account=account, before=before, limit=3)
        assert len(page.lines) <= 3
        seen += [(line.entry_id, line.amount_minor) for line in page.lines]
        if page.older is None:
            break
        before = page.older
    assert len(seen) == len(set(seen))
    assert sum(amount for _, amount in seen) == queries.balance(account.pk).posted


@pytest.mark.parametrize("before", ["x", "1-2", "-", "9" * 30, "1-2-3-4", "1-x-3", "1-2-" + "9" * 30])
def test_the_general_ledger_takes_any_text_for_a_place(books, before):
    for who in ("alice", "cash"):
        reports.general_ledger(account=LedgerAccount.objects.get(pk=books[who]), before=before)


def test_an_entry_knows_that_it_is_not_sealed_yet(books):
    assert reports.seal_of(entry_xid=5) is None
