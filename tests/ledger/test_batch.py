"""A batch does what single postings would have done one after the other, and is refused item by item."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import queries, services, verification
from ledger.models import Entry, EntryReference
from ledger.services import Outcome, Transfer
from tests.dice import SEED
from tests.ledger.conftest import NOW
from tests.ledger.test_concurrency import together, wins

pytestmark = pytest.mark.django_db


@pytest.fixture
def item():
    """`item(a, b, 100)` is a transfer of 1.00 from a to b, not yet posted."""

    def make(debit: int, credit: int, amount: int, **changes) -> Transfer:
        plain = Transfer(
            external_ref=uuid4(), debit_account_id=debit, credit_account_id=credit, amount_minor=amount,
            kind="salary", description="March", source_kind="test", source_id="1",
        )  # fmt: skip
        return replace(plain, **changes)

    return make


def outcomes(results) -> list[Outcome]:
    return [result.outcome for result in results]


def test_posts_each_item_as_an_entry_of_its_own(customer, item, now):
    payer, payee, other = customer(1_000), customer(), customer()
    items = [
        item(payer, payee, 100, description='A "quoted" \\ text, with {braces} and NULL'),
        item(payee, other, 40, value_date=date(2026, 3, 9), kind="NULL", source_id=""),
    ]
    first, second = services.post_batch(items=items, booked_at=now)
    assert [first.outcome, second.outcome] == [Outcome.POSTED, Outcome.POSTED]
    assert queries.balance(payer).posted == 900
    (line,) = queries.lines(other)
    assert (line.entry_id, line.amount_minor, line.balance_after, line.account_seq) == (second.entry_id, 40, 40, 1)
    assert (line.kind, line.value_date, line.booked_at, line.source_id) == ("NULL", date(2026, 3, 9), now, "")
    line = queries.lines(payer)[-1]
    assert (line.description, line.value_date) == (items[0].description, now.date())
    assert list(verification.verify()) == []


def test_an_item_sees_what_the_items_before_it_did(customer, item, now):
    payer, middle, payee = customer(100), customer(), customer()
    items = [item(middle, payee, 100), item(payer, middle, 100), item(middle, payee, 100), item(middle, payee, 1)]
    results = services.post_batch(items=items, booked_at=now)
    assert outcomes(results) == [
        Outcome.INSUFFICIENT_FUNDS,
        Outcome.POSTED,
        Outcome.POSTED,
        Outcome.INSUFFICIENT_FUNDS,
    ]
    assert queries.balance(payee).posted == 100
    assert list(verification.verify()) == []


def test_a_refused_item_takes_no_neighbour_along_and_leaves_nothing(customer, item, now, cash):
    payer, payee, frozen, closed = customer(1_000), customer(), customer(50), customer()
    dollars = customer(0, currency="USD")
    services.set_status(account_id=frozen, status="FROZEN")
    services.set_status(account_id=closed, status="CLOSED")
    used = item(payer, payee, 1)
    services.post_batch(items=[used], booked_at=now)
    items = [
        item(payer, payee, 10),
        item(payer, payee, 5_000),
        item(frozen, payee, 1),
        item(payer, closed, 1),
        item(payer, 999_999_999, 1),
        item(payer, dollars, 1),
        item(payer, payee, 0),
        item(payer, payee, 2**70),
        item(payer, payer, 1),
        replace(used, amount_minor=2),
        used,
        item(cash, payee, 7),
        item(payer, payee, 20),
    ]
    results = services.post_batch(items=items, booked_at=now)
    assert outcomes(results) == [
        Outcome.POSTED, Outcome.INSUFFICIENT_FUNDS, Outcome.ACCOUNT_FROZEN, Outcome.ACCOUNT_CLOSED,
        Outcome.UNKNOWN_ACCOUNT, Outcome.CURRENCY_MISMATCH, Outcome.INVALID_AMOUNT, Outcome.INVALID_AMOUNT,
        Outcome.SAME_ACCOUNT, Outcome.REFERENCE_REUSED, Outcome.REPLAYED, Outcome.POSTED, Outcome.POSTED,
    ]  # fmt: skip
    with_entry = {Outcome.POSTED, Outcome.REPLAYED}
    assert [result.entry_id is not None for result in results] == [r.outcome in with_entry for r in results]
    assert queries.balance(payer).posted == 1_000 - 1 - 10 - 20
    assert queries.balance(payee).posted == 1 + 10 + 7 + 20
    refused = [each.external_ref for each, result in zip(items, results, strict=True) if result.entry_id is None]
    refused.remove(used.external_ref)
    assert not EntryReference.objects.filter(external_ref__in=refused).exists()
    again = services.post_batch(items=[replace(items[1], amount_minor=3)], booked_at=now)
    assert outcomes(again) == [Outcome.POSTED], "a refused reference is free"
    assert list(verification.verify()) == []


def test_a_whole_batch_again_is_replayed(customer, item, now):
    payer, payee = customer(1_000), customer()
    items = [item(payer, payee, amount) for amount in (5, 6, 7)]
    first = services.post_batch(items=items, booked_at=now)
    again = services.post_batch(items=[*items, item(payer, payee, 8)], booked_at=now + timedelta(hours=1))
    assert outcomes(again) == [Outcome.REPLAYED] * 3 + [Outcome.POSTED]
    assert [result.entry_id for result in again[:3]] == [result.entry_id for result in first]
    assert queries.balance(payee).posted == 26


def test_a_reference_twice_in_a_batch_posts_once(customer, item, now):
    payer, payee = customer(100), customer()
    once, short = item(payer, payee, 10), item(payer, payee, 500)
    items = [once, once, replace(once, amount_minor=11), short, replace(short, amount_minor=20), short]
    results = services.post_batch(items=items, booked_at=now)
    assert outcomes(results) == [
        Outcome.POSTED, Outcome.REPLAYED, Outcome.REFERENCE_REUSED,
        Outcome.INSUFFICIENT_FUNDS, Outcome.POSTED, Outcome.REFERENCE_REUSED,
    ]  # fmt: skip
    assert results[0].entry_id == results[1].entry_id
    assert queries.balance(payee).posted == 30


def test_single_path_and_batch_replay_each_other(customer, item, pay, now):
    payer, payee = customer(100), customer()
    one = item(payer, payee, 10)
    same = {"external_ref": one.external_ref, "kind": "salary", "description": "March"}
    (posted,) = services.post_batch(items=[one], booked_at=now)
    single = pay(payer, payee, 10, **same)
    assert (single.entry_id, single.replayed) == (posted.entry_id, True)


def test_a_batch_keeps_holds_and_overdrafts(customer, item, now):
    payer, payee = customer(100, floor=-50), customer()
    services.place_hold(
        external_ref=uuid4(), account_id=payer, amount_minor=30, expires_at=now + timedelta(days=1),
        source_kind="x", source_id="x", now=now,
    )  # fmt: skip
    results = services.post_batch(items=[item(payer, payee, 121), item(payer, payee, 120)], booked_at=now)
    assert outcomes(results) == [Outcome.INSUFFICIENT_FUNDS, Outcome.POSTED]


def test_items_of_accounts_that_are_ahead_take_their_time_and_month(customer, item, pay, now):
    services.make_months(since=datetime(2026, 2, 1, tzinfo=UTC), until=datetime(2026, 5, 1, tzinfo=UTC))
    ahead, behind, third = customer(1_000), customer(1_000), customer()
    pay(ahead, customer(), 1, booked_at=datetime(2026, 4, 7, tzinfo=UTC))
    items = [item(behind, third, 1), item(ahead, behind, 2), item(behind, third, 3)]
    results = services.post_batch(items=items, booked_at=now)
    assert [result.entry_id // 10**12 for result in results] == [2603, 2604, 2604]
    assert [line.account_seq for line in queries.lines(third)] == [1, 2]
    replayed = services.post_batch(items=items, booked_at=now)
    assert [result.entry_id for result in replayed] == [result.entry_id for result in results]
    assert list(verification.verify()) == []


def test_amounts_beyond_64_bits_refuse_their_item_only(customer, item, now):
    giver, rich = customer(0, floor=None), customer(0, floor=None)
    items = [item(giver, rich, 2**63 - 1), item(giver, rich, 5), item(rich, giver, 2**63 - 1), item(giver, rich, 5)]
    results = services.post_batch(items=items, booked_at=now)
    assert outcomes(results) == [Outcome.POSTED, Outcome.INVALID_AMOUNT, Outcome.POSTED, Outcome.POSTED]


def test_an_empty_batch_is_no_work(now, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert services.post_batch(items=[], booked_at=now) == []


class TestAllOrNothing:
    def test_posts_all(self, customer, item, now):
        payer, payee = customer(100), customer()
        items = [item(payer, payee, 60), item(payer, payee, 40)]
        assert outcomes(services.post_all(items=items, booked_at=now)) == [Outcome.POSTED] * 2
        assert outcomes(services.post_all(items=items, booked_at=now)) == [Outcome.REPLAYED] * 2
        assert queries.balance(payee).posted == 100

    def test_or_nothing_and_says_which_item_stood_in_the_way(self, customer, item, now, refused):
        payer, payee = customer(100), customer()
        items = [item(payer, payee, 60), item(payer, payee, 41), item(payer, payee, 40)]
        before = Entry.objects.count()
        with refused(services.BatchRefused) as caught:
            services.post_all(items=items, booked_at=now)
        assert caught.value.data["outcomes"] == [Outcome.POSTED, Outcome.INSUFFICIENT_FUNDS, Outcome.POSTED]
        assert Entry.objects.count() == before
        assert queries.balance(payee).posted == 0
        assert not EntryReference.objects.filter(external_ref=items[0].external_ref).exists()


REFUSALS = {
    services.InsufficientFunds: Outcome.INSUFFICIENT_FUNDS,
    services.UnknownAccount: Outcome.UNKNOWN_ACCOUNT,
    services.CurrencyMismatch: Outcome.CURRENCY_MISMATCH,
    services.ExternalRefReused: Outcome.REFERENCE_REUSED,
    services.InvalidAmount: Outcome.INVALID_AMOUNT,
    services.SameAccount: Outcome.SAME_ACCOUNT,
}


def one_by_one(items, booked_at) -> list[Outcome]:
    """The sequential model: the single path, item for item."""
    found = []
    for each in items:
        try:
            with transaction.atomic():
                posted = services.post_transfer(
                    external_ref=each.external_ref,
                    debit_account_id=each.debit_account_id,
                    credit_account_id=each.credit_account_id,
                    amount_minor=each.amount_minor,
                    kind=each.kind,
                    description=each.description,
                    source_kind=each.source_kind,
                    source_id=each.source_id,
                    booked_at=booked_at,
                    value_date=each.value_date,
                )
            found.append(Outcome.REPLAYED if posted.replayed else Outcome.POSTED)
        except services.AccountNotUsable as refusal:
            found.append(Outcome[refusal.error_code.upper()])
        except tuple(REFUSALS) as refusal:
            found.append(REFUSALS[type(refusal)])
    return found


PLACES = 7
STEP = st.tuples(
    st.integers(0, PLACES),  # the debit account; the last place is no account
    st.integers(0, PLACES),
    st.sampled_from([0, 1, 3, 10, 50, 120, 2**62, 2**63 - 1]),
    st.integers(0, 9),  # the reference; ten of them meet often
    st.sampled_from(["a", "b"]),
)


@given(batches=st.lists(st.lists(STEP, max_size=14), min_size=1, max_size=3), hours=st.lists(st.integers(-900, 900)))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_agrees_with_single_postings(batches, hours, customer, cash):
    """The same items on two sets of accounts, in batches and one by one: outcomes, balances and lines agree."""
    with transaction.atomic():
        worlds = []
        for _ in range(2):
            dollars = customer(100, currency="USD")
            frozen = customer(100)
            accounts = [customer(100), customer(100, floor=-40), customer(0, floor=None), customer(60), frozen, dollars]
            services.set_status(account_id=frozen, status="FROZEN")
            worlds.append([*accounts, cash, 999_999_999])
        keys = [[uuid4() for _ in range(10)] for _ in worlds]
        for number, steps in enumerate(batches):
            at = NOW + timedelta(hours=hours[number] if number < len(hours) else number)
            ours, theirs = (
                [
                    Transfer(refs[ref], world[debit], world[credit], amount, "k", text, "test", "1")
                    for debit, credit, amount, ref, text in steps
                ]
                for world, refs in zip(worlds, keys, strict=True)
            )
            got, want = outcomes(services.post_batch(items=ours, booked_at=at)), one_by_one(theirs, at)
            assert got == want, batches
            for mine, other in zip(worlds[0][:6], worlds[1][:6], strict=True):
                assert queries.balance(mine) == queries.balance(other)
                seen, expected = (
                    [
                        (x.account_seq, x.booked_at, x.value_date, x.amount_minor, x.balance_after)
                        for x in queries.lines(a)
                    ]
                    for a in (mine, other)
                )
                assert seen == expected
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_batches_and_single_postings_on_shared_accounts_do_not_deadlock(self, customer, item, pay, now):
        accounts = [customer(1_000) for _ in range(5)]
        shared = [UUID(int=number + 1) for number in range(40)]

        def batches(number: int):
            dice = random.Random(SEED + number)

            def run() -> None:
                for _ in range(8):
                    items = []
                    for _ in range(25):
                        debit, credit = dice.sample(accounts, 2)
                        items.append(item(debit, credit, dice.randint(1, 300), external_ref=dice.choice(shared)))
                    services.post_batch(items=items, booked_at=now)

            return run

        def singles(number: int):
            dice = random.Random(SEED + 100 + number)

            def run() -> None:
                for _ in range(60):
                    debit, credit = dice.sample(accounts, 2)
                    with suppress(services.InsufficientFunds, services.ExternalRefReused):
                        pay(debit, credit, dice.randint(1, 300), external_ref=dice.choice(shared))

            return run

        results = together(*(batches(number) for number in range(4)), *(singles(number) for number in range(3)))
        assert wins(results) == 7, results
        assert sum(balance.posted for balance in queries.balances(accounts).values()) == 5_000
        assert min(balance.posted for balance in queries.balances(accounts).values()) >= 0
        assert list(verification.verify()) == []

    def test_an_account_frozen_mid_way_takes_nothing_afterwards(self, customer, item, now):
        payer, payee = customer(100_000), customer()

        def spend() -> int:
            posted = 0
            for _ in range(30):
                results = services.post_batch(items=[item(payer, payee, 1) for _ in range(20)], booked_at=now)
                kinds = set(outcomes(results))
                assert len(kinds) == 1, "a batch holds its locks, so it sees one status"
                if kinds == {Outcome.ACCOUNT_FROZEN}:
                    break
                posted += 20
            return posted

        def freeze() -> int:
            services.set_status(account_id=payer, status="FROZEN")
            return queries.balance(payer).posted

        *spent, at_freeze = together(spend, spend, freeze)
        assert queries.balance(payer).posted == 100_000 - sum(spent) == at_freeze


def test_writes_a_batch_with_a_fixed_number_of_statements(customer, item, now, django_assert_num_queries):
    payer, payee = customer(1_000), customer()
    items = [item(payer, payee, 1) for _ in range(200)]
    with django_assert_num_queries(1):
        services.post_batch(items=items, booked_at=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_posting WHERE account_id = %s", [payee])
        assert cursor.fetchone() == (200,)
