"""Dividing the tables by month keeps what an undivided ledger held, under new numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from ledger import queries, services, verification
from ledger.models import Entry, EntryReference, HoldEvent
from ledger.services import Leg

pytestmark = pytest.mark.django_db(transaction=True)


def step_by_step():
    """What migrates a database as if no step stood for many: one that was made before there were such steps."""
    executor = MigrationExecutor(connection)
    executor.loader = loader = MigrationLoader(connection, replace_migrations=False)
    for key, migration in loader.replacements.items():
        loader.graph.remove_replacement_node(key, migration.replaces)
        loader.applied_migrations.pop(key, None)
    return executor


@pytest.fixture
def migrate(as_owner):
    """Go back to a migration of the ledger, or on to the newest as the owner does; the schema is complete again afterwards."""

    def to(name):
        with as_owner():
            if name:
                step_by_step().migrate([("ledger", name)])
            else:
                call_command("migrate", verbosity=0)

    yield to
    to(None)


def test_entries_keep_what_they_say(customer, pay, source, migrate, as_owner, now):
    payer, payee, late = customer(1_000), customer(), customer()
    first = pay(payer, payee, 10)
    services.make_months(since=datetime(2026, 1, 1, tzinfo=UTC), until=now)
    reversal = services.reverse_entry(
        entry_id=first.entry_id, external_ref=uuid4(), description="x", booked_at=now, source_kind="x", source_id="x"
    )
    hold = services.place_hold(
        external_ref=uuid4(), account_id=payer, amount_minor=30, expires_at=now.replace(year=2027),
        source_kind="x", source_id="x", now=now,
    )  # fmt: skip
    held = services.post_hold(
        hold_id=hold.hold_id, external_ref=uuid4(), legs=[Leg(payer, -30), Leg(payee, 30)], **source
    )
    pay(payer, late, 5)
    balances = {account: queries.balance(account).posted for account in (payer, payee, late)}
    references = set(Entry.objects.values_list("external_ref", flat=True))

    migrate("0002_functions_and_guards")
    with as_owner() as cursor:
        # As an undivided ledger numbered them, and as it kept time: each leg the latest of its own account.
        # A function of before, whose kind is another today.
        cursor.execute("DROP ROUTINE ledger_post_transfer")
        cursor.execute(
            "CREATE FUNCTION ledger_post_transfer("
            "  p_external_ref uuid, p_debit bigint, p_credit bigint, p_amount bigint, p_kind text, p_description text,"
            "  p_source_kind text, p_source_id text, p_booked_at timestamptz, p_value_date date,"
            "  OUT entry_id bigint, OUT replayed boolean, OUT debit_posted bigint, OUT credit_posted bigint)"
            " LANGUAGE plpgsql AS $$ BEGIN END $$"
        )
        cursor.execute("SET session_replication_role = replica")
        for table, column in (
            ("ledger_entry", "id"),
            ("ledger_entry", "reverses_id"),
            ("ledger_posting", "entry_id"),
            ("ledger_holdevent", "entry_id"),
        ):
            cursor.execute(f"UPDATE {table} SET {column} = {column} % 1000000000000 WHERE {column} IS NOT NULL")
        cursor.execute("SELECT max(entry_id) FROM ledger_posting WHERE account_id = %s", [late])
        last = cursor.fetchone()[0]
        april = datetime(2026, 4, 2, tzinfo=UTC)
        cursor.execute(
            "UPDATE ledger_posting SET booked_at = %s WHERE entry_id = %s AND account_id = %s", [april, last, payer]
        )
        cursor.execute("UPDATE ledger_balance SET booked_at = %s WHERE account_id = %s", [april, payer])
        cursor.execute("SET session_replication_role = origin")

    migrate(None)
    assert list(verification.verify()) == []
    assert {account: queries.balance(account).posted for account in (payer, payee, late)} == balances
    assert set(Entry.objects.values_list("external_ref", flat=True)) == references
    assert set(EntryReference.objects.values_list("external_ref", flat=True)) == references
    assert Entry.objects.get(pk=reversal.entry_id).reverses_id == first.entry_id
    assert HoldEvent.objects.get(hold_id=hold.hold_id).entry_id == held.entry_id
    moved = Entry.objects.get(pk=2604 * 10**12 + last)
    assert set(moved.postings.values_list("booked_at", flat=True)) == {moved.booked_at} == {april}
    assert queries.lines(late)[0].booked_at == april
    after = pay(payer, payee, 1)
    assert after.entry_id == 2604 * 10**12 + last + 1
    assert list(verification.verify()) == []
