"""The database refuses by itself: tried as the portal's role, and as the owner of the tables."""

from __future__ import annotations

from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ledger import queries, services

TABLES = (
    "ledger_entryreference",
    "ledger_entry",
    "ledger_posting",
    "ledger_entry_default",
    "ledger_posting_default",
    "ledger_hold",
    "ledger_holdevent",
    "ledger_balance",
    "ledger_ledgeraccount",
    "ledger_balancesnapshot",
    "ledger_statuschange",
)
COLUMN = {
    "ledger_entryreference": "external_ref = gen_random_uuid()",
    "ledger_entry": "description = 'x'",
    "ledger_posting": "amount = amount + 1",
    "ledger_entry_default": "description = 'x'",
    "ledger_posting_default": "amount = amount + 1",
    "ledger_hold": "amount = amount + 1",
    "ledger_holdevent": "amount = amount + 1",
    "ledger_balancesnapshot": "balance = balance + 1",
    "ledger_statuschange": "new_status = 'CLOSED'",
}
REFERENCE = """
    INSERT INTO ledger_entryreference (external_ref, entry_id)
    VALUES (gen_random_uuid(), ledger_first_id(now()) + nextval('ledger_entry_number')) RETURNING entry_id, external_ref
"""
ENTRY = """
    INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id)
    VALUES (%s, %s, 'x', 'x', now(), current_date, 'x', 'x')
"""
POSTING = """
    INSERT INTO ledger_posting (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after)
    VALUES (%s, %s, %s, %s, %s, now(), %s, 0)
"""
TWO = POSTING + ", (%s, %s, %s, %s, %s, now(), %s, 0)"
PAIR = """
    INSERT INTO ledger_posting (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after)
    VALUES (%s, 1, %s, %s, 'EUR', now(), %s, %s), (%s, 2, %s, %s, 'EUR', now(), %s, %s)
"""


def sqlstate(error: DatabaseError) -> str:
    return str(getattr(error.__cause__, "pgcode", ""))


def refused_with(statement, parameters=None):
    """The SQLSTATE with which the connection's present role is refused."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
    return sqlstate(caught.value)


def with_entry(postings, number, reference, parameters):
    """Entry and postings in one statement, as the functions write them: each is refused without the other."""
    return f"WITH entry AS ({ENTRY}) {postings}", [number, reference, *parameters]


@pytest.fixture
def some_rows(customer, pay, now, settle):
    """Something in every table."""
    account = customer(1_000)
    entry = pay(account, customer(), 10).entry_id
    hold = services.place_hold(
        external_ref=uuid4(),
        account_id=account,
        amount_minor=5,
        expires_at=now.replace(year=2027),
        source_kind="x",
        source_id="x",
        now=now,
    )
    services.void_hold(hold_id=hold.hold_id, now=now)
    services.set_status(account_id=account, status="FROZEN")
    settle()
    return account, entry


@pytest.fixture
def own_entry(as_owner):
    """The owner's own number and a way to write postings under it; all of it goes when the block ends."""

    @contextmanager
    def begun():
        with as_owner() as cursor, transaction.atomic():
            cursor.execute(REFERENCE)
            number, reference = cursor.fetchone()

            def legs_refused_with(postings, parameters):
                return refused_with(*with_entry(postings, number, reference, parameters))

            yield number, legs_refused_with
            transaction.set_rollback(True)

    return begun


@pytest.mark.django_db
class TestTheRuntimeRole:
    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("what", ["INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_may_only_read(self, table, what):
        assert refused_with(what.format(table)) == "42501"

    @pytest.mark.parametrize("table", TABLES)
    def test_may_not_update(self, table):
        column = {
            "ledger_posting": "entry_id",
            "ledger_posting_default": "entry_id",
            "ledger_entryreference": "entry_id",
            "ledger_balance": "account_id",
        }.get(table, "id")
        assert refused_with(f"UPDATE {table} SET {column} = {column}") == "42501"

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
            "ALTER TABLE ledger_balance DROP CONSTRAINT ledger_balance_covers_floor",
            "DROP TRIGGER ledger_posting_check ON ledger_posting",
            "DROP TABLE ledger_posting",
            "CREATE TABLE public.mine (x int)",
            "SET session_replication_role = replica",
            "CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "SELECT nextval('ledger_entry_number')",
            "SELECT * FROM ledger_posting FOR UPDATE",
            "COPY ledger_posting FROM PROGRAM 'true'",
        ],
    )
    def test_may_not_take_the_guards_away(self, statement):
        assert refused_with(statement) == "42501"

    @pytest.mark.parametrize(
        "call",
        [
            "ledger_write_entry(gen_random_uuid(), '{1,2}', '{-1,1}', '', '', '', '', now(), NULL, NULL)",
            "ledger_release_hold(gen_random_uuid())",
            "ledger_explain_refusal(1, 1)",
            "ledger_replay_entry(gen_random_uuid(), '{1,2}', '{-1,1}', '', '', '', '', NULL)",
        ],
    )
    def test_may_not_call_the_inner_functions(self, call):
        assert refused_with(f"SELECT {call}") == "42501"

    def test_cannot_make_a_function_look_elsewhere(self, customer, pay, as_owner):
        """The functions run with the owner's rights, so a table of the caller's in the way must not be found."""
        payer, payee = customer(1_000), customer()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE ledger_balance (LIKE public.ledger_balance)")
            cursor.execute("SET LOCAL search_path = pg_temp, public")
        assert pay(payer, payee, 10).balances[payer] == 990
        with as_owner() as cursor:
            cursor.execute("SELECT posted FROM public.ledger_balance WHERE account_id = %s", [payer])
            assert cursor.fetchone() == (990,)


@pytest.mark.django_db
class TestTheOwner:
    @pytest.mark.parametrize("table", sorted(COLUMN))
    def test_may_not_update_what_is_written(self, table, some_rows, as_owner):
        with as_owner():
            assert refused_with(f"UPDATE {table} SET {COLUMN[table]}") == "BK090"

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("what", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_may_not_delete_or_truncate(self, table, what, some_rows, as_owner):
        with as_owner():
            assert refused_with(what.format(table)) == "BK090"

    def test_may_not_write_one_leg(self, customer, own_entry):
        account = customer(1_000)
        with own_entry() as (entry, legs_refused_with):
            assert legs_refused_with(POSTING, [entry, 1, account, 5, "EUR", 2]) == "BK006"

    def test_may_not_write_legs_in_two_currencies(self, customer, own_entry):
        euros, dollars = customer(1_000), customer(1_000, currency="USD")
        with own_entry() as (entry, legs_refused_with):
            for other in ("USD", "EUR"):
                legs = [entry, 1, euros, -5, "EUR", 2, entry, 2, dollars, 5, other, 2]
                assert legs_refused_with(TWO, legs) == "BK006"

    def test_may_not_write_a_posting_without_entry_or_account(self, customer, own_entry):
        payer, payee = customer(1_000), customer()
        with own_entry() as (entry, legs_refused_with):
            legs = [entry, 1, payer, -5, "EUR", 2, entry, 2, payee, 5, "EUR", 1]
            assert refused_with(TWO, legs) == "BK006", "no entry"
            no_account = [entry, 1, payer, -5, "EUR", 2, entry, 2, 999_999_999, 5, "EUR", 1]
            assert legs_refused_with(TWO, no_account) == "BK006"

    def test_may_not_give_an_internal_account_a_sequence(self, customer, cash, own_entry):
        account = customer(1_000)
        with own_entry() as (entry, legs_refused_with):
            assert legs_refused_with(TWO, [entry, 1, account, -5, "EUR", 2, entry, 2, cash, 5, "EUR", 1]) == "BK006"

    @pytest.fixture
    def paid(self, as_owner, customer, pay):
        """Two accounts whose balance rows say that 5 moved as their third posting; the postings are not written."""
        payer, payee = customer(1_000), customer(1_000)
        pay(payer, payee, 1, booked_at=timezone.now())
        with as_owner() as cursor:
            cursor.execute(
                "UPDATE ledger_balance SET posted = posted + CASE account_id WHEN %s THEN -5 ELSE 5 END, seq = seq + 1"
                " WHERE account_id IN (%s, %s)",
                [payer, payer, payee],
            )
        return payer, payee

    def test_may_write_what_is_right(self, paid, own_entry):
        """The control of the refusals below: with nothing wrong, the same statement goes through."""
        payer, payee = paid
        with own_entry() as (entry, _), connection.cursor() as cursor:
            cursor.execute("SELECT external_ref FROM ledger_entryreference WHERE entry_id = %s", [entry])
            legs = [entry, payer, -5, 3, 994, entry, payee, 5, 3, 1006]
            cursor.execute(*with_entry(PAIR, entry, cursor.fetchone()[0], legs))

    @pytest.mark.parametrize(
        ("payer_leg", "payee_leg"),
        [
            ((-5, 3, 995), (5, 3, 1006)),
            ((-5, 4, 994), (5, 3, 1006)),
            ((-5, 1, 994), (5, 3, 1006)),
            ((-4, 3, 994), (5, 3, 1006)),
            ((0, 3, 994), (0, 3, 1006)),
        ],
        ids=["balance after", "a gap", "a sequence used before", "unbalanced", "nothing"],
    )
    def test_may_not_write_postings_that_do_not_follow(self, paid, own_entry, payer_leg, payee_leg):
        payer, payee = paid
        with own_entry() as (entry, legs_refused_with):
            assert legs_refused_with(PAIR, [entry, payer, *payer_leg, entry, payee, *payee_leg]) == "BK006"

    def test_may_not_write_an_account_twice_out_of_order(self, paid, own_entry):
        """Several legs of one account follow each other and end at the balance."""
        payer, payee = paid
        three = PAIR + ", (%s, 3, %s, %s, 'EUR', now(), %s, %s)"
        with own_entry() as (entry, legs_refused_with):
            for seq, after in ((1, 997), (4, 997)):
                legs = [entry, payer, -3, 3, 994, entry, payee, 5, 3, 1006, entry, payer, -2, seq, after]
                assert legs_refused_with(three, legs) == "BK006"

    def test_may_not_use_a_place_in_a_sequence_twice(self, paid, own_entry):
        payer, payee = paid
        three = PAIR + ", (%s, 3, %s, %s, 'EUR', now(), %s, %s)"
        with own_entry() as (entry, legs_refused_with):
            legs = [entry, payer, -3, 3, 994, entry, payee, 5, 3, 1006, entry, payer, -2, 2, 997]
            assert legs_refused_with(three, legs) == "23505"

    def test_may_not_give_postings_another_time_than_their_entry(self, paid, own_entry):
        payer, payee = paid
        later = PAIR.replace("now()", "now() + interval '1 second'")
        with own_entry() as (entry, legs_refused_with):
            assert legs_refused_with(later, [entry, payer, -5, 3, 994, entry, payee, 5, 3, 1006]) == "BK006"

    def test_may_not_give_an_internal_account_a_balance_row(self, cash, as_owner):
        row = "INSERT INTO ledger_balance (account_id, currency, status) VALUES (%s, 'EUR', 'ACTIVE')"
        with as_owner():
            assert refused_with(row, [cash]) == "BK090"

    def test_may_not_take_a_balance_below_its_floor_or_under_its_holds(self, customer, as_owner):
        account = customer(1_000)
        with as_owner():
            for change in ("posted = -1", "held = 1001", "held = -1", "floor = 1001"):
                assert refused_with(f"UPDATE ledger_balance SET {change} WHERE account_id = %s", [account]) == "23514"

    def test_may_not_let_a_balance_row_differ_from_its_account(self, customer, as_owner):
        account = customer(1_000)
        with as_owner():
            for change in ("currency = 'USD'", "status = 'FROZEN'"):
                statement = f"UPDATE ledger_balance SET {change} WHERE account_id = %s"
                assert refused_with(statement, [account]) == "23503"

    def test_may_not_turn_an_account_into_another(self, customer, as_owner):
        account = customer(1_000)
        with as_owner():
            for change in (
                "currency = 'USD'",
                "is_internal = true",
                "gl_code_id = '2900'",
                "external_ref = gen_random_uuid()",
            ):
                statement = f"UPDATE ledger_ledgeraccount SET {change} WHERE id = %s"
                assert refused_with(statement, [account]) == "BK090"

    def test_may_not_close_an_account_that_holds_money(self, customer, as_owner):
        account = customer(1_000)
        with as_owner():
            statement = "UPDATE ledger_ledgeraccount SET status = 'CLOSED' WHERE id = %s"
            assert refused_with(statement, [account]) == "BK018"

    def test_may_not_end_a_hold_twice(self, some_rows, as_owner):
        with as_owner():
            again = "INSERT INTO ledger_holdevent (hold_id, kind, amount, happened_at) SELECT id, 'EXPIRED', 0, now() FROM ledger_hold"
            assert refused_with(again) == "23505"

    def test_may_not_write_an_entry_without_its_reference(self, as_owner):
        values = "VALUES (ledger_first_id(now()) + 1, gen_random_uuid(), 'x', 'x', now(), current_date, 'x', 'x')"
        with as_owner():
            assert refused_with(ENTRY.split("VALUES")[0] + values) == "BK006"

    def test_may_not_write_an_entry_under_another_reference_or_as_another_reversal(self, some_rows, as_owner):
        _, entry = some_rows
        with as_owner() as cursor, transaction.atomic():
            cursor.execute(REFERENCE)
            number, reference = cursor.fetchone()
            assert refused_with(ENTRY, [number, uuid4()]) == "BK006"
            reversal = ENTRY.replace("source_id)", "source_id, reverses_id)").replace("'x')", f"'x', {entry})")
            assert refused_with(reversal, [number, reference]) == "BK006"
            transaction.set_rollback(True)

    def test_may_not_give_a_number_of_another_month(self, as_owner):
        other = REFERENCE.replace("now()", "now() - interval '70 days'")
        with as_owner() as cursor, transaction.atomic():
            cursor.execute(other)
            assert refused_with(ENTRY, cursor.fetchone()) == "BK006"
            transaction.set_rollback(True)

    def test_may_not_write_an_entry_without_postings(self, as_owner):
        with as_owner() as cursor, transaction.atomic():
            cursor.execute(REFERENCE)
            assert refused_with(ENTRY, cursor.fetchone()) == "BK006"
            transaction.set_rollback(True)

    def test_may_not_move_a_reference_once_something_is_written_under_it(self, some_rows, as_owner):
        _, entry = some_rows
        with as_owner():
            for change in (
                "entry_id = entry_id + 1000000000000",
                "reverses_id = entry_id",
                "external_ref = gen_random_uuid()",
            ):
                assert (
                    refused_with(f"UPDATE ledger_entryreference SET {change} WHERE entry_id = %s", [entry]) == "BK090"
                )

    def test_may_not_reverse_an_entry_twice(self, some_rows, as_owner):
        _, entry = some_rows
        statement = """
            INSERT INTO ledger_entryreference (external_ref, entry_id, reverses_id)
            SELECT gen_random_uuid(), ledger_first_id(now()) + nextval('ledger_entry_number'), %s FROM generate_series(1, 2)
        """
        with as_owner():
            assert refused_with(statement, [entry]) == "23505"


@pytest.mark.django_db(transaction=True)
class TestTheOwnerAfterACommit:
    def test_may_not_append_a_balanced_pair_to_an_entry_of_another_transaction(self, customer, pay, as_owner, now):
        payer, payee = customer(1_000), customer()
        entry = pay(payer, payee, 10).entry_id
        two = TWO.replace("now()", f"'{now.isoformat()}'")
        with as_owner():
            assert refused_with(two, [entry, 3, payer, -5, "EUR", 3, entry, 4, payee, 5, "EUR", 2]) == "BK006"
        assert queries.balance(payer).posted == 990
