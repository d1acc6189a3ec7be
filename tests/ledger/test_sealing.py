"""Seals: nothing falls between them, only the truth gets into them, and the newest one is told to the outside."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import DatabaseError, connection, connections, transaction

from audit.models import AuditEvent
from common import seals
from common.db import NoTransaction
from ledger import queries, sealing, tasks
from ledger.models import Entry, Seal
from tests.ledger.conftest import seal_everything
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heads() -> Path:
    """The file of heads of this test's ledger."""
    return queries.seal_heads().path


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(sealing, "BLOCK", 2)


def test_seals_every_entry_once_in_blocks_that_follow_from_one_another(customer, pay, heads, small_blocks):
    payer, payee = customer(1_000), customer()
    for _ in range(4):
        pay(payer, payee, 10)
    seal_everything()
    chain = list(Seal.objects.order_by("number"))
    assert [seal.number for seal in chain] == list(range(1, len(chain) + 1))
    assert sum(seal.entries for seal in chain) == 5
    assert len(chain) >= 3
    assert chain[0].previous == seals.GENESIS
    for before, after in pairwise(chain):
        assert (after.previous, after.start) == (before.digest, before.cut)
    for seal in chain:
        assert seal.digest == seals.chained(
            previous=seal.previous,
            number=seal.number,
            start=seal.start,
            end=seal.cut,
            count=seal.entries,
            rows=seal.rows_digest,
        )


def test_seals_nothing_when_nothing_came(customer, heads):
    customer(1_000)
    seal_everything()
    assert sealing.run() == 0
    assert Seal.objects.count() == len(heads.read_text().splitlines())


def test_an_entry_that_commits_late_is_in_a_later_seal(customer, pay, heads):
    payer, other = customer(10_000), customer(10_000)
    seal_everything()
    written, go_on = Event(), Event()
    late: list[int] = []

    def slow() -> None:
        with transaction.atomic():
            late.append(pay(payer, customer(), 5).entry_id)
            written.set()
            go_on.wait(PATIENCE)
        connections.close_all()

    thread = Thread(target=slow)
    thread.start()
    try:
        assert written.wait(PATIENCE)
        quick = pay(other, customer(), 7).entry_id
        sealing.run()
        assert not Seal.objects.filter(last_entry__gte=quick).exists(), "it came after one that has not ended"
    finally:
        go_on.set()
        thread.join()
    seal_everything()
    for entry in (quick, late[0]):
        xid = Entry.objects.get(pk=entry).xid
        assert Seal.objects.filter(start__lte=xid, cut__gt=xid).count() == 1


def test_the_newest_seal_goes_into_the_file_and_the_audit_trail(customer, heads):
    customer(1_000)
    seal_everything()
    newest = Seal.objects.order_by("-number")[0]
    line = json.loads(heads.read_text().splitlines()[-1])
    assert (line["number"], line["digest"], line["count"]) == (newest.number, newest.digest, newest.entries)
    event = AuditEvent.objects.filter(action="ledger.sealed").order_by("-pk")[0]
    assert (event.subject_id, event.data["digest"], event.actor) == (str(newest.number), newest.digest, None)
    assert heads.stat().st_mode & 0o777 == 0o600


def test_a_lost_export_is_made_up_for(customer, heads, small_blocks):
    """The file is written after the commit; a worker that died between the two leaves it to the next."""
    customer(1_000)
    seal_everything()
    heads.unlink()
    customer(2_000)
    tasks.seal_entries()
    seal_everything()
    numbers = [json.loads(line)["number"] for line in heads.read_text().splitlines()]
    assert numbers == list(Seal.objects.order_by("number").values_list("number", flat=True))


def test_refuses_to_go_on_over_a_ledger_whose_end_was_cut(customer, heads, as_owner):
    customer(1_000)
    seal_everything()
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ledger_seal")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(sealing.HeadsDiffer):
        sealing.export_heads(queries.seal_heads())


def test_a_second_worker_at_the_same_time_does_nothing(customer, heads):
    customer(1_000)
    seal_everything()
    customer(1_000)
    held, go_on = Event(), Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ledger_seal'))")
            held.set()
            go_on.wait(PATIENCE)
        connections.close_all()

    thread = Thread(target=hold)
    thread.start()
    try:
        assert held.wait(PATIENCE)
        with transaction.atomic():
            assert sealing.seal() == 0
    finally:
        go_on.set()
        thread.join()


def test_needs_a_transaction_because_listeners_write_in_it(heads, db):
    with pytest.raises(NoTransaction):
        sealing.seal()


def test_a_server_filled_from_a_dump_seals_nothing(customer, heads, as_owner):
    customer(1_000)
    seal_everything()
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE ledger_seal SET cut = '99999999999' WHERE number = (SELECT max(number) FROM ledger_seal)"
        )
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(sealing.SealsAhead):
        sealing.run()


def test_the_narrow_index_finds_what_is_not_sealed(customer, as_owner):
    customer(1_000)
    with as_owner() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM ledger_entry WHERE (xid::text)::bigint >= 5")
        plan = "".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert plan.count("Bitmap Index Scan") == plan.count("Bitmap Heap Scan") >= 2
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    "what", ["UPDATE ledger_seal SET entries = entries + 1", "DELETE FROM ledger_seal", "TRUNCATE ledger_seal"]
)
def test_not_even_the_owner_changes_a_seal(customer, heads, as_owner, what):
    customer(1_000)
    seal_everything()
    with as_owner() as cursor, pytest.raises(DatabaseError) as refused, transaction.atomic():
        cursor.execute(what)
    assert refused.value.__cause__.pgcode == "BK090"


def test_the_portals_role_can_only_have_the_truth_sealed(customer, heads):
    """It may ask for seals; what goes into them is read and hashed by the database."""
    customer(1_000)
    for attempt in (
        "INSERT INTO ledger_seal (number) VALUES (1)",
        "UPDATE ledger_seal SET digest = digest",
        "DELETE FROM ledger_seal",
        "SELECT ledger_seal_digest('', 1, '0', '1', 1, '')",
    ):
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attempt)
        assert refused.value.__cause__.pgcode == "42501"
    assert queries.balance(customer(5)).posted == 5
