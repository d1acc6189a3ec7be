"""Accounts that their owners leave alone sleep after a warning, and wake by PIN or by staff; credits still arrive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Account, Product, Status
from accounts.rules.fees import Operation, flat
from accounts.services import dormancy, steps
from audit.models import AuditEvent
from common.errors import Forbidden
from identity import services as identity
from identity.models import User
from ledger import queries as ledger
from notifications.models import OutboxEvent
from payments import services as payments
from payments.models import Channel
from payments.models import Status as PaymentStatus
from tests.accounts.factories import open_test_account, set_test_fee
from tests.accounts.test_account_fees import at_once
from tests.patience import PATIENCE
from tests.payments.factories import PIN, give_pin, pay

pytestmark = pytest.mark.django_db
OPENED = datetime(2025, 1, 10, 9, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.fixture
def account(alice: User) -> Account:
    """100.00 in a current account since January 2025, of a product whose accounts sleep after a year."""
    Product.objects.filter(pk="CUR-EUR").update(dormant_after_days=365)
    give_pin(alice)
    return open_test_account(alice, "CUR-EUR", "100.00", OPENED)


def night(now: datetime) -> tuple[int, int]:
    """What the end of a day does: owners warned, accounts put to sleep."""
    warned, marked = services.warn_silent(now=now, seconds=PATIENCE), services.mark_dormant(now=now, seconds=PATIENCE)
    assert (warned.failed, warned.left, marked.failed, marked.left) == (0, 0, 0, 0)
    return warned.done, marked.done


def state(account: Account) -> str:
    return Account.objects.get(pk=account.pk).status


def sleep(account: Account) -> datetime:
    """Let a year pass; the moment at which the account fell asleep."""
    night(OPENED + YEAR - timedelta(days=30))
    assert night(OPENED + YEAR) == (0, 1)
    return OPENED + YEAR


def told(user: User) -> list[str]:
    kinds = ("account_silent", "account_dormant", "account_reactivated")
    return sorted(OutboxEvent.objects.filter(user=user, kind__in=kinds).values_list("kind", flat=True))


def test_warned_thirty_days_before_and_told_when_it_sleeps(account: Account, alice: User) -> None:
    assert night(OPENED + YEAR - timedelta(days=31)) == (0, 0)
    assert night(OPENED + YEAR - timedelta(days=30)) == (1, 0)
    assert night(OPENED + YEAR - timedelta(days=29)) == (0, 0)
    assert OutboxEvent.objects.get(kind="account_silent").data["day"] == "10 Jan 2026"
    assert night(OPENED + YEAR - timedelta(seconds=1)) == (0, 0)
    assert night(OPENED + YEAR) == (0, 1)
    assert night(OPENED + YEAR + timedelta(days=1)) == (0, 0)
    assert state(account) == Status.DORMANT
    assert told(alice) == ["account_dormant", "account_silent"]
    assert AuditEvent.objects.get(action="account.dormant").data["last_used"] == OPENED.isoformat()


def test_no_account_sleeps_without_thirty_days_of_warning(account: Account) -> None:
    """As when the bank sets a number of days on a product whose accounts have been silent for years."""
    late = OPENED + 3 * YEAR
    assert night(late) == (1, 0)
    assert OutboxEvent.objects.get(kind="account_silent").data["day"] == "9 Feb 2028"
    assert night(late + timedelta(days=29)) == (0, 0)
    assert night(late + timedelta(days=30)) == (0, 1)


def test_a_product_without_a_number_never_sleeps(alice: User) -> None:
    Product.objects.filter(pk="WAL-EUR").update(dormant_after_days=0)
    open_test_account(alice, "WAL-EUR", "5.00", OPENED)
    assert night(OPENED + 40 * YEAR) == (0, 0)


def test_what_the_owner_does_counts_and_what_comes_by_itself_does_not(
    account: Account, alice: User, bob: User, teller: User
) -> None:
    other = open_test_account(alice, "CUR-EUR", "100.00", OPENED)
    bobs = open_test_account(bob, "SAV-EUR", "900.00", OPENED)
    later = OPENED + timedelta(days=200)

    def active(which: Account) -> datetime:
        return Account.objects.get(pk=which.pk).active_at

    assert pay(bob, bobs, account, "5.00", now=later).status == PaymentStatus.COMPLETED
    with transaction.atomic():
        payments.deposit_from_integrator_within(
            actor=bob,
            scopes=["deposits:write"],
            account_number=account.number,
            amount="5.00",
            client_id=uuid4(),
            now=later,
        )
    set_test_fee("CUR-EUR", Operation.MONTHLY, flat(1_00))
    services.ask_account_fees(month=later.date(), now=later + timedelta(days=60), seconds=PATIENCE)
    services.post_interest(month=later.date(), now=later + timedelta(days=60), seconds=PATIENCE)
    assert active(account) == OPENED

    pay(alice, account, bobs, "1.00", now=later)
    assert active(account) == later
    with transaction.atomic():
        payments.deposit_cash_within(
            actor=teller, account_number=other.number, amount="5.00", client_id=uuid4(), now=later
        )
    assert active(other) == later
    own = later + timedelta(days=2)
    payments.submit_own_transfer(
        actor=alice,
        debit_account_id=account.pk,
        credit_account_id=other.pk,
        amount="1.00",
        client_id=uuid4(),
        channel=Channel.PORTAL,
        now=own,
    )
    assert (active(account), active(other)) == (own, own)


@pytest.mark.parametrize("submit", [payments.submit_each_within, payments.submit_all_within])
def test_many_paid_at_once_count_as_use_and_wait_for_a_dormant_account(
    account: Account, alice: User, bob: User, submit: Callable[..., Any]
) -> None:
    bobs = open_test_account(bob, "SAV-EUR", "900.00", OPENED)
    item = payments.BatchItem(client_id=uuid4(), payee_number=bobs.number, payee_name="Bob Baker", amount="1.00")
    later = OPENED + timedelta(days=200)

    def pay_many(now: datetime) -> None:
        with transaction.atomic():
            submit(actor=alice, debit_account_id=account.pk, items=[item], channel=Channel.API, now=now)

    pay_many(later)
    assert Account.objects.get(pk=account.pk).active_at == later
    night(later + YEAR - timedelta(days=30))
    night(later + YEAR)
    with pytest.raises(payments.AccountNotUsable):
        pay_many(later + YEAR)


def test_activity_after_the_warning_begins_a_new_silence(account: Account, alice: User, bob: User) -> None:
    bobs = open_test_account(bob, "SAV-EUR", "900.00", OPENED)
    warned = OPENED + YEAR - timedelta(days=30)
    assert night(warned) == (1, 0)
    pay(alice, account, bobs, "1.00", now=warned + timedelta(days=5))
    assert night(OPENED + YEAR) == (0, 0)
    again = warned + timedelta(days=5) + YEAR - timedelta(days=30)
    assert night(again) == (1, 0)
    assert night(again + timedelta(days=30)) == (0, 1)


def test_no_money_leaves_a_dormant_account_by_its_owners_ways(account: Account, alice: User, bob: User) -> None:
    at = sleep(account)
    bobs = open_test_account(bob, "SAV-EUR", "900.00", OPENED)
    savings = open_test_account(alice, "SAV-EUR", "200.00", OPENED)
    facts: dict[str, Any] = {"actor": alice, "debit_account_id": account.pk, "amount": "1.00", "now": at}
    iban = "DE89370400440532013000"
    ways: list[Callable[[], object]] = [
        lambda: pay(alice, account, bobs, "1.00", now=at),
        lambda: payments.submit_own_transfer(
            **facts, credit_account_id=savings.pk, client_id=uuid4(), channel=Channel.API
        ),
        lambda: payments.withdraw(**facts, iban=iban, client_id=uuid4(), channel=Channel.API),
        lambda: payments.review_withdrawal(**facts, iban=iban),
        lambda: payments.draft_standing_order(**facts, iban=iban, first_date=at.date()),
    ]
    for way in ways:
        with pytest.raises(payments.AccountNotUsable) as refusal:
            way()
        assert refusal.value.error_code == "account_dormant"
        assert "Reactivate" in refusal.value.text
    with pytest.raises(services.AccountDormant):
        services.close_account(actor=alice, account_id=account.pk, payout_account_id=savings.pk, now=at)


def test_credits_interest_and_fees_still_reach_it(account: Account, bob: User, teller: User) -> None:
    at = sleep(account)
    bobs = open_test_account(bob, "SAV-EUR", "900.00", OPENED)
    assert pay(bob, bobs, account, "5.00", now=at).status == PaymentStatus.COMPLETED
    payments.deposit_cash(
        actor=teller, account_number=account.number, amount="10.00", client_id=uuid4(), now=at + timedelta(days=1)
    )
    set_test_fee("CUR-EUR", Operation.MONTHLY, flat(1_00))
    services.ask_account_fees(month=at.date(), now=at + timedelta(days=60), seconds=PATIENCE)
    assert ledger.balance(account.ledger_account_id).posted == 114_00
    assert state(account) == Status.DORMANT


def test_the_owner_wakes_it_with_the_pin(account: Account, alice: User, bob: User, charlie: User) -> None:
    at = sleep(account)
    give_pin(charlie)
    with pytest.raises(services.UnknownAccount):
        services.reactivate_account(actor=charlie, account_id=account.pk, pin=PIN, now=at)
    with pytest.raises(identity.WrongPin):
        services.reactivate_account(actor=alice, account_id=account.pk, pin="9173", now=at)
    assert state(account) == Status.DORMANT
    services.reactivate_account(actor=alice, account_id=account.pk, pin=PIN, now=at)
    with pytest.raises(services.StatusNotAllowed):
        services.reactivate_account(actor=alice, account_id=account.pk, pin=PIN, now=at)
    assert "account_reactivated" in told(alice)
    assert AuditEvent.objects.get(action="account.reactivated").actor == alice
    bobs = open_test_account(bob, "SAV-EUR", "900.00", OPENED)
    assert pay(alice, account, bobs, "1.00", now=at).status == PaymentStatus.COMPLETED
    assert night(at + YEAR - timedelta(days=31)) == (0, 0)


def test_staff_wake_it_with_a_reason_and_never_their_own(account: Account, teller: User, auditor: User) -> None:
    at = sleep(account)
    with pytest.raises(Forbidden):
        services.reactivate_for_customer(actor=auditor, account_id=account.pk, reason="At the desk", now=at)
    with pytest.raises(services.ReasonRequired):
        services.reactivate_for_customer(actor=teller, account_id=account.pk, reason=" ", now=at)
    services.reactivate_for_customer(actor=teller, account_id=account.pk, reason="At the desk", now=at)
    event = AuditEvent.objects.get(action="account.reactivated")
    assert (event.actor, event.reason, state(account)) == (teller, "At the desk", Status.ACTIVE)


def test_a_dormant_account_can_be_frozen_and_sleeps_again_after_its_release(account: Account, officer: User) -> None:
    at = sleep(account)
    services.freeze_account(actor=officer, account_id=account.pk, reason="Court order", now=at)
    assert state(account) == Status.FROZEN
    services.unfreeze_account(actor=officer, account_id=account.pk, reason="Lifted", now=at)
    assert night(at + timedelta(days=1)) == (0, 1)


def test_the_database_guards_the_state(account: Account) -> None:
    rows = Account.objects.filter(pk=account.pk)
    now = OPENED + YEAR
    wrong: list[dict[str, Any]] = [
        {"status": "DORMANT"},
        {"status": "DORMANT", "dormant_at": now},
        {"dormant_at": now},
    ]
    for values in wrong:
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**values)
    sleep(account)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(status="CLOSED", closed_at=now, dormant_at=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        Product.objects.filter(pk="CUR-EUR").update(dormant_after_days=59)


def test_pages_and_api_of_a_dormant_account(
    account: Account, alice: User, login: Callable[[User], Client], api: Callable[[User], APIClient]
) -> None:
    sleep(account)
    client = login(alice)
    assert "Reactivate it" in client.get(f"/accounts/{account.pk}/").content.decode()
    assert "Last used by you" in client.get(f"/accounts/{account.pk}/reactivate/").content.decode()
    wrong = client.post(f"/accounts/{account.pk}/reactivate/", {"pin": "9173"})
    assert (wrong.status_code, state(account)) == (422, Status.DORMANT)
    told = api(alice).post(f"/api/v1/accounts/{account.pk}/reactivate", {"pin": "9173"}, format="json")
    assert (told.status_code, told.json()["code"]) == (422, "wrong_pin")
    assert client.post(f"/accounts/{account.pk}/reactivate/", {"pin": PIN}).status_code == 302
    assert state(account) == Status.ACTIVE
    assert client.get(f"/accounts/{account.pk}/reactivate/").status_code == 302
    again = api(alice).post(f"/api/v1/accounts/{account.pk}/reactivate", {"pin": PIN}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "status_not_allowed")


def test_the_api_wakes_an_account(account: Account, alice: User, api: Callable[[User], APIClient]) -> None:
    sleep(account)
    answer = api(alice).post(f"/api/v1/accounts/{account.pk}/reactivate", {"pin": PIN}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, "ACTIVE")


def test_the_back_office_finds_and_wakes_it(account: Account, teller: User, login: Callable[[User], Client]) -> None:
    sleep(account)
    client = login(teller)
    listed = client.get("/admin/accounts/account/?status__exact=DORMANT").content.decode()
    assert account.grouped_number in listed
    assert "Dormant" in listed
    page = f"/admin/accounts/account/{account.pk}/reactivate/"
    assert "Last used" in client.get(page).content.decode()
    assert client.post(page, {"reason": "At the desk"}).status_code == 302
    assert state(account) == Status.ACTIVE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["save", "record", "notify"])
def test_killed_before_any_step_it_goes_on_and_tells_once(alice: User, monkeypatch: Any, before: str) -> None:
    Product.objects.filter(pk="CUR-EUR").update(dormant_after_days=365)
    for _ in range(3):
        open_test_account(alice, "CUR-EUR", "100.00", OPENED)
    night(OPENED + YEAR - timedelta(days=30))
    calls = 0

    def cut(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 2:
                connection.connection.close()
                raise OperationalError("killed")
            return real(*given, **named)

        return step

    where, name = {"save": (Account, "save"), "record": (dormancy.audit, "record")}.get(
        before, (steps.notifications, "notify")
    )
    monkeypatch.setattr(where, name, cut(getattr(where, name)))
    with pytest.raises(OperationalError):
        services.mark_dormant(now=OPENED + YEAR, seconds=PATIENCE)
    connection.close()
    monkeypatch.undo()
    assert Account.objects.filter(status=Status.DORMANT).count() == 1
    assert night(OPENED + YEAR) == (0, 2)
    assert told(alice).count("account_dormant") == 3


@pytest.mark.django_db(transaction=True)
def test_two_nights_at_once_tell_each_owner_once(alice: User) -> None:
    Product.objects.filter(pk="CUR-EUR").update(dormant_after_days=365)
    for _ in range(8):
        open_test_account(alice, "CUR-EUR", "100.00", OPENED)
    results: list[tuple[int, int]] = []
    assert at_once(lambda: results.append(night(OPENED + YEAR - timedelta(days=30)))) == []
    assert at_once(lambda: results.append(night(OPENED + YEAR))) == []
    assert [sum(column) for column in zip(*results, strict=True)] == [8, 8]
    assert told(alice) == ["account_dormant"] * 8 + ["account_silent"] * 8
