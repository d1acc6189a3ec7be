"""What only seals can show: changes that leave every sum, sequence and balance right. And work shared between connections."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger import queries, sealing, verification
from ledger.models import Entry, Seal
from tests.ledger.conftest import seal_everything

pytestmark = pytest.mark.django_db(transaction=True)

BLOCKS = "Entries are as they were sealed"
CHAIN = "Seals follow from one another"
HEADS = "Seals are those that were exported"


@pytest.fixture
def tamper(as_owner):
    """Change rows as a superuser would who switches triggers off."""

    @contextmanager
    def replica():
        with as_owner() as cursor:
            cursor.execute("SET session_replication_role = replica")
            yield cursor
            cursor.execute("SET session_replication_role = origin")

    return replica


@pytest.fixture
def sealed(customer, pay, now, monkeypatch) -> list[int]:
    """Twelve payments of 1.00 between two customers, sealed three to a block; the numbers of the entries."""
    monkeypatch.setattr(sealing, "BLOCK", 3)
    payer, payee = customer(10_000), customer(10_000)
    entries = [pay(payer, payee, 100, booked_at=now + timedelta(minutes=n)).entry_id for n in range(12)]
    seal_everything()
    return entries


def found(**options) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for problem in verification.verify(**options):
        result.setdefault(problem.check, []).append(f"{problem.subject}|{problem.expected}|{problem.found}")
    return result


def block_of(entry: int) -> str:
    xid = Entry.objects.get(pk=entry).xid
    seal = Seal.objects.get(start__lte=xid, cut__gt=xid)
    return f"block {seal.number}, entries {seal.first_entry} to {seal.last_entry}|"


@pytest.mark.parametrize("jobs", [1, 3])
def test_is_clean_however_the_work_is_shared(sealed, jobs):
    assert found(jobs=jobs) == {}


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_connection_sees_the_tampering(sealed, tamper, jobs):
    block = block_of(sealed[5])
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_posting SET amount = amount + 7 WHERE entry_id = %s AND no = 2", [sealed[5]])
    problems = found(jobs=jobs)
    assert problems["Entries sum to zero in each currency"] == [f"entry {sealed[5]} in EUR|0|7"]
    assert [text for text in problems[BLOCKS] if text.startswith(block)] == problems[BLOCKS]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_entry SET description = 'Gift' WHERE id = %s",
        "UPDATE ledger_entry SET kind = 'fee' WHERE id = %s",
        "UPDATE ledger_entry SET value_date = value_date - 1 WHERE id = %s",
        "UPDATE ledger_entry SET source_id = '2' WHERE id = %s",
        "UPDATE ledger_entry SET created_at = created_at + interval '1 second' WHERE id = %s",
        "UPDATE ledger_posting SET no = no + 5 WHERE entry_id = %s",
    ],
)
def test_finds_a_change_that_no_sum_shows(sealed, tamper, change):
    block = block_of(sealed[4])
    with tamper() as cursor:
        cursor.execute(change, [sealed[4]])
    assert [text.split("|")[0] + "|" for text in found()[BLOCKS]] == [block]


def test_finds_a_booking_time_that_was_changed_everywhere(sealed, tamper):
    block = block_of(sealed[-1])
    with tamper() as cursor:
        for table, key in (("ledger_entry", "id"), ("ledger_posting", "entry_id")):
            cursor.execute(
                f"UPDATE {table} SET booked_at = booked_at + interval '1 hour' WHERE {key} = %s", [sealed[-1]]
            )
        cursor.execute("UPDATE ledger_balance SET booked_at = booked_at + interval '1 hour' WHERE seq = 13")
    problems = found()
    assert set(problems) == {BLOCKS}
    assert problems[BLOCKS][0].startswith(block)


def test_finds_a_swapped_pair(sealed, tamper):
    """Two payments of one amount exchange everything but their numbers: all sums, sequences and balances stay right."""
    first, second = sealed[3], sealed[4]
    with tamper() as cursor:
        cursor.execute(
            """
            UPDATE ledger_entry e SET (external_ref, created_at, xid) = (o.external_ref, o.created_at, e.xid)
              FROM (SELECT * FROM ledger_entry) o WHERE (e.id, o.id) IN ((%s, %s), (%s, %s))
            """,
            [first, second, second, first],
        )
        cursor.execute("DELETE FROM ledger_entryreference WHERE entry_id IN (%s, %s)", [first, second])
        cursor.execute(
            "INSERT INTO ledger_entryreference (external_ref, entry_id, xid)"
            " SELECT external_ref, id, xid FROM ledger_entry WHERE id IN (%s, %s)",
            [first, second],
        )
    before = Seal.objects.filter(cut__lte=Entry.objects.get(pk=first).xid).order_by("-number").first()
    # Also for whoever trusts the last seal before them.
    for problems in (found(), found(since=before.number)):
        assert set(problems) == {BLOCKS}
        assert {text.split("|")[0] + "|" for text in problems[BLOCKS]} == {block_of(first), block_of(second)}


def test_finds_a_deleted_entry_of_which_no_trace_is_left(sealed, customer, pay, tamper):
    """A payment there and one back are taken out of the middle, with their postings, references and numbers in the sequence."""
    payer, payee = customer(5_000), customer(5_000)
    there, back = pay(payer, payee, 40).entry_id, pay(payee, payer, 40).entry_id
    seal_everything()
    blocks = {block_of(there), block_of(back)}
    with tamper() as cursor:
        cursor.execute("DELETE FROM ledger_posting WHERE entry_id IN (%s, %s)", [there, back])
        cursor.execute("DELETE FROM ledger_entry WHERE id IN (%s, %s)", [there, back])
        cursor.execute("DELETE FROM ledger_entryreference WHERE entry_id IN (%s, %s)", [there, back])
        cursor.execute("UPDATE ledger_balance SET seq = 1 WHERE account_id IN (%s, %s)", [payer, payee])
    problems = found()
    assert set(problems) == {BLOCKS, "Every entry below the last seal is sealed"}
    assert {text.split("|")[0] + "|" for text in problems[BLOCKS]} == blocks


def test_finds_a_cut_tail_by_the_exported_heads(sealed, customer, tamper):
    """Everything since the last but one block is gone, balances and seals included. Inside the database nothing is wrong."""
    keep = Seal.objects.count()
    extra = customer(7_000)
    seal_everything()
    with tamper() as cursor:
        cursor.execute("SELECT entry_id FROM ledger_posting WHERE account_id = %s", [extra])
        entry = cursor.fetchone()[0]
        for table, key in (
            ("ledger_posting", "entry_id"),
            ("ledger_entry", "id"),
            ("ledger_entryreference", "entry_id"),
        ):
            cursor.execute(f"DELETE FROM {table} WHERE {key} = %s", [entry])
        cursor.execute(
            "UPDATE ledger_balance SET (posted, seq, booked_at) = (0, 0, NULL) WHERE account_id = %s", [extra]
        )
        cursor.execute("DELETE FROM ledger_seal WHERE number > %s", [keep])
    # Also for whoever trusts the last seal that is left.
    for problems in (found(), found(since=keep)):
        assert set(problems) == {HEADS}
        assert problems[HEADS][0].startswith(f"seal {keep + 1}|")
        assert "the end of the ledger was cut off" in problems[HEADS][0]


def test_finds_a_history_that_was_sealed_anew(sealed, tamper):
    """Change an amount, throw the seals away and seal again: the chain is right in itself and not the one that was told."""
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_entry SET description = 'Gift' WHERE id = %s", [sealed[0]])
        cursor.execute("DELETE FROM ledger_seal")
        cursor.execute("SELECT ledger_seal(3, 50)")
    seal_again = Seal.objects.count()
    assert seal_again >= 1
    assert set(found()) == {HEADS}


def test_finds_a_seal_that_was_written_over(sealed, tamper):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_seal SET rows_digest = repeat('0', 64) WHERE number = 2")
        cursor.execute("DELETE FROM ledger_seal WHERE number = 3")
    problems = found()
    assert problems[CHAIN][0].startswith("seal 2|")
    assert any(text.startswith("seal 3|a seal|") for text in problems[CHAIN])


def test_finds_an_entry_slipped_into_the_past(sealed, tamper):
    with tamper() as cursor:
        cursor.execute(
            "INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id, xid)"
            " SELECT id + 500, gen_random_uuid(), kind, description, booked_at, value_date, source_kind, source_id, xid"
            " FROM ledger_entry WHERE id = %s",
            [sealed[2]],
        )
    problems = found()
    assert problems[BLOCKS][0].startswith(block_of(sealed[2]))
    assert "Every entry below the last seal is sealed" in problems


class TestSinceASeal:
    def test_leaves_alone_what_came_before(self, sealed, tamper):
        with tamper() as cursor:
            cursor.execute("UPDATE ledger_entry SET description = 'Gift' WHERE id = %s", [sealed[0]])
        assert found(since=Seal.objects.count()) == {}
        assert set(found(since=1)) <= {BLOCKS}
        assert set(found()) == {BLOCKS}

    def test_finds_what_was_done_to_what_came_after(self, sealed, customer, pay, tamper):
        last = Seal.objects.count()
        payer = customer(3_000)
        entry = pay(payer, customer(), 500).entry_id
        seal_everything()
        pay(payer, customer(), 1)
        assert found(since=last) == {}
        with tamper() as cursor:
            cursor.execute("UPDATE ledger_posting SET balance_after = 2_501 WHERE entry_id = %s AND no = 1", [entry])
        problems = found(since=last)
        assert problems[BLOCKS][0].startswith(block_of(entry))
        assert len(problems["Each running balance follows from the one before"]) == 2

    def test_finds_a_gap_and_a_cut_tail(self, sealed, pay, customer, tamper):
        last = Seal.objects.count()
        payer = customer(3_000)
        pay(payer, customer(), 1)
        middle, end = pay(payer, customer(), 2).entry_id, pay(payer, customer(), 3).entry_id
        seal_everything()
        with tamper() as cursor:
            for entry in (middle, end):
                cursor.execute("DELETE FROM ledger_posting WHERE entry_id = %s AND account_id = %s", [entry, payer])
        problems = found(since=last)
        assert len(problems["Entries sum to zero in each currency"]) == 2
        assert len(problems["Balances equal the last running balance and its time"]) == 1

    def test_does_not_trust_a_seal_that_was_exported_otherwise(self, sealed, tamper):
        with tamper() as cursor:
            cursor.execute("UPDATE ledger_seal SET digest = repeat('a', 64) WHERE number = 2")
        assert found(since=2)[HEADS][0].startswith("seal 2|")

    def test_refuses_a_seal_that_is_not_there(self, sealed):
        with pytest.raises(CommandError, match="no such seal"):
            call_command("verify_ledger", since=999, stdout=StringIO())


def test_the_command_names_the_block_and_fails(sealed, tamper, capsys):
    block = block_of(sealed[6])
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_entry SET description = 'Gift' WHERE id = %s", [sealed[6]])
    with pytest.raises(CommandError, match="1 discrepancies"):
        call_command("verify_ledger", jobs=2, stdout=StringIO())
    assert block.rstrip("|") in capsys.readouterr().out


def test_the_command_says_how_fast_it_was(sealed):
    out = StringIO()
    call_command("verify_ledger", jobs=2, stdout=out)
    assert f"{Entry.objects.count()} entries checked in" in out.getvalue()
    assert "entries/s" in out.getvalue()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only",
            "trigger ledger_entry_append_only on ledger_entry",
        ),
        ("DROP TRIGGER ledger_seal_append_only ON ledger_seal", "trigger ledger_seal_append_only on ledger_seal"),
        (
            "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "function ledger_refuse_change",
        ),
    ],
)
def test_names_a_guard_that_was_taken_away(db, as_owner, statement, named):
    from django.db import transaction

    with as_owner() as cursor, transaction.atomic():
        cursor.execute(statement)
        assert any(text.startswith(named) for text in found()["Guards are in place"])
        transaction.set_rollback(True)


def test_a_block_can_be_verified_by_itself(sealed, tamper):
    number = Seal.objects.count()
    assert verification.problems_of_block(number) == []
    xid = Entry.objects.get(pk=sealed[-1]).xid
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_entry SET description = 'Gift' WHERE id = %s", [sealed[-1]])
    changed = Seal.objects.get(start__lte=xid, cut__gt=xid).number
    assert [problem.check for problem in verification.problems_of_block(changed)] == [BLOCKS]
    assert queries.seal_heads().last().number == number
