"""What an internal account held at any past moment, however its postings came in: beside each other, late, imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from ledger import queries, sql, verification
from ledger.models import BalanceSnapshot

pytestmark = pytest.mark.django_db(transaction=True)
Pay = Callable[..., Any]


@pytest.fixture
def snapshot(as_owner: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """Takes snapshots as `ledger_take_snapshots` does, up to now: it would wait for every transaction of other tests."""
    here = "pg_snapshot_xmin(pg_current_snapshot())"
    text = sql.text("take_snapshots")
    assert here in text
    with as_owner() as cursor:
        cursor.execute(
            text.replace(here, "pg_current_xact_id()").replace("ledger_take_snapshots()", "test_take_snapshots()")
        )
        cursor.execute(f'GRANT EXECUTE ON FUNCTION test_take_snapshots() TO "{settings.DATABASE_RUNTIME_ROLE}"')

    def take() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT test_take_snapshots()")
            assert cursor.fetchone()[0] > 0

    yield take
    with as_owner() as cursor:
        cursor.execute("DROP FUNCTION test_take_snapshots()")


def truth(account: int, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(amount), 0) FROM ledger_posting WHERE account_id = %s AND booked_at <= %s",
            [account, at],
        )
        return int(cursor.fetchone()[0])


@contextmanager
def postings_read() -> Iterator[list[int]]:
    """Rows of the postings' indexes that the statements inside go through, as the server counts them."""

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(indexrelid)), 0)::bigint"
                "  FROM pg_index WHERE indrelid::regclass::text LIKE 'ledger_posting%'"
            )
            return int(cursor.fetchone()[0])

    # The server counts for each transaction.
    with transaction.atomic():
        before, read = count(), [0]
        yield read
        read[0] = count() - before


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_sum_of_all_postings_at_any_moment(
    pay: Pay, cash: int, fees: int, now: datetime, snapshot: Callable[[], None], seed: int
) -> None:
    """Between two internal accounts nothing makes booking times run forward: they come in any order."""
    random = Random(seed)
    clock = now
    for step in range(60):
        clock += timedelta(seconds=random.choice([0, 1, 20, 45, 3_600]))
        back = timedelta(seconds=random.choice([0, 0, 0, 30, 60, 61, 4_000, 86_400 * 40]))
        pay(cash, fees, step + 1, booked_at=clock - back)
        if random.random() < 0.3:
            snapshot()
    assert BalanceSnapshot.objects.filter(is_late=True).exists()
    moments = [
        now + timedelta(seconds=random.uniform(-86_400 * 45, (clock - now).total_seconds() + 60)) for _ in range(60)
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT booked_at FROM ledger_posting WHERE account_id = %s", [fees])
        moments += [row[0] + timedelta(microseconds=off) for row in cursor.fetchall() for off in (-1, 0)]
    for moment in moments:
        assert queries.balance_at(fees, moment) == truth(fees, moment), moment
    assert list(verification.verify()) == []


def test_opens_only_the_stretch_around_the_moment(
    pay: Pay, cash: int, fees: int, now: datetime, snapshot: Callable[[], None]
) -> None:
    for block in range(8):
        for each in range(40):
            pay(cash, fees, 1, booked_at=now + timedelta(minutes=15 * block, seconds=each))
        snapshot()
    with postings_read() as everything, connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "SELECT sum(amount) FROM ledger_posting WHERE account_id = %s AND account_seq IS NULL AND xid >= '0'",
            [fees],
        )
    assert everything[0] >= 320, "the counting counts"
    for minutes in (0, 31, 50, 100):
        at = now + timedelta(minutes=minutes)
        with postings_read() as read:
            balance = queries.balance_at(fees, at)
        assert balance == truth(fees, at)
        assert read[0] <= 80, (minutes, read[0], everything[0])


def test_a_changed_mark_of_lateness_is_found(
    pay: Pay, cash: int, fees: int, now: datetime, snapshot: Callable[[], None], as_owner: Callable[[], Any]
) -> None:
    pay(cash, fees, 1, booked_at=now)
    snapshot()
    pay(cash, fees, 1, booked_at=now - timedelta(days=1))
    snapshot()
    assert list(verification.verify()) == []
    late = BalanceSnapshot.objects.get(account=fees, is_late=True)
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE ledger_balancesnapshot SET is_late = false WHERE id = %s", [late.pk])
        cursor.execute("SET session_replication_role = origin")
    problems = [str(problem) for problem in verification.verify()]
    assert any(f"snapshot {late.pk} of account {fees}" in problem for problem in problems)
