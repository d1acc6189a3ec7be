"""Staff do without a month's fee: once, with a reason, and not on an account of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts import queries, services
from accounts.models import Account, AccountFee, FeeWaiver
from accounts.rules.fees import Operation, flat
from audit.models import AuditEvent
from common.money import Money
from identity.models import User
from identity.permissions import Role
from identity.services import PermissionMissing
from ledger import queries as ledger_queries
from ledger import services as ledger
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account, set_test_fee
from tests.conftest import make_user
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db
OPENED = datetime(2026, 2, 10, 9, tzinfo=UTC)
EARLY_APRIL = datetime(2026, 4, 1, 1, tzinfo=UTC)
NOON = EARLY_APRIL + timedelta(hours=11)


@pytest.fixture(autouse=True)
def five_euros(db: None) -> None:
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(5_00))


def ask() -> None:
    services.ask_account_fees(month=date(2026, 3, 1), now=EARLY_APRIL, seconds=PATIENCE)


@pytest.fixture
def collected(alice: User) -> AccountFee:
    """5.00 taken from an account that held 100.00."""
    open_test_account(alice, "WAL-EUR", "100.00", OPENED)
    ask()
    return AccountFee.objects.select_related("account").get()


@pytest.fixture
def still_open(alice: User) -> AccountFee:
    """5.00 that an account of 2.00 cannot cover."""
    open_test_account(alice, "WAL-EUR", "2.00", OPENED)
    ask()
    return AccountFee.objects.select_related("account").get()


def waive(fee: AccountFee, teller: User, reason: str = "Our mistake") -> FeeWaiver:
    return services.waive_account_fee(actor=teller, fee_id=fee.pk, reason=reason, now=NOON)


def balance(account: Account) -> int:
    return ledger_queries.balance(account.ledger_account_id).posted


def income() -> int:
    return ledger_queries.balance(ledger_queries.internal_account("4100", "EUR")).posted


def test_a_collected_fee_goes_back_once(collected: AccountFee, teller: User) -> None:
    assert (balance(collected.account), income()) == (95_00, 5_00)
    waiver = waive(collected, teller)
    assert (balance(collected.account), income()) == (100_00, 0)
    line = ledger_queries.recent_lines(collected.account.ledger_account_id, limit=1)[0]
    assert (line.kind, line.description) == ("reversal", "Account fee given back, March 2026")
    assert waiver.refund_entry_id == line.entry_id
    with pytest.raises(services.FeeNotOwed):
        waive(collected, teller)
    assert balance(collected.account) == 100_00


def test_an_open_fee_is_not_taken_any_more(still_open: AccountFee, teller: User) -> None:
    assert waive(still_open, teller).refund_entry_id is None
    ledger.post_transfer(
        external_ref=still_open.account.pk,
        debit_account_id=ledger_queries.internal_account("1000", "EUR"),
        credit_account_id=still_open.account.ledger_account_id,
        amount_minor=50_00,
        kind="deposit",
        description="Paid in",
        source_kind="test",
        source_id="1",
        booked_at=NOON,
    )
    assert services.collect_open_fees(now=NOON, seconds=PATIENCE).done == 0
    assert balance(still_open.account) == 52_00
    assert queries.fees.open_fees(still_open.account) == Money(0, "EUR")


def test_it_is_told_and_kept(collected: AccountFee, teller: User) -> None:
    waive(collected, teller, reason="  Long queue  ")
    event = AuditEvent.objects.get(action="fee.waived")
    assert (event.subject_id, event.reason, event.data["month"], event.data["amount_minor"]) == (
        str(collected.account_id),
        "Long queue",
        "2026-03",
        5_00,
    )
    assert OutboxEvent.objects.get(kind="account_fee_waived").data["amount"] == "€5.00"
    for change in (lambda: FeeWaiver.objects.update(waived_at=EARLY_APRIL), FeeWaiver.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_who_may_not(collected: AccountFee, alice: User, officer: User, teller: User) -> None:
    with pytest.raises(services.UnknownAccount):
        waive(collected, alice)
    with pytest.raises(services.ReasonRequired):
        waive(collected, teller, reason=" ")
    with pytest.raises(services.UnknownFee):
        services.waive_account_fee(actor=teller, fee_id=0, reason="Our mistake", now=NOON)
    with pytest.raises(PermissionMissing):
        waive(collected, officer)
    assert not FeeWaiver.objects.exists()


def test_nobody_waives_an_own_fee(teller: User) -> None:
    open_test_account(teller, "WAL-EUR", "100.00", OPENED)
    ask()
    with pytest.raises(services.NotYourOwn):
        waive(AccountFee.objects.get(), teller)


def test_money_does_not_go_back_to_a_frozen_account(collected: AccountFee, teller: User, officer: User) -> None:
    services.freeze_account(actor=officer, account_id=collected.account_id, reason="Court order", now=NOON)
    with pytest.raises(services.AccountFrozen):
        waive(collected, teller)
    assert not FeeWaiver.objects.exists()
    services.unfreeze_account(actor=officer, account_id=collected.account_id, reason="Lifted", now=NOON)
    waive(collected, teller)
    assert balance(collected.account) == 100_00


def test_a_month_without_a_fee_has_nothing_to_waive(alice: User, teller: User) -> None:
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(0))
    open_test_account(alice, "WAL-EUR", "100.00", OPENED)
    ask()
    with pytest.raises(services.FeeNotOwed):
        waive(AccountFee.objects.get(), teller)


def test_a_teller_waives_it_in_the_back_office(collected: AccountFee, login: Callable[[User], Client]) -> None:
    browser = login(make_user("second@bank.example", Role.TELLER, name="Tom Teller"))
    address = reverse("admin:accounts_accountfee_change", args=[collected.pk])
    deed = f"{address.removesuffix('change/')}waive/"
    assert deed in browser.get(address).content.decode()
    asked = browser.get(deed).content.decode()
    assert "The money goes back to the account." in asked
    assert browser.post(deed, {"reason": "Our mistake"}).status_code == 302
    page = browser.get(address).content.decode()
    assert "Given back" in page
    assert "Tom Teller" in page
    assert deed not in page
    again = browser.post(deed, {"reason": "Our mistake"})
    assert "nothing to waive" in again.content.decode()
    listed = browser.get(reverse("admin:accounts_accountfee_changelist"), {"state": "waived"})
    assert [fee.pk for fee in listed.context["cl"].result_list] == [collected.pk]
