from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import queries, services, tasks
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(customer, pay, now):
    """An account with one payment of 1.00 a day for twelve days, at 09:30."""
    payer, payee = customer(0, floor=None), customer()
    for day in range(12):
        pay(payer, payee, 100, booked_at=now + timedelta(days=day))
    return payee


@pytest.mark.parametrize("day", range(13))
def test_finds_the_balance_at_any_past_moment(history, now, day):
    assert queries.balance_at(history, now + timedelta(days=day - 1)) == 100 * day
    assert queries.balance_at(history, now + timedelta(days=day - 1, microseconds=-1)) == 100 * max(day - 1, 0)


def test_finds_the_balance_of_an_internal_account_at_any_moment(customer, pay, cash, now):
    account = customer()
    for day in range(6):
        pay(cash, account, 100, booked_at=now + timedelta(days=day))
    for day in range(6):
        assert queries.balance_at(cash, now + timedelta(days=day)) == -100 * (day + 1)
    assert queries.balance_at(cash, now - timedelta(days=1)) == 0


def test_an_account_without_postings_has_always_been_empty(customer, now):
    assert queries.balance_at(customer(), now) == 0
    with pytest.raises(services.UnknownAccount):
        queries.balance_at(999_999_999, now)


def test_cuts_lines_by_half_open_periods(history, now):
    lines = queries.lines(history, since=now + timedelta(days=2), until=now + timedelta(days=5))
    assert [line.account_seq for line in lines] == [3, 4, 5]
    assert [line.balance_after for line in lines] == [300, 400, 500]


def test_pages_through_lines_in_both_directions(history):
    first = queries.lines(history, limit=5)
    rest = queries.lines(history, after_seq=first[-1].account_seq)
    assert [line.account_seq for line in first + rest] == list(range(1, 13))
    newest = queries.recent_lines(history, limit=5)
    older = queries.recent_lines(history, before_seq=newest[-1].account_seq, limit=20)
    assert [line.account_seq for line in newest + older] == list(range(12, 0, -1))


def test_gives_the_closing_balance_of_each_day(history, now):
    days = queries.daily_balances([history], now.date() - timedelta(days=1), now.date() + timedelta(days=3))
    assert days == {
        history: [(date(2026, 3, 1), 0), (date(2026, 3, 2), 100), (date(2026, 3, 3), 200), (date(2026, 3, 4), 300)]
    }


def test_reads_many_balances_in_one_statement_and_looks_into_the_months_for_internal_ones_only(customer, cash):
    accounts = [customer(amount) for amount in (100, 200, 300)]
    with CaptureQueriesContext(connection) as asked:
        assert set(queries.balances(accounts)) == set(accounts)
    assert len(asked) == 1
    assert "ledger_posting" not in asked[0]["sql"]
    with CaptureQueriesContext(connection) as asked:
        read = queries.balances([*accounts, cash])
    assert len(asked) == 2
    assert [read[account].posted for account in (*accounts, cash)] == [100, 200, 300, -600]


def test_a_trial_balance_has_equal_sides(customer, pay, fees):
    account = customer(10_000)
    pay(account, fees, 250)
    rows = {(row.gl_code, row.currency): row for row in queries.trial_balance()}
    assert rows["1000", "EUR"].debit_minor == 10_000
    assert rows["2100", "EUR"].credit_minor == 9_750
    assert rows["4100", "EUR"].credit_minor == 250
    assert sum(row.debit_minor - row.credit_minor for row in rows.values()) == 0


class TestAtCommit:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_a_snapshot_shortens_the_tail_and_changes_no_balance(self, customer, pay, cash, fees, now):
        account = customer(10_000)
        pay(account, fees, 30)
        taken: list[int] = []
        until(lambda: sum(taken) >= 2, meanwhile=lambda: taken.append(services.take_snapshots()))
        assert sum(taken) == 2
        assert services.take_snapshots() == 0, "nothing moved since"
        pay(account, fees, 12)
        assert queries.balance(fees).posted == 42
        assert queries.balance(cash).posted == -10_000
        assert queries.balance_at(fees, now) == 42
        tasks.snapshot_internal_accounts()
        assert queries.balance(fees).posted == 42

    def test_a_snapshot_leaves_out_what_is_not_committed(self, customer, pay, fees, as_owner):
        """Its cut lies below every transaction that still runs, so a late commit belongs to the tail."""
        from threading import Event, Thread

        from django.db import connections, transaction

        account = customer(10_000)
        written, go_on = Event(), Event()

        def slow() -> None:
            with transaction.atomic():
                pay(account, fees, 5)
                written.set()
                go_on.wait(PATIENCE)
            connections.close_all()

        thread = Thread(target=slow)
        thread.start()
        try:
            assert written.wait(PATIENCE)
            other = customer(700)
            pay(other, fees, 7)
            services.take_snapshots()
            assert queries.balance(fees).posted == 7
        finally:
            go_on.set()
            thread.join()
        assert queries.balance(fees).posted == 12
        services.take_snapshots()
        assert queries.balance(fees).posted == 12


def test_a_hold_knows_its_state(customer, now):
    hold = services.place_hold(
        external_ref=uuid4(),
        account_id=customer(100),
        amount_minor=60,
        expires_at=now + timedelta(days=1),
        source_kind="test",
        source_id="1",
        now=now,
    )
    assert queries.hold(hold.hold_id).state == "ACTIVE"
