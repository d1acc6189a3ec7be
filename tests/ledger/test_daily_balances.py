"""Balances of each day, by time of booking and by value date, kept as rows and always equal to the postings."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from ledger import queries, services, tasks, verification
from ledger.models import DailyBalance
from tests.dice import SEED
from tests.patience import until

pytestmark = pytest.mark.django_db


def rows_of(account: int) -> list[tuple[date, int, int]]:
    return list(DailyBalance.objects.filter(account=account).order_by("day").values_list("day", "booked", "valued"))


@pytest.fixture
def payee(customer, pay, now):
    """Received 1.00, 2.00 and 4.00 on three days; the second counts from two days before it came."""
    payer, payee = customer(0, floor=None), customer()
    pay(payer, payee, 100, booked_at=now)
    pay(payer, payee, 200, booked_at=now + timedelta(days=1), value_date=date(2026, 3, 1))
    pay(payer, payee, 400, booked_at=now + timedelta(days=3), value_date=date(2026, 3, 8))
    return payee


def test_the_balance_by_value_date_counts_from_that_day(payee):
    expected = {
        date(2026, 2, 28): 0,
        date(2026, 3, 1): 200,
        date(2026, 3, 2): 300,
        date(2026, 3, 7): 300,
        date(2026, 3, 8): 700,
    }
    for taken in (False, True):
        if taken:
            tasks.take_daily_balances()
        assert {day: queries.balance_on(payee, day) for day in expected} == expected


def test_a_day_on_which_something_moved_has_a_row(payee):
    tasks.take_daily_balances()
    assert rows_of(payee) == [
        (date(2026, 3, 1), 0, 200),
        (date(2026, 3, 2), 100, 300),
        (date(2026, 3, 3), 300, 300),
        (date(2026, 3, 5), 700, 300),
        (date(2026, 3, 8), 700, 700),
    ]


def test_taking_them_again_changes_nothing(payee):
    assert services.take_daily_balances() >= 1
    before = rows_of(payee)
    while services.take_daily_balances():
        pass
    assert rows_of(payee) == before


def test_a_posting_with_an_early_value_date_moves_the_days_after_it(payee, customer, pay, now):
    tasks.take_daily_balances()
    pay(payee, customer(), 50, booked_at=now + timedelta(days=4), value_date=date(2026, 3, 2))
    assert queries.balance_on(payee, date(2026, 3, 2)) == 250
    tasks.take_daily_balances()
    assert [valued for _, _, valued in rows_of(payee)] == [200, 250, 250, 250, 250, 650]
    assert [booked for _, booked, _ in rows_of(payee)] == [0, 100, 300, 700, 650, 650]


def test_the_closing_balances_are_the_same_with_and_without_rows(customer, pay, now):
    """Random payments with random value dates, taken at random times, against adding everything up."""
    rng = random.Random(SEED)
    accounts = [customer(0, floor=None) for _ in range(3)]
    moved: list[tuple[int, date, date, int]] = []
    at = now
    for _ in range(60):
        at += timedelta(hours=rng.randrange(20))
        debit, credit = rng.sample(accounts, 2)
        amount, value = rng.randrange(1, 999), at.date() + timedelta(days=rng.randrange(-6, 4))
        pay(debit, credit, amount, booked_at=at, value_date=value)
        moved += [(debit, at.date(), value, -amount), (credit, at.date(), value, amount)]
        if rng.random() < 0.2:
            services.take_daily_balances()
    first, last = now.date() - timedelta(days=8), at.date() + timedelta(days=6)
    days = [first + timedelta(days=n) for n in range((last - first).days)]
    read = queries.daily_balances(accounts, first, last)
    for account in accounts:
        assert read[account] == [
            (day, sum(amount for who, booked, _, amount in moved if who == account and booked <= day)) for day in days
        ]
        assert [queries.balance_on(account, day) for day in days] == [
            sum(amount for who, _, value, amount in moved if who == account and value <= day) for day in days
        ]
    assert list(verification.verify()) == []


def test_an_account_without_postings_was_always_empty(customer, now):
    account = customer()
    tasks.take_daily_balances()
    assert queries.balance_on(account, now.date()) == 0
    with pytest.raises(services.UnknownAccount):
        queries.balance_on(999_999_999, now.date())


def test_verify_ledger_finds_a_changed_day(payee, as_owner):
    tasks.take_daily_balances()
    with as_owner() as cursor:
        cursor.execute(
            "UPDATE ledger_dailybalance SET valued = valued + 1 WHERE account_id = %s AND day = '2026-03-02'", [payee]
        )
    found = [str(problem) for problem in verification.verify()]
    assert len(found) == 1
    assert f"account {payee} on 2026-03-02: expected 100 booked, 300 valued, found 100 booked, 301 valued" in found[0]


@pytest.mark.parametrize("table", ["ledger_dailybalance", "ledger_dailymark"])
def test_nobody_throws_them_away_and_the_portal_does_not_write_them(payee, as_owner, settle, table):
    tasks.take_daily_balances()
    settle()
    for change in (
        f"UPDATE {table} SET account_id = account_id",
        f"INSERT INTO {table} DEFAULT VALUES",
        f"DELETE FROM {table}",
    ):
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
        assert refused.value.__cause__.pgcode == "42501"
    for change in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with as_owner() as cursor, pytest.raises(DatabaseError) as refused, transaction.atomic():
            cursor.execute(change)
        assert refused.value.__cause__.pgcode == "BK090"


def test_an_index_answers_each_part(payee, as_owner):
    """The newest row up to a day, and what is newer than the mark: neither may read the account's other postings."""
    with as_owner() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for statement, index in (
            (
                "SELECT valued FROM ledger_dailybalance WHERE account_id = %s AND day <= '2026-03-05' ORDER BY day DESC LIMIT 1",
                "ledger_dailybalance_pkey",
            ),
            ("SELECT sum(amount) FROM ledger_posting WHERE account_id = %s AND account_seq > 2", "account_seq"),
        ):
            cursor.execute("EXPLAIN " + statement, [payee])
            plan = "".join(row[0] for row in cursor.fetchall())
            assert index in plan
            assert "Seq Scan" not in plan


class TestInternalAccounts:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_their_days_come_from_transactions_that_have_ended(self, customer, pay, cash, now):
        account = customer()
        for day in range(3):
            pay(cash, account, 100, booked_at=now + timedelta(days=day), value_date=now.date())
        until(DailyBalance.objects.filter(account=cash, booked=-300).exists, meanwhile=tasks.take_daily_balances)
        assert rows_of(cash)[0] == (now.date(), -100, -300)
        pay(cash, account, 7, booked_at=now + timedelta(days=2))
        assert queries.balance_on(cash, now.date() + timedelta(days=2)) == -307
        assert queries.balance_on(cash, now.date()) == -300
        closing = queries.daily_balances([cash], now.date(), now.date() + timedelta(days=4))[cash]
        assert [amount for _, amount in closing] == [-100, -200, -307, -307]
        assert list(verification.verify(jobs=2)) == []
