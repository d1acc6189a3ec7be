"""The monthly fee is asked for once for each account and month, and taken when the account can cover it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client

from accounts import services
from accounts.models import Account, AccountFee
from accounts.rules.fees import Band, Operation, Tariff, flat
from accounts.services import account_fees, each
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account, set_test_fee
from tests.conftest import owner_rights
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
EARLY_APRIL = datetime(2026, 4, 1, 1, tzinfo=UTC)
EARLY_MAY = datetime(2026, 5, 1, 1, tzinfo=UTC)
OPENED = datetime(2026, 2, 10, 9, tzinfo=UTC)


@pytest.fixture
def five_euros(db: None) -> None:
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(5_00))


@pytest.fixture
def wallet(alice: User, five_euros: None) -> Account:
    """100.00 without overdraft since February."""
    return open_test_account(alice, "WAL-EUR", "100.00", OPENED)


def move(account: Account, minor: int, at: datetime) -> None:
    cash = ledger_queries.internal_account("1000", account.currency)
    ledger.post_entry(
        external_ref=uuid4(),
        legs=[ledger.Leg(account.ledger_account_id, minor), ledger.Leg(cash, -minor)],
        kind="test",
        description="Moved",
        source_kind="test",
        source_id="1",
        booked_at=at,
    )


def balance(account: Account) -> int:
    return ledger_queries.balance(account.ledger_account_id).posted


def income() -> int:
    return ledger_queries.balance(ledger_queries.internal_account("4100", "EUR")).posted


def ask(month: date = MARCH, now: datetime = EARLY_APRIL) -> services.Run:
    return services.ask_account_fees(month=month, now=now, seconds=PATIENCE)


def collect(now: datetime) -> services.Run:
    return services.collect_open_fees(now=now, seconds=PATIENCE)


def test_a_month_is_asked_for_and_taken_once(wallet: Account) -> None:
    assert ask() == services.Run(done=1, failed=0, left=0)
    assert (balance(wallet), income()) == (95_00, 5_00)
    assert ask() == services.Run(done=0, failed=0, left=0)
    assert (balance(wallet), income()) == (95_00, 5_00)
    line = ledger_queries.recent_lines(wallet.ledger_account_id, limit=1)[0]
    assert (line.kind, line.description, line.value_date) == ("fee", "Account fee, March 2026", APRIL)
    fee = AccountFee.objects.get()
    assert (fee.period, fee.amount_minor, fee.note, fee.collected_at) == (MARCH, 5_00, "€5.00", EARLY_APRIL)


def test_the_month_of_opening_is_free(alice: User, five_euros: None) -> None:
    account = open_test_account(alice, "WAL-EUR", "100.00", datetime(2026, 3, 1, tzinfo=UTC))
    later = open_test_account(alice, "WAL-EUR", "100.00", datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC))
    ask()
    assert (balance(account), balance(later)) == (100_00, 100_00)
    ask(APRIL, EARLY_MAY)
    assert (balance(account), balance(later)) == (95_00, 95_00)


def test_a_tier_is_chosen_by_the_balance_at_the_end_of_the_month(alice: User) -> None:
    """Free from 1,000.00 on; below it 4.00 and 0.1 per cent."""
    tariff = Tariff((Band(0, 4_00, Decimal("0.1")), Band(1_000_00, 0, Decimal(0))))
    set_test_fee("WAL-EUR", Operation.MONTHLY, tariff)
    rich, poor = (open_test_account(alice, "WAL-EUR", "600.00", OPENED) for _ in range(2))
    move(rich, 400_00, datetime(2026, 3, 31, 23, 59, tzinfo=UTC))
    move(poor, 400_00, datetime(2026, 4, 1, 0, 0, 1, tzinfo=UTC))
    assert ask() == services.Run(done=2, failed=0, left=0)
    # 4.00 + 0.1 % of 600.00 = 4.60.
    assert (balance(rich), balance(poor)) == (1_000_00, 995_40)
    assert AccountFee.objects.get(account=rich).amount_minor == 0
    assert AccountFee.objects.get(account=poor).note == "€4.00 and 0.1% of €600.00, for amounts below €1,000.00"


def test_the_fee_of_the_end_of_the_month_holds_for_all_of_it(wallet: Account, administrator: User) -> None:
    for day, minor in ((31, 7_00), (32, 9_00)):
        at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day - 1)
        services.set_fee(
            actor=administrator,
            product_code="WAL-EUR",
            operation=Operation.MONTHLY,
            tariff=flat(minor),
            reason="Board decision",
            valid_from=at,
            now=datetime(2026, 3, 2, tzinfo=UTC),
        )
    ask()
    assert balance(wallet) == 93_00
    ask(APRIL, EARLY_MAY)
    assert balance(wallet) == 84_00


def test_what_is_not_covered_waits_whole_and_is_taken_when_money_comes(wallet: Account) -> None:
    move(wallet, -97_00, datetime(2026, 3, 20, tzinfo=UTC))
    assert ask().done == 1
    assert (balance(wallet), income()) == (3_00, 0)
    told = OutboxEvent.objects.get(kind="account_fee_open")
    assert told.data["amount"] == "€5.00"
    ask(APRIL, EARLY_MAY)
    assert collect(EARLY_MAY + timedelta(hours=1)).done == 0
    move(wallet, 6_00, EARLY_MAY + timedelta(hours=2))
    # Nine euros cover one of two fees: the older one.
    assert collect(EARLY_MAY + timedelta(hours=3)).done == 1
    assert (balance(wallet), income()) == (4_00, 5_00)
    assert [fee.entry_id is None for fee in AccountFee.objects.order_by("period")] == [False, True]
    move(wallet, 1_00, EARLY_MAY + timedelta(hours=4))
    assert collect(EARLY_MAY + timedelta(hours=5)) == services.Run(done=1, failed=0, left=0)
    assert (balance(wallet), income()) == (0, 10_00)
    assert OutboxEvent.objects.filter(kind="account_fee_open").count() == 2


def test_a_fee_never_goes_past_the_floor(alice: User) -> None:
    for code in ("CUR-EUR", "SAV-EUR"):
        set_test_fee(code, Operation.MONTHLY, flat(5_00))
    overdrawn = open_test_account(alice, "CUR-EUR", "10.00", OPENED)
    savings = open_test_account(alice, "SAV-EUR", "100.00", OPENED)
    move(overdrawn, -506_00, OPENED + timedelta(days=1))
    move(savings, -46_00, OPENED + timedelta(days=1))
    ask()
    # 4.00 are left of the overdraft of 500.00, and 4.00 above the minimum of 50.00.
    assert (balance(overdrawn), balance(savings)) == (-496_00, 54_00)
    move(overdrawn, 1_00, EARLY_APRIL)
    move(savings, 1_00, EARLY_APRIL)
    assert collect(EARLY_APRIL + timedelta(hours=1)).done == 2
    assert (balance(overdrawn), balance(savings)) == (-500_00, 50_00)


def test_money_on_hold_does_not_pay_fees(wallet: Account) -> None:
    ledger.place_hold(
        external_ref=uuid4(),
        account_id=wallet.ledger_account_id,
        amount_minor=96_00,
        expires_at=EARLY_MAY,
        source_kind="test",
        source_id="1",
        now=OPENED,
    )
    ask()
    assert balance(wallet) == 100_00
    assert AccountFee.objects.open().count() == 1


def test_a_frozen_account_pays_after_its_release(wallet: Account, officer: User) -> None:
    services.freeze_account(actor=officer, account_id=wallet.pk, reason="Court order", now=EARLY_APRIL)
    assert ask().done == 1
    assert collect(EARLY_APRIL + timedelta(hours=1)) == services.Run(done=0, failed=0, left=0)
    services.unfreeze_account(actor=officer, account_id=wallet.pk, reason="Lifted", now=EARLY_APRIL)
    assert collect(EARLY_APRIL + timedelta(hours=2)).done == 1
    assert balance(wallet) == 95_00


def test_waits_until_an_hour_after_the_month(wallet: Account) -> None:
    with pytest.raises(services.PeriodNotAllowed):
        ask(now=datetime(2026, 4, 1, 0, 59, 59, tzinfo=UTC))
    assert balance(wallet) == 100_00


def test_products_without_a_fee_are_left_alone(alice: User) -> None:
    open_test_account(alice, "WAL-EUR", "10.00", OPENED)
    assert ask() == services.Run(done=0, failed=0, left=0)
    assert not AccountFee.objects.exists()


def test_a_fee_never_changes(wallet: Account) -> None:
    ask()
    for change in (
        lambda: AccountFee.objects.update(amount_minor=1),
        lambda: AccountFee.objects.update(entry_id=None, collected_at=None),
        AccountFee.objects.all().delete,
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_customer_and_the_bank_see_what_is_open(
    wallet: Account, alice: User, auditor: User, login: Callable[[User], Client]
) -> None:
    move(wallet, -97_00, datetime(2026, 3, 20, tzinfo=UTC))
    ask()
    page = login(alice).get(f"/accounts/{wallet.pk}/").content.decode()
    assert "Fees not paid yet" in page
    assert "Account, a month" in page
    listed = login(auditor).get("/admin/accounts/accountfee/?state=open").content.decode()
    assert "March 2026" in listed
    assert "March 2026" not in login(auditor).get("/admin/accounts/accountfee/?state=collected").content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["balance_on", "post_transfer", "save", "commit"])
def test_killed_before_any_step_it_goes_on_and_takes_once(alice: User, monkeypatch: Any, before: str) -> None:
    """The server loses its client between two steps, as it does when the worker is killed."""
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(5_00))
    wallets = [open_test_account(alice, "WAL-EUR", "100.00", OPENED) for _ in range(3)]
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
        "balance_on": (account_fees.ledger_queries, "balance_on"),
        "post_transfer": (account_fees.ledger, "post_transfer"),
    }.get(before, (AccountFee, "save"))
    monkeypatch.setattr(where, name, cut(getattr(where, name)))
    with pytest.raises(OperationalError):
        ask()
    connection.close()
    monkeypatch.undo()
    assert sorted(balance(wallet) for wallet in wallets) == [95_00, 100_00, 100_00]
    assert AccountFee.objects.count() == 1
    assert ask() == services.Run(done=2, failed=0, left=0)
    assert [balance(wallet) for wallet in wallets] == [95_00] * 3
    assert income() == 15_00


def at_once(work: Callable[[], object]) -> list[BaseException]:
    """Run `work` in two threads with connections of their own; what they raised."""
    problems: list[BaseException] = []

    def one() -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)
        finally:
            connection.close()

    workers = [threading.Thread(target=one) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=PATIENCE)
    return problems


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_share_the_work(alice: User) -> None:
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(5_00))
    wallets = [open_test_account(alice, "WAL-EUR", "100.00", OPENED) for _ in range(12)]
    results: list[services.Run] = []
    assert at_once(lambda: results.append(ask())) == []
    assert sum(result.done for result in results) == 12
    assert [(result.failed, result.left) for result in results] == [(0, 0)] * 2
    assert [balance(wallet) for wallet in wallets] == [95_00] * 12


@contextmanager
def unguarded(monkeypatch: Any) -> Iterator[None]:
    """No lock on the account, and both callers have looked before either writes."""
    both = threading.Barrier(2, timeout=PATIENCE)
    real = account_fees.fees.price

    def price(**given: Any) -> Any:
        both.wait()
        return real(**given)

    with monkeypatch.context() as patch:
        patch.setattr(each, "claim", lambda pk: Account.objects.select_related("product").get(pk=pk))
        patch.setattr(account_fees.fees, "price", price)
        yield


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_unique_constraint_still_holds(alice: User, monkeypatch: Any) -> None:
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(5_00))
    wallet = open_test_account(alice, "WAL-EUR", "100.00", OPENED)
    with unguarded(monkeypatch):
        assert at_once(ask) == []
    assert (balance(wallet), AccountFee.objects.count()) == (95_00, 1)


@pytest.mark.django_db(transaction=True)
def test_control_without_lock_and_constraint_a_fee_is_taken_twice(alice: User, monkeypatch: Any) -> None:
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(5_00))
    wallet = open_test_account(alice, "WAL-EUR", "100.00", OPENED)
    monkeypatch.setattr(account_fees, "uuid5", lambda *_: uuid4())
    with owner_rights() as cursor:
        cursor.execute("ALTER TABLE accounts_accountfee DROP CONSTRAINT accounts_accountfee_once")
    try:
        with unguarded(monkeypatch):
            assert at_once(ask) == []
        assert (balance(wallet), AccountFee.objects.count()) == (90_00, 2)
    finally:
        with owner_rights() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM accounts_accountfee")
            cursor.execute("SET session_replication_role = origin")
            cursor.execute(
                "ALTER TABLE accounts_accountfee ADD CONSTRAINT accounts_accountfee_once UNIQUE (account_id, period)"
            )
