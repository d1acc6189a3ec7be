"""Entries and postings are divided by month: every partition has its guards, and look-ups leave the other months alone."""

from __future__ import annotations

import logging
import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ledger import queries, reference, services, tasks, verification
from ledger.models import Entry
from ledger.services import Leg

pytestmark = pytest.mark.django_db

MONTH = 10**12


def partition_of(entry_id: int) -> tuple[str, str]:
    """The tables that the entry and its first posting lie in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM ledger_entry WHERE id = %s", [entry_id])
        entry = cursor.fetchone()[0]
        cursor.execute("SELECT tableoid::regclass::text FROM ledger_posting WHERE entry_id = %s", [entry_id])
        return entry, cursor.fetchone()[0]


def refused_with(statement, parameters=None):
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
    return str(getattr(caught.value.__cause__, "pgcode", ""))


@pytest.fixture
def months():
    """A year and a half of partitions, from 2024 on."""
    services.make_months(since=datetime(2024, 1, 1, tzinfo=UTC), until=datetime(2025, 6, 1, tzinfo=UTC))


@pytest.fixture
def history(months, customer, pay):
    """A customer who is paid 1.00 at noon of the 1st, 11th and 21st of each month of 2024, but for May to July."""
    payer, payee = customer(0, floor=None), customer()
    for month in (1, 2, 3, 4, 8, 9, 10, 11, 12):
        for day in (1, 11, 21):
            pay(payer, payee, 100, booked_at=datetime(2024, month, day, 12, tzinfo=UTC))
    return payee


def test_a_number_begins_with_its_month(months, customer, pay):
    entry = pay(customer(0, floor=None), customer(), 5, booked_at=datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC))
    assert entry.entry_id // MONTH == 2402
    assert partition_of(entry.entry_id) == ("ledger_entry_202402", "ledger_posting_202402")


def test_the_month_is_that_of_utc(months, customer, pay):
    local = datetime.fromisoformat("2024-03-01T00:30:00+02:00")
    assert pay(customer(0, floor=None), customer(), 5, booked_at=local).entry_id // MONTH == 2402


@pytest.mark.parametrize("year", [1999, 1970, 2000, 2099])
def test_any_year_has_numbers_in_order(customer, pay, year):
    entry = pay(customer(0, floor=None), customer(), 5, booked_at=datetime(year, 12, 31, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_first_id(%s), ledger_first_id(%s)",
            [datetime(year, 12, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)],
        )
        low, high = cursor.fetchone()
    assert low <= entry.entry_id < low + MONTH <= high


def test_months_are_made_once(months):
    assert services.make_months(since=datetime(2024, 1, 31, tzinfo=UTC), until=datetime(2024, 3, 1, tzinfo=UTC)) == 0
    assert services.make_months(since=datetime(2023, 11, 30, tzinfo=UTC), until=datetime(2024, 3, 1, tzinfo=UTC)) == 2


def test_fifty_years_are_the_most_that_one_call_makes():
    with pytest.raises(DatabaseError, match="fifty years"), transaction.atomic():
        services.make_months(since=datetime(1900, 1, 1, tzinfo=UTC), until=datetime(2024, 1, 1, tzinfo=UTC))


def test_migrate_and_the_task_make_the_months_around_now():
    tasks.make_months()
    now = timezone.now()
    with connection.cursor() as cursor:
        for at in (now - timedelta(days=31), now, now + reference.AHEAD):
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"ledger_posting_{at:%Y%m}"])
            assert cursor.fetchone() == (True,)


class TestWithoutAPartition:
    AT = datetime(2031, 5, 5, tzinfo=UTC)

    def test_an_entry_is_kept_and_the_task_raises_the_alarm(self, customer, pay, settle, caplog):
        payer, payee = customer(1_000, floor=None), customer()
        entry = pay(payer, payee, 10, booked_at=self.AT)
        settle()
        assert partition_of(entry.entry_id) == ("ledger_entry_default", "ledger_posting_default")
        assert queries.has_entries_outside_months()
        with caplog.at_level(logging.ERROR):
            tasks.make_months()
        assert "default partition holds entries" in caplog.text
        assert [line.amount_minor for line in queries.lines(payee)] == [10]
        assert queries.balance_at(payee, self.AT) == 10
        assert list(verification.verify()) == []

    def test_its_month_stays_where_it_is_and_others_are_made(self, customer, pay, settle):
        pay(customer(0, floor=None), customer(), 10, booked_at=self.AT)
        settle()
        made = services.make_months(since=self.AT - timedelta(days=31), until=self.AT + timedelta(days=31))
        assert made == 2


class TestOneEntryHasOneTime:
    def test_a_late_account_takes_the_whole_entry_into_its_month(self, months, customer, pay, settle):
        """One leg would be of March and one of May, if each account had its own time."""
        ahead, behind = customer(0, floor=None), customer()
        pay(ahead, customer(), 1, booked_at=datetime(2024, 5, 2, tzinfo=UTC))
        entry = pay(ahead, behind, 10, booked_at=datetime(2024, 3, 30, tzinfo=UTC))
        settle()
        assert entry.entry_id // MONTH == 2405
        assert partition_of(entry.entry_id) == ("ledger_entry_202405", "ledger_posting_202405")
        written = Entry.objects.get(pk=entry.entry_id)
        assert written.booked_at == datetime(2024, 5, 2, tzinfo=UTC)
        assert written.value_date == date(2024, 3, 30)
        assert set(written.postings.values_list("booked_at", flat=True)) == {written.booked_at}
        assert queries.lines(behind)[0].booked_at == written.booked_at
        later = pay(behind, customer(), 1, booked_at=datetime(2024, 4, 1, tzinfo=UTC))
        assert later.entry_id // MONTH == 2405
        settle()
        assert list(verification.verify()) == []

    def test_an_entry_of_many_legs_moves_as_well(self, months, customer, pay, source, settle):
        ahead, behind, third = customer(0, floor=None), customer(), customer()
        pay(ahead, customer(), 1, booked_at=datetime(2024, 5, 2, tzinfo=UTC))
        asked = {**source, "booked_at": datetime(2024, 3, 30, tzinfo=UTC)}
        legs = [Leg(behind, 4), Leg(ahead, -10), Leg(third, 6)]
        reference = uuid4()
        entry = services.post_entry(external_ref=reference, legs=legs, **asked)
        assert entry.entry_id // MONTH == 2405
        again = services.post_entry(external_ref=reference, legs=legs, **asked)
        assert (again.entry_id, again.replayed, again.balances) == (entry.entry_id, True, entry.balances)
        settle()
        assert list(verification.verify()) == []

    def test_a_reference_is_used_once_over_all_months(self, months, customer, pay):
        payer, payee, reference = customer(0, floor=None), customer(), uuid4()
        first = pay(payer, payee, 10, external_ref=reference, booked_at=datetime(2024, 3, 30, tzinfo=UTC))
        again = pay(payer, payee, 10, external_ref=reference, booked_at=datetime(2024, 4, 2, tzinfo=UTC))
        assert (again.entry_id, again.replayed) == (first.entry_id, True)

    def test_an_entry_is_reversed_once_over_all_months(self, months, customer, pay, refused):
        entry = pay(customer(0, floor=None), customer(), 10, booked_at=datetime(2024, 3, 30, tzinfo=UTC)).entry_id
        asked = {"description": "x", "source_kind": "x", "source_id": "x"}
        reversal = services.reverse_entry(
            entry_id=entry, external_ref=uuid4(), booked_at=datetime(2024, 4, 2, tzinfo=UTC), **asked
        )
        assert reversal.entry_id // MONTH == 2404
        with refused(services.AlreadyReversed):
            services.reverse_entry(
                entry_id=entry, external_ref=uuid4(), booked_at=datetime(2024, 6, 2, tzinfo=UTC), **asked
            )


class TestLookUps:
    @pytest.mark.parametrize(
        ("at", "amount"),
        [
            (datetime(2023, 1, 1, tzinfo=UTC), 0),
            (datetime(2024, 1, 1, 11, tzinfo=UTC), 0),
            (datetime(2024, 1, 1, 12, tzinfo=UTC), 100),
            (datetime(2024, 1, 20, tzinfo=UTC), 200),
            (datetime(2024, 2, 1, 11, 59, tzinfo=UTC), 300),
            (datetime(2024, 4, 30, tzinfo=UTC), 1_200),
            (datetime(2024, 5, 15, tzinfo=UTC), 1_200),
            (datetime(2024, 7, 31, tzinfo=UTC), 1_200),
            (datetime(2024, 8, 1, tzinfo=UTC), 1_200),
            (datetime(2024, 8, 1, 12, tzinfo=UTC), 1_300),
            (datetime(2024, 12, 20, tzinfo=UTC), 2_600),
            (datetime(2024, 12, 31, tzinfo=UTC), 2_700),
            (datetime(2025, 12, 31, tzinfo=UTC), 2_700),
        ],
    )
    def test_finds_the_balance_at_any_moment_across_months(self, history, at, amount):
        assert queries.balance_at(history, at) == amount

    def test_reads_lines_across_months(self, history):
        spring = queries.lines(
            history, since=datetime(2024, 3, 5, tzinfo=UTC), until=datetime(2024, 8, 11, 12, tzinfo=UTC)
        )
        assert [line.booked_at.date() for line in spring] == [
            date(2024, 3, 11), date(2024, 3, 21), date(2024, 4, 1), date(2024, 4, 11), date(2024, 4, 21), date(2024, 8, 1),
        ]  # fmt: skip
        assert [line.account_seq for line in queries.recent_lines(history, limit=7)] == list(range(27, 20, -1))
        assert [line.account_seq for line in queries.lines(history, after_seq=5, limit=4)] == [6, 7, 8, 9]

    def test_gives_daily_balances_across_months(self, history):
        days = queries.daily_balances([history], date(2024, 1, 31), date(2024, 2, 3))[history]
        assert days == [(date(2024, 1, 31), 300), (date(2024, 2, 1), 400), (date(2024, 2, 2), 400)]

    def test_gives_balances_by_value_date_across_months(self, history, customer, pay):
        late = {"booked_at": datetime(2025, 1, 10, tzinfo=UTC), "value_date": date(2024, 3, 15)}
        pay(customer(0, floor=None), history, 50, **late)
        expected = {
            date(2023, 12, 31): 0,
            date(2024, 3, 14): 800,
            date(2024, 3, 15): 850,
            date(2024, 6, 30): 1_250,
            date(2024, 12, 31): 2_750,
        }
        for taken in (False, True):
            if taken:
                tasks.take_daily_balances()
            assert {day: queries.balance_on(history, day) for day in expected} == expected
        assert queries.balance_at(history, datetime(2024, 12, 31, tzinfo=UTC)) == 2_700, "booked later"

    def plan(self, cursor, statement, parameters):
        cursor.execute("EXPLAIN " + statement, parameters)
        return "\n".join(row[0] for row in cursor.fetchall())

    def test_walk_indexes_only_and_only_in_the_months_asked_for(self, history, monkeypatch):
        """The plans of the real statements: no scan of a table, no partition outside the period."""
        asked = []
        original = queries._rows

        def listen(text, values):
            asked.append((text, values))
            return original(text, values)

        monkeypatch.setattr(queries, "_rows", listen)
        queries.lines(history, since=datetime(2024, 3, 1, tzinfo=UTC), until=datetime(2024, 5, 1, tzinfo=UTC))
        queries.recent_lines(history)
        queries.lines(history, after_seq=3)
        with connection.cursor() as cursor:
            # Tables of a test are so small that scanning them is the cheaper plan; the question is whether an index would do.
            cursor.execute("SET LOCAL enable_seqscan = off")
            plans = [self.plan(cursor, *each) for each in asked]
        for text in plans:
            assert "Seq Scan" not in text
            assert re.search(r"Index Scan( Backward)? using ledger_posting_\w+_account_seq", text)
        assert set(re.findall(r" on ledger_posting_(\w+)", plans[0])) == {"202403", "202404"}
        assert set(re.findall(r" on ledger_entry_(\w+)", plans[0])) == {"202403", "202404"}

    def test_find_a_posting_and_the_tail_of_an_internal_account_by_index(self, history, cash):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            text = self.plan(cursor, "SELECT FROM ledger_posting WHERE account_id = %s AND account_seq = 7", [history])
            assert "Seq Scan" not in text
            text = self.plan(
                cursor,
                "SELECT sum(amount) FROM ledger_posting WHERE account_id = %s AND account_seq IS NULL AND xid >= '5'",
                [cash],
            )
            assert "Seq Scan" not in text
            text = self.plan(cursor, "SELECT FROM ledger_posting WHERE entry_id = %s", [2403 * MONTH + 5])
            assert set(re.findall(r" on ledger_posting_(\d+)", text)) == {"202403"}


class TestGuardsOfAPartition:
    """What holds for the parent holds for each of its parts, those made today included, and for the owner too."""

    TABLES = ("ledger_entry_202402", "ledger_posting_202402", "ledger_entry_default", "ledger_posting_default")

    @pytest.fixture
    def rows(self, months, customer, pay, settle):
        payer, payee = customer(0, floor=None), customer()
        for at in (datetime(2024, 2, 3, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)):
            pay(payer, payee, 10, booked_at=at)
        settle()
        return payer, payee

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("what", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET booked_at = booked_at"])
    def test_nobody_changes_rows(self, rows, as_owner, table, what):
        assert refused_with(what.format(table)) == "42501", "the portal's role"
        with as_owner():
            assert refused_with(what.format(table)) == "BK090", "the owner"

    def test_the_portal_may_not_read_or_write_a_partition_by_itself(self, months):
        assert refused_with("SELECT * FROM ledger_posting_202402") == "42501"
        assert refused_with("INSERT INTO ledger_posting_202402 DEFAULT VALUES") == "42501"
        assert refused_with("SELECT ledger_make_partition('ledger_posting', 'mine', 1, 2)") == "42501"

    def test_the_owner_may_not_append_to_one_directly(self, rows, as_owner):
        payer, payee = rows
        posting = """
            INSERT INTO ledger_posting_202402 (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after)
            SELECT id, 3, %s, -5, 'EUR', booked_at, 9, 0 FROM ledger_entry_202402
            UNION ALL SELECT id, 4, %s, 5, 'EUR', booked_at, 9, 0 FROM ledger_entry_202402
        """
        entry = """
            INSERT INTO ledger_entry_202402 (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id)
            SELECT id + 7, gen_random_uuid(), kind, description, booked_at, value_date, source_kind, source_id
              FROM ledger_entry_202402
        """
        with as_owner():
            assert refused_with(posting, [payer, payee]) == "BK006"
            assert refused_with(entry) == "BK006"

    def test_each_has_every_guard(self, months):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT i.inhparent::regclass::text, i.inhrelid::regclass::text,
                       (SELECT array_agg(t.tgname::text ORDER BY t.tgname) FROM pg_trigger t
                         WHERE t.tgrelid = i.inhrelid AND NOT t.tgisinternal AND t.tgenabled = 'O'),
                       (SELECT count(*) FROM pg_index x WHERE x.indrelid = i.inhrelid AND x.indisunique AND x.indisvalid)
                  FROM pg_inherits i WHERE i.inhparent IN ('ledger_entry'::regclass, 'ledger_posting'::regclass)
                """
            )
            rows = cursor.fetchall()
        assert len(rows) >= 2 * (18 + 4 + 1)
        for parent, name, triggers, unique in rows:
            assert triggers == [f"{parent}_append_only", f"{parent}_check"], name
            assert unique == (2 if parent == "ledger_posting" else 1), name
