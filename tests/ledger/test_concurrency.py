"""Many callers at once, each race beside a control that shows it when the lock is taken away."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection, connections

from ledger import queries, services, verification
from ledger.services import Leg
from tests.dice import SEED
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


def together(*calls: Callable[[], object]) -> list[object]:
    """Run the calls at the same time, each on a connection of its own; what each returned or raised."""
    gate = Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(index: int, call: Callable[[], object]) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            gate.wait(PATIENCE)
            results[index] = call()
        except Exception as problem:
            results[index] = problem
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(index, call)) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def wins(results: list[object]) -> int:
    return sum(not isinstance(result, Exception) for result in results)


@pytest.fixture
def without_lock(as_owner):
    """The naive way on a table of its own: read the balance, decide, write what was computed."""
    with as_owner() as cursor:
        cursor.execute("CREATE TABLE unlocked (id int PRIMARY KEY, posted bigint NOT NULL)")
        cursor.execute("CREATE SEQUENCE unlocked_readers")
        cursor.execute("GRANT SELECT, INSERT, UPDATE ON unlocked TO PUBLIC")
        cursor.execute("GRANT SELECT, UPDATE ON SEQUENCE unlocked_readers TO PUBLIC")
        # The first eight callers write only when all eight have read: a sequence counts across their transactions.
        cursor.execute(
            """
            CREATE FUNCTION unlocked_transfer(p_from int, p_to int, p_amount bigint) RETURNS boolean LANGUAGE plpgsql AS $$
            DECLARE
              a bigint := (SELECT posted FROM unlocked WHERE id = p_from);
              b bigint := (SELECT posted FROM unlocked WHERE id = p_to);
            BEGIN
              PERFORM nextval('unlocked_readers');
              WHILE (SELECT last_value FROM unlocked_readers) < 8 LOOP PERFORM pg_sleep(0.002); END LOOP;
              IF a < p_amount THEN RETURN false; END IF;
              PERFORM pg_sleep(0.002);
              UPDATE unlocked SET posted = a - p_amount WHERE id = p_from;
              UPDATE unlocked SET posted = b + p_amount WHERE id = p_to;
              RETURN true;
            END $$
            """
        )
    yield
    with as_owner() as cursor:
        cursor.execute("DROP FUNCTION unlocked_transfer")
        cursor.execute("DROP TABLE unlocked")
        cursor.execute("DROP SEQUENCE unlocked_readers")


def test_the_total_stays_and_no_floor_breaks(customer, pay):
    accounts = [customer(500) for _ in range(4)]

    def work(number: int) -> Callable[[], int]:
        dice = random.Random(SEED + number)

        def run() -> int:
            refused = 0
            for _ in range(40):
                debit, credit = dice.sample(accounts, 2)
                try:
                    pay(debit, credit, dice.randint(1, 400))
                except services.InsufficientFunds:
                    refused += 1
            return refused

        return run

    results = together(*(work(number) for number in range(8)))
    assert wins(results) == 8, results
    assert sum(results) > 0, "without a refusal the floors were never near"
    balances = [balance.posted for balance in queries.balances(accounts).values()]
    assert sum(balances) == 2_000
    assert min(balances) >= 0
    assert list(verification.verify()) == []


def test_control_the_total_drifts_without_the_lock(without_lock):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO unlocked SELECT n, 500 FROM generate_series(1, 4) n")

    def work(number: int) -> Callable[[], None]:
        dice = random.Random(number)

        def run() -> None:
            with connection.cursor() as cursor:
                for _ in range(40):
                    debit, credit = sorted(dice.sample(range(1, 5), 2))
                    cursor.execute("SELECT unlocked_transfer(%s, %s, %s)", [debit, credit, dice.randint(1, 400)])

        return run

    together(*(work(number) for number in range(8)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(posted) FROM unlocked")
        assert cursor.fetchone()[0] != 2_000


def test_the_last_money_is_spent_once(customer, pay):
    payer, payee = customer(100), customer()
    results = together(*(lambda: pay(payer, payee, 100) for _ in range(8)))
    assert wins(results) == 1
    assert {type(r) for r in results if isinstance(r, Exception)} == {services.InsufficientFunds}
    assert queries.balance(payee).posted == 100


def test_control_the_last_money_is_spent_twice_without_the_lock(without_lock):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO unlocked VALUES (1, 100), (2, 0)")

    def spend() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT unlocked_transfer(1, 2, 100)")
            return cursor.fetchone()[0]

    assert sum(together(*([spend] * 8))) == 8


def test_transfers_in_opposite_directions_do_not_deadlock(customer, pay):
    a, b = customer(100_000), customer(100_000)

    def back_and_forth(debit: int, credit: int) -> Callable[[], None]:
        return lambda: [pay(debit, credit, 1) for _ in range(50)] and None

    results = together(*(back_and_forth(*pair) for pair in ((a, b), (b, a)) * 4))
    assert wins(results) == 8, results
    assert queries.balance(a).posted == 100_000


def test_entries_of_many_legs_in_any_order_do_not_deadlock(customer, source):
    accounts = [customer(100_000) for _ in range(4)]

    def split(number: int) -> Callable[[], None]:
        dice = random.Random(number)

        def run() -> None:
            for _ in range(25):
                order = dice.sample(accounts, 4)
                services.post_entry(
                    external_ref=uuid4(), legs=[Leg(order[0], -3), *(Leg(other, 1) for other in order[1:])], **source
                )

        return run

    results = together(*(split(number) for number in range(6)))
    assert wins(results) == 6, results
    assert sum(balance.posted for balance in queries.balances(accounts).values()) == 400_000


def test_one_reference_posts_once(customer, pay):
    payer, payee, ref = customer(1_000), customer(), uuid4()
    results = together(*(lambda: pay(payer, payee, 10, external_ref=ref) for _ in range(8)))
    assert wins(results) == 8, results
    assert len({result.entry_id for result in results}) == 1
    assert sum(not result.replayed for result in results) == 1
    assert queries.balance(payer).posted == 990


def test_a_hold_is_posted_or_voided_but_not_both(customer, source, now):
    for _ in range(5):
        payer, payee = customer(1_000), customer()
        hold = services.place_hold(
            external_ref=uuid4(),
            account_id=payer,
            amount_minor=400,
            expires_at=now + timedelta(days=1),
            source_kind="test",
            source_id="1",
            now=now,
        ).hold_id
        legs = [Leg(payer, -400), Leg(payee, 400)]
        results = together(
            lambda hold=hold, legs=legs: services.post_hold(hold_id=hold, external_ref=uuid4(), legs=legs, **source),
            lambda hold=hold: services.void_hold(hold_id=hold, now=now),
            lambda hold=hold, legs=legs: services.post_hold(hold_id=hold, external_ref=uuid4(), legs=legs, **source),
        )
        assert wins(results) == 1, results
        assert {type(r) for r in results if isinstance(r, Exception)} == {services.HoldNotActive}
        posted = queries.hold(hold).state == "POSTED"
        assert queries.balance(payer) == queries.Balance(posted=600 if posted else 1_000, held=0, floor=0)


def test_an_entry_is_reversed_once(customer, pay, now):
    payer, payee = customer(1_000), customer()
    entry = pay(payer, payee, 10).entry_id
    results = together(
        *(
            lambda: services.reverse_entry(
                entry_id=entry, external_ref=uuid4(), description="x", booked_at=now, source_kind="x", source_id="x"
            )
            for _ in range(4)
        )
    )
    assert wins(results) == 1, results
    assert {type(r) for r in results if isinstance(r, Exception)} == {services.AlreadyReversed}
    assert queries.balance(payer).posted == 1_000


def test_a_frozen_account_takes_nothing_after_the_freeze_has_committed(customer, pay):
    payer, payee = customer(1_000), customer()

    def spend() -> int:
        done = 0
        for _ in range(60):
            try:
                pay(payer, payee, 1)
                done += 1
            except services.AccountNotUsable:
                break
        return done

    def freeze() -> int:
        services.set_status(account_id=payer, status="FROZEN")
        return queries.balance(payer).posted

    *spent, at_freeze = together(spend, spend, freeze)
    assert queries.balance(payer).posted == 1_000 - sum(spent) == at_freeze
