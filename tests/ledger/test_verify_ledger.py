"""`verify_ledger` is clean on a ledger in use, and names what was tampered with behind the guards' back."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from ledger import queries, services, verification
from ledger.services import Leg

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(customer, fees, pay, source, now, settle):
    """Two customers with a deposit each, three transfers, a fee, a reversal, holds of every fate, a snapshot."""
    alice, bob = customer(10_000), customer(5_000)
    entries = [pay(alice, bob, 100).entry_id, pay(bob, alice, 40).entry_id, pay(alice, bob, 100).entry_id]
    services.post_entry(external_ref=uuid4(), legs=[Leg(alice, -60), Leg(bob, 50), Leg(fees, 10)], **source)
    services.reverse_entry(
        entry_id=entries[0], external_ref=uuid4(), description="x", booked_at=now, source_kind="x", source_id="x"
    )
    holds = [
        services.place_hold(
            external_ref=uuid4(),
            account_id=alice,
            amount_minor=200,
            expires_at=now + timedelta(days=1),
            source_kind="x",
            source_id="x",
            now=now,
        ).hold_id
        for _ in range(4)
    ]
    services.void_hold(hold_id=holds[0], now=now)
    services.expire_hold(hold_id=holds[1], now=now + timedelta(days=2))
    services.post_hold(hold_id=holds[2], external_ref=uuid4(), legs=[Leg(alice, -150), Leg(bob, 150)], **source)
    settle()
    return {"alice": alice, "bob": bob, "entries": entries, "hold": holds[3]}


@pytest.fixture
def tamper(as_owner):
    """Change a row as a superuser would who switches triggers off."""

    @contextmanager
    def replica():
        with as_owner() as cursor:
            cursor.execute("SET session_replication_role = replica")
            yield cursor
            cursor.execute("SET session_replication_role = origin")

    return replica


def found() -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for discrepancy in verification.verify():
        result.setdefault(discrepancy.check, []).append(
            f"{discrepancy.subject}|{discrepancy.expected}|{discrepancy.found}"
        )
    return result


def test_is_clean_on_a_ledger_in_use(busy):
    assert found() == {}


def test_is_clean_on_an_empty_ledger(db):
    assert found() == {}


def test_finds_a_changed_amount(busy, tamper):
    with tamper() as cursor:
        cursor.execute(
            "UPDATE ledger_posting SET amount = amount + 7 WHERE entry_id = %s AND no = 2", [busy["entries"][1]]
        )
    problems = found()
    assert problems["Entries sum to zero in each currency"] == [f"entry {busy['entries'][1]} in EUR|0|7"]
    assert any(
        f"account {busy['alice']} " in text for text in problems["Each running balance follows from the one before"]
    )
    assert f"account {busy['alice']}|" in problems["Balances equal the sum of their postings"][0]


def test_finds_amounts_changed_on_both_sides(busy, tamper):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_posting SET amount = amount * 2 WHERE entry_id = %s", [busy["entries"][1]])
    problems = found()
    assert "Entries sum to zero in each currency" not in problems
    assert len(problems["Each running balance follows from the one before"]) == 2


def test_finds_a_deleted_posting_and_a_deleted_entry(busy, tamper):
    with tamper() as cursor:
        cursor.execute("DELETE FROM ledger_posting WHERE entry_id = %s AND no = 1", [busy["entries"][1]])
        cursor.execute("DELETE FROM ledger_entry WHERE id = %s", [busy["entries"][2]])
    problems = found()
    assert any(
        f"entry {busy['entries'][1]}|" in text
        for text in problems["Entries have two legs or more, numbered without a gap"]
    )
    assert any(f"account {busy['bob']} " in text for text in problems["Account sequences have no gap"])
    assert len(problems["Postings belong to an entry and to an account of their currency"]) == 2


def test_finds_a_changed_balance(busy, tamper):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_balance SET posted = posted + 1 WHERE account_id = %s", [busy["bob"]])
    problems = found()
    assert f"account {busy['bob']}|" in problems["Balances equal the sum of their postings"][0]
    assert f"account {busy['bob']}|" in problems["Balances equal the last running balance and its time"][0]
    assert problems["Trial balance is zero in each currency"] == ["currency EUR|0|1"]


def test_finds_a_cut_tail(busy, tamper):
    """Entry and postings gone without a trace elsewhere: the balance rows still know how many there were."""
    with tamper() as cursor:
        cursor.execute("SELECT max(id) FROM ledger_entry")
        last = cursor.fetchone()[0]
        cursor.execute("DELETE FROM ledger_posting WHERE entry_id = %s", [last])
        cursor.execute("DELETE FROM ledger_entry WHERE id = %s", [last])
    problems = found()
    assert len(problems["Balances equal the sum of their postings"]) == 2


def test_finds_a_swapped_pair(busy, tamper):
    """Two entries exchange their postings: all sums and chains still hold, and the reversal of one of them tells."""
    first, second = busy["entries"][0], busy["entries"][1]
    with tamper() as cursor:
        cursor.execute(
            "UPDATE ledger_posting SET entry_id = CASE entry_id WHEN %s THEN %s ELSE %s END, no = no + 2 WHERE entry_id IN (%s, %s)",
            [first, second, first, first, second],
        )
        cursor.execute("UPDATE ledger_posting SET no = no - 2 WHERE entry_id IN (%s, %s)", [first, second])
    problems = found()["Reversals mirror their originals, once"]
    assert len(problems) == 1
    assert f"reversing {first}|" in problems[0]


def test_finds_a_swapped_sequence(busy, tamper):
    with tamper() as cursor:
        cursor.execute(
            "UPDATE ledger_posting SET account_seq = -account_seq WHERE account_id = %s AND account_seq IN (2, 3)",
            [busy["alice"]],
        )
        cursor.execute(
            "UPDATE ledger_posting SET account_seq = 5 + account_seq WHERE account_id = %s AND account_seq < 0",
            [busy["alice"]],
        )
    assert len(found()["Each running balance follows from the one before"]) >= 2


def test_finds_wrong_holds(busy, tamper):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_balance SET held = held + 5 WHERE account_id = %s", [busy["alice"]])
        cursor.execute("UPDATE ledger_holdevent SET amount = 149 WHERE kind = 'POSTED'")
    problems = found()
    assert problems["What is held equals the active holds"] == [f"account {busy['alice']}|held 200|held 205"]
    assert (
        "entry took 150, event says 149" in problems["Holds ended once, and a posted one took what its entry says"][0]
    )


def test_finds_a_second_end_of_a_hold(busy, tamper):
    with tamper() as cursor:
        cursor.execute("DROP INDEX ledger_holdevent_one_terminal")
        cursor.execute(
            "INSERT INTO ledger_holdevent (hold_id, kind, amount, happened_at) SELECT hold_id, 'VOIDED', 0, now() FROM ledger_holdevent WHERE kind = 'POSTED'"
        )
    assert "2 ends" in found()["Holds ended once, and a posted one took what its entry says"][0]


def test_finds_a_balance_below_its_floor(busy, tamper):
    with tamper() as cursor:
        cursor.execute("ALTER TABLE ledger_balance DROP CONSTRAINT ledger_balance_covers_floor")
        cursor.execute("UPDATE ledger_balance SET floor = posted + 1 WHERE account_id = %s", [busy["bob"]])
    assert len(found()["No balance is below its floor, and closed accounts are empty"]) == 1


def test_finds_a_reversal_that_is_no_mirror(busy, tamper):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_entry SET reverses_id = %s WHERE reverses_id IS NOT NULL", [busy["entries"][1]])
    assert len(found()["Reversals mirror their originals, once"]) == 1


def test_finds_an_entry_under_another_reference(busy, tamper):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_entry SET external_ref = gen_random_uuid() WHERE id = %s", [busy["entries"][1]])
        cursor.execute("DELETE FROM ledger_entryreference WHERE entry_id = %s", [busy["entries"][2]])
    assert len(found()["Each entry has its reference, and each reference its entry"]) == 2


def test_finds_a_status_that_changed_by_itself(busy, tamper):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_ledgeraccount SET status = 'FROZEN' WHERE id = %s", [busy["bob"]])
        cursor.execute("SELECT status FROM ledger_balance WHERE account_id = %s", [busy["bob"]])
        assert cursor.fetchone() == ("ACTIVE",)
    problems = found()
    assert problems["Balances repeat their account's currency and status"] == [
        f"account {busy['bob']}|EUR FROZEN|EUR ACTIVE"
    ]
    assert problems["Every change of status was kept"] == [f"account {busy['bob']}|ACTIVE|FROZEN"]


def test_finds_rows_from_another_server(busy, tamper):
    """Transaction ids start anew in a server that was filled from a dump; snapshots would miss postings there."""
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_entry SET xid = '99999999999' WHERE id = %s", [busy["entries"][1]])
    assert (
        f"entry {busy['entries'][1]}|"
        in found()["Transaction ids lie in this server's past and agree within an entry"][0]
    )


def test_the_command_says_that_all_is_well(busy):
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "Every balance follows from its postings, and every entry is as it was sealed." in out.getvalue()


def test_the_command_names_the_account_and_fails(busy, tamper, capsys):
    with tamper() as cursor:
        cursor.execute("UPDATE ledger_balance SET posted = posted + 1 WHERE account_id = %s", [busy["bob"]])
    posted = queries.balance(busy["bob"]).posted
    with pytest.raises(CommandError, match="3 discrepancies"):
        call_command("verify_ledger", stdout=StringIO())
    assert f"account {busy['bob']}: expected {posted - 1} after" in capsys.readouterr().out
