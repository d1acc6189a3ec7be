"""Interest is posted once for each account and month, whatever stops a run and however many run at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from accounts import services
from accounts.models import Account, InterestPosting, Product
from accounts.services import interest
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger
from tests.accounts.factories import open_test_account
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
EARLY_APRIL = datetime(2026, 4, 1, 1, tzinfo=UTC)
EARLY_MAY = datetime(2026, 5, 1, 1, tzinfo=UTC)
OPENED = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def savings(alice: User) -> Account:
    """10,000.00 at 10 % since the first of March, actual/365."""
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=10, compounding="NONE")
    return open_test_account(alice, "SAV-EUR", "10000.00", OPENED)


@pytest.fixture
def current(alice: User) -> Account:
    """100.00, an overdraft of 500.00 at 10 % and none for money held."""
    Product.objects.filter(pk="CUR-EUR").update(overdraft_rate=10)
    return open_test_account(alice, "CUR-EUR", "100.00", OPENED)


def post(account: Account, minor: int, at: datetime, value_date: date | None = None) -> None:
    cash = ledger_queries.internal_account("1000", account.currency)
    ledger.post_entry(
        external_ref=uuid4(),
        legs=[ledger.Leg(account.ledger_account_id, minor), ledger.Leg(cash, -minor)],
        kind="test",
        description="Moved",
        source_kind="test",
        source_id="1",
        booked_at=at,
        value_date=value_date,
    )


def balance(account: Account) -> int:
    return ledger_queries.balance(account.ledger_account_id).posted


def internal(code: str) -> int:
    return ledger_queries.balance(ledger_queries.internal_account(code, "EUR")).posted


def run(month: date = MARCH, now: datetime = EARLY_APRIL) -> services.Run:
    return services.post_interest(month=month, now=now, seconds=PATIENCE)


def test_a_month_is_paid_once(savings: Account) -> None:
    assert run() == services.Run(done=1, failed=0, left=0)
    # 10,000.00 x 10 % x 31 / 365 = 84.9315...
    assert balance(savings) == 10084_93
    assert internal("5100") == -84_93
    assert run() == services.Run(done=0, failed=0, left=0)
    assert balance(savings) == 10084_93
    row = InterestPosting.objects.get()
    assert (row.period, row.since, row.until) == (MARCH, MARCH, APRIL)
    assert (row.earned_minor, row.charged_minor, row.unpaid_minor) == (84_93, 0, 0)


def test_the_customer_reads_what_it_is(savings: Account) -> None:
    run()
    line = ledger_queries.recent_lines(savings.ledger_account_id, limit=1)[0]
    assert (line.amount_minor, line.kind, line.description) == (84_93, "interest", "Interest, March 2026")
    assert (line.value_date, line.booked_at) == (APRIL, EARLY_APRIL)


def test_what_was_paid_earns_the_next_month(savings: Account) -> None:
    run()
    run(APRIL, EARLY_MAY)
    # 10,084.93 x 10 % x 30 / 365 = 82.8898...
    assert balance(savings) == 10084_93 + 82_89


def test_daily_compounding_and_another_day_count(alice: User) -> None:
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=10, compounding="DAILY", day_count="ACT/360")
    account = open_test_account(alice, "SAV-EUR", "10000.00", OPENED)
    run()
    exact = 10000_00 * ((1 + Decimal(10) / 36000) ** 31)
    assert balance(account) == int(exact.to_integral_value())
    assert balance(account) == 10086_47


def test_days_count_by_value_date(savings: Account) -> None:
    post(savings, 10000_00, datetime(2026, 3, 25, tzinfo=UTC), value_date=date(2026, 3, 11))
    run()
    # Ten days of 10,000.00, then twenty-one of 20,000.00.
    assert InterestPosting.objects.get().earned_minor == round(Decimal(10 * 10000_00 + 21 * 20000_00) / 3650)


def test_an_overdraft_costs_interest(current: Account) -> None:
    post(current, -500_00, datetime(2026, 3, 11, tzinfo=UTC))
    run()
    # 400.00 x 10 % x 21 / 365 = 2.3013...
    assert balance(current) == -402_30
    assert internal("4200") == 2_30


def test_overdraft_interest_stops_at_the_limit_and_the_rest_is_asked_for_later(current: Account) -> None:
    post(current, -599_00, datetime(2026, 3, 2, tzinfo=UTC))
    run()
    first = InterestPosting.objects.get()
    # 499.00 x 10 % x 30 / 365 = 4.1013..., and 1.00 is left.
    assert (first.charged_minor, first.unpaid_minor, balance(current)) == (1_00, 3_10, -500_00)
    post(current, 600_00, EARLY_APRIL)
    run(APRIL, EARLY_MAY)
    second = InterestPosting.objects.get(period=APRIL)
    assert (second.charged_minor, second.unpaid_minor, balance(current)) == (3_10, 0, 96_90)


def test_a_frozen_account_catches_up_when_it_is_released(savings: Account, officer: User) -> None:
    services.freeze_account(actor=officer, account_id=savings.pk, reason="Court order", now=EARLY_APRIL)
    assert run() == services.Run(done=0, failed=0, left=0)
    services.unfreeze_account(actor=officer, account_id=savings.pk, reason="Lifted", now=EARLY_APRIL)
    run(APRIL, EARLY_MAY)
    row = InterestPosting.objects.get()
    assert (row.since, row.until, row.earned_minor) == (MARCH, date(2026, 5, 1), 167_12)


def test_waits_until_an_hour_after_the_month(savings: Account) -> None:
    with pytest.raises(services.PeriodNotAllowed):
        run(now=datetime(2026, 4, 1, 0, 59, 59, tzinfo=UTC))
    assert balance(savings) == 10000_00


def test_an_older_month_after_a_newer_one_posts_nothing(savings: Account) -> None:
    run(APRIL, EARLY_MAY)
    assert run(MARCH, EARLY_MAY).done == 0
    assert InterestPosting.objects.count() == 1


def test_terms_are_those_of_the_opening(savings: Account) -> None:
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=1, day_count="ACT/360", compounding="DAILY")
    run()
    assert balance(savings) == 10084_93


def test_accounts_without_a_rate_are_left_alone(alice: User) -> None:
    open_test_account(alice, "WAL-EUR", "10.00", OPENED)
    assert run() == services.Run(done=0, failed=0, left=0)
    assert not InterestPosting.objects.exists()


def test_one_account_that_fails_leaves_the_others_theirs(savings: Account, alice: User, monkeypatch: Any) -> None:
    other = open_test_account(alice, "SAV-EUR", "10000.00", OPENED)
    real = ledger.post_entry

    def refuse(**given: Any) -> Any:
        if given["source_id"] == savings.pk:
            raise services.AccountFrozen()
        return real(**given)

    monkeypatch.setattr(interest.ledger, "post_entry", refuse)
    assert run() == services.Run(done=1, failed=1, left=1)
    assert (balance(savings), balance(other)) == (10000_00, 10084_93)
    monkeypatch.undo()
    assert run() == services.Run(done=1, failed=0, left=0)
    assert (balance(savings), balance(other)) == (10084_93, 10084_93)


def test_a_posting_never_changes(savings: Account) -> None:
    run()
    for change in (lambda: InterestPosting.objects.update(earned_minor=1), InterestPosting.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["valued_balances", "post_entry", "save", "commit"])
def test_killed_before_any_step_it_goes_on_and_pays_once(alice: User, monkeypatch: Any, before: str) -> None:
    """The server loses its client between two steps, as it does when the worker is killed."""
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=10, compounding="NONE")
    accounts = [open_test_account(alice, "SAV-EUR", "10000.00", OPENED) for _ in range(3)]
    calls = 0

    def cut(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 2:
                if before == "commit":
                    real(*given, **named)
                connection.connection.close()
                raise OperationalError("killed")
            return real(*given, **named)

        return step

    where, name = {
        "valued_balances": (interest.ledger_queries, "valued_balances"),
        "post_entry": (interest.ledger, "post_entry"),
    }.get(before, (InterestPosting, "save"))
    monkeypatch.setattr(where, name, cut(getattr(where, name)))
    with pytest.raises(OperationalError):
        run()
    connection.close()
    monkeypatch.undo()
    assert sorted(balance(account) for account in accounts) == [10000_00, 10000_00, 10084_93]
    assert InterestPosting.objects.count() == 1
    assert run() == services.Run(done=2, failed=0, left=0)
    assert [balance(account) for account in accounts] == [10084_93] * 3
    assert internal("5100") == -3 * 84_93


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_share_the_work(alice: User) -> None:
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=10, compounding="NONE")
    accounts = [open_test_account(alice, "SAV-EUR", "10000.00", OPENED) for _ in range(12)]
    start = threading.Barrier(2)
    results: list[services.Run] = []

    def work() -> None:
        try:
            start.wait(timeout=PATIENCE)
            results.append(run())
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=PATIENCE)
    assert [result.left for result in results] == [0, 0]
    assert sum(result.done for result in results) == 12
    assert [result.failed for result in results] == [0, 0]
    assert [balance(account) for account in accounts] == [10084_93] * 12
    assert InterestPosting.objects.count() == 12
