"""Statements without an answer wait for the next one, and nobody can tell by what is in the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from common.db import lock_advisory, lock_advisory_first
from common.rows import Prepared, insert
from notifications.models import MailboxMessage
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

ONE = Prepared("SELECT %(number)s::int")
LOCK = {"namespace": 0x6C696E65, "key": 1}


def mail(**facts: Any) -> MailboxMessage:
    return MailboxMessage(recipient="line@example.com", subject="waits", sent_at=timezone.now(), **facts)


def ask() -> None:
    assert ONE.all({"number": 1}) == [(1,)]


def fail() -> None:
    raise ZeroDivisionError


def in_one(*steps: Callable[[], Any]) -> None:
    """The steps in one atomic block."""
    with transaction.atomic():
        for step in steps:
            step()


def waiting() -> list[bytes]:
    return [statement.split(b" ")[0] for statement in connection.connection.waiting]


def elsewhere(work: Callable[[], Any]) -> Any:
    """What `work` gives on a connection of its own."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE)
    return found[0]


def kept() -> int:
    return MailboxMessage.objects.filter(subject="waits").count()


def is_free() -> bool:
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", list(LOCK.values()))
        return bool(cursor.fetchone()[0])


def test_what_waits_goes_with_the_next_statement_in_its_order() -> None:
    with transaction.atomic():
        insert(mail())
        lock_advisory_first(**LOCK)
        with transaction.atomic():
            assert waiting() == [b"SAVEPOINT"], "what was written before a savepoint is not in it"
            ask()
            assert waiting() == []
            assert kept() == 1
            assert not elsewhere(is_free)
            assert elsewhere(kept) == 0
    assert elsewhere(kept) == 1
    assert elsewhere(is_free)


def test_what_only_writes_is_done_at_the_commit() -> None:
    insert(mail())
    with transaction.atomic():
        insert(mail())
        assert waiting() == [b"BEGIN", b"EXECUTE"], "and the statement was prepared before"
    assert elsewhere(kept) == 2


def test_what_does_nothing_ends_without_a_word() -> None:
    ask()
    with transaction.atomic(), transaction.atomic():
        lock_advisory_first(**LOCK)
    assert waiting() == []
    assert connection.connection.get_transaction_status() == 0


def test_outside_a_transaction_nothing_waits() -> None:
    insert(mail())
    assert waiting() == []
    assert elsewhere(kept) == 1


@pytest.mark.parametrize("sent", [True, False])
def test_what_is_rolled_back_is_not_done_whether_it_was_sent_or_not(*, sent: bool) -> None:
    with pytest.raises(ZeroDivisionError):
        in_one(lambda: insert(mail()), *[ask] * sent, fail)
    assert waiting() == []
    assert (kept(), elsewhere(kept)) == (0, 0)


@pytest.mark.parametrize("sent", [True, False])
def test_a_savepoint_takes_back_what_came_after_it_and_nothing_else(*, sent: bool) -> None:
    with transaction.atomic():
        insert(mail())
        with pytest.raises(ZeroDivisionError):
            in_one(*[ask] * sent, lambda: insert(mail()), fail)
        insert(mail())
    assert elsewhere(kept) == 2


def test_a_refusal_comes_up_at_the_end_of_the_savepoint_and_goes_no_further() -> None:
    first = mail(id="6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10")
    with transaction.atomic():
        insert(first)
        with pytest.raises(IntegrityError):
            in_one(lambda: insert(mail(id=first.pk)))
        insert(mail())
    assert elsewhere(kept) == 2


def test_a_savepoint_whose_writes_may_wait_ends_without_a_word_and_the_refusal_comes_up_later() -> None:
    first = mail()

    def part(*rows: MailboxMessage) -> None:
        with transaction.atomic():
            ask()
            insert(*rows)
            connection.let_writes_wait()  # type: ignore[attr-defined]
        assert waiting() == [b"EXECUTE", b"RELEASE"]

    in_one(lambda: part(first), ask)
    assert elsewhere(kept) == 1
    with pytest.raises(IntegrityError):
        in_one(lambda: part(mail(), mail(id=first.pk)), ask, fail)
    assert elsewhere(kept) == 1


def test_what_was_let_wait_once_does_not_let_the_next_savepoint_wait() -> None:
    first = mail()
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError):
            in_one(ask, connection.let_writes_wait, fail)  # type: ignore[attr-defined]
        insert(first)
        with pytest.raises(IntegrityError):
            in_one(lambda: insert(mail(id=first.pk)))
    assert elsewhere(kept) == 1


def test_a_refusal_comes_up_at_the_commit_and_undoes_all() -> None:
    first = mail()
    with pytest.raises(IntegrityError):
        in_one(lambda: insert(first), lambda: insert(mail(id=first.pk)))
    assert elsewhere(kept) == 0
    # The connection is as good as new.
    with transaction.atomic():
        insert(mail())
    assert elsewhere(kept) == 1


def test_a_refusal_comes_up_at_the_next_statement() -> None:
    first = mail()
    with pytest.raises(IntegrityError):
        in_one(lambda: insert(first), lambda: insert(mail(id=first.pk)), ask, fail)
    assert elsewhere(kept) == 0


def test_a_lock_that_goes_first_is_held_before_the_statement_looks() -> None:
    """What the one before it wrote under the lock is there to see."""
    held, counted = threading.Event(), []

    def second() -> None:
        try:
            with transaction.atomic():
                lock_advisory_first(**LOCK)
                held.set()
                counted.append(kept())
        finally:
            connection.close()

    with transaction.atomic():
        lock_advisory(**LOCK)
        thread = threading.Thread(target=second)
        thread.start()
        assert held.wait(PATIENCE)
        insert(mail())
        ask()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(PATIENCE)
    assert counted == [1]


def test_a_loop_that_only_writes_fills_no_memory() -> None:
    with transaction.atomic():
        for _ in range(100):
            insert(mail())
            assert len(waiting()) < 32
    assert elsewhere(kept) == 100


def test_a_line_that_broke_in_a_transaction_says_so() -> None:
    ask()
    pid = connection.connection.get_backend_pid()
    with pytest.raises(OperationalError):
        in_one(ask, lambda: insert(mail()), lambda: elsewhere(lambda: end(pid)))
    assert kept() == 0


def end(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_a_cursor_of_the_server_comes_after_what_waits() -> None:
    with transaction.atomic():
        insert(mail())
        rows = MailboxMessage.objects.filter(subject="waits").iterator(chunk_size=1)
        assert [row.subject for row in rows] == ["waits"]
