"""Freeze, unfreeze, close and name: who may, when, and what the ledger says afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts import queries, services
from accounts.models import Account, Status
from audit.models import AuditEvent
from common.money import CurrencyMismatch, Money
from identity.models import User
from identity.services import PermissionMissing
from ledger import queries as ledger_queries
from ledger import services as ledger
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> Account:
    return open_test_account(alice, amount="1000.00")


def freeze(actor: User, account: Account, reason: str = "Court order 17") -> Account:
    return services.freeze_account(actor=actor, account_id=account.pk, reason=reason, now=timezone.now())


def unfreeze(actor: User, account: Account, reason: str = "Order lifted") -> Account:
    return services.unfreeze_account(actor=actor, account_id=account.pk, reason=reason, now=timezone.now())


def close(actor: User, account: Account, **more: Any) -> Account:
    return services.close_account(actor=actor, account_id=account.pk, now=timezone.now(), **more)


def move_out(account: Account, minor: int) -> None:
    with transaction.atomic():
        ledger.post_transfer(
            external_ref=uuid4(),
            debit_account_id=account.ledger_account_id,
            credit_account_id=ledger_queries.internal_account("1000", account.currency),
            amount_minor=minor,
            kind="test",
            description="Out",
            source_kind="test",
            source_id="1",
            booked_at=timezone.now(),
        )


def test_a_frozen_account_moves_no_money_in_the_ledger_either(account: Account, officer: User) -> None:
    freeze(officer, account)
    assert Account.objects.get(pk=account.pk).status == Status.FROZEN
    with pytest.raises(ledger.AccountNotUsable):
        move_out(account, 1)
    unfreeze(officer, account)
    move_out(account, 1)
    assert queries.holding_of(account).posted == Money(999_99, "EUR")


def test_a_freeze_keeps_the_reason_from_the_owner(account: Account, officer: User) -> None:
    freeze(officer, account, reason="  Suspicion of fraud  ")
    event = AuditEvent.objects.get(action="account.frozen")
    assert (event.actor, event.reason) == (officer, "Suspicion of fraud")
    assert "reason" not in OutboxEvent.objects.get(kind="account_frozen").data


@pytest.mark.parametrize("who", ["alice", "bob", "teller", "auditor", "administrator"])
def test_only_holders_of_the_permission_freeze(account: Account, who: str, request: pytest.FixtureRequest) -> None:
    actor = request.getfixturevalue(who)
    with pytest.raises((PermissionMissing, services.UnknownAccount)):
        freeze(actor, account)
    assert Account.objects.get(pk=account.pk).status == Status.ACTIVE


def test_an_officer_cannot_decide_about_their_own_account(officer: User) -> None:
    own = open_test_account(officer)
    with pytest.raises(services.NotYourOwn):
        freeze(officer, own)


def test_a_decision_needs_a_reason(account: Account, officer: User) -> None:
    with pytest.raises(services.ReasonRequired):
        freeze(officer, account, reason="  ")


def test_refuses_to_freeze_twice_or_to_unfreeze_what_is_not_frozen(account: Account, officer: User) -> None:
    with pytest.raises(services.StatusNotAllowed):
        unfreeze(officer, account)
    freeze(officer, account)
    with pytest.raises(services.StatusNotAllowed):
        freeze(officer, account)


def test_the_owner_closes_an_empty_account(account: Account, alice: User) -> None:
    move_out(account, 1000_00)
    closed = close(alice, account)
    assert closed.status == Status.CLOSED
    assert closed.closed_at is not None
    with pytest.raises(ledger.AccountNotUsable):
        ledger.post_transfer(
            external_ref=uuid4(),
            debit_account_id=ledger_queries.internal_account("1000", "EUR"),
            credit_account_id=account.ledger_account_id,
            amount_minor=1,
            kind="test",
            description="In",
            source_kind="test",
            source_id="1",
            booked_at=timezone.now(),
        )


def test_closing_moves_the_rest_with_the_minimum_balance_to_an_own_account(account: Account, alice: User) -> None:
    savings = open_test_account(alice, product="SAV-EUR", amount="120.00")
    close(alice, savings, payout_account_id=account.pk)
    assert queries.holding_of(savings).posted == Money(0, "EUR")
    assert queries.holding_of(account).posted == Money(1120_00, "EUR")
    assert queries.recent_lines(account)[0].description == f"Balance of closed account {savings.masked_number}"


def test_refuses_to_close_with_money_and_nowhere_to_put_it(account: Account, alice: User) -> None:
    with pytest.raises(services.AccountNotEmpty) as caught:
        close(alice, account)
    assert caught.value.data == {"posted_minor": 1000_00, "held_minor": 0}


def test_refuses_to_close_with_money_on_hold(account: Account, alice: User) -> None:
    other = open_test_account(alice)
    now = timezone.now()
    with transaction.atomic():
        ledger.place_hold(
            external_ref=uuid4(),
            account_id=account.ledger_account_id,
            amount_minor=10,
            expires_at=now + timedelta(hours=1),
            source_kind="test",
            source_id="1",
            now=now,
        )
    with pytest.raises(services.AccountNotEmpty):
        close(alice, account, payout_account_id=other.pk)


def test_refuses_to_close_an_overdrawn_account(account: Account, alice: User) -> None:
    other = open_test_account(alice)
    move_out(account, 1000_01)
    with pytest.raises(services.AccountOwes):
        close(alice, account, payout_account_id=other.pk)


def test_refuses_a_payout_to_somebody_else_to_itself_or_in_another_currency(
    account: Account, alice: User, bob: User
) -> None:
    foreign = open_test_account(bob)
    dollars = open_test_account(alice, product="WAL-USD", amount="5.00")
    for wrong, error in [
        (foreign.pk, services.UnknownAccount),
        (account.pk, services.UnknownAccount),
        (uuid4(), services.UnknownAccount),
        (dollars.pk, CurrencyMismatch),
    ]:
        with pytest.raises(error):
            close(alice, account, payout_account_id=wrong)
    assert queries.holding_of(account).posted == Money(1000_00, "EUR")


def test_a_frozen_account_cannot_be_closed(account: Account, alice: User, officer: User) -> None:
    freeze(officer, account)
    with pytest.raises(services.AccountFrozen):
        close(alice, account)


def test_a_stranger_does_not_learn_that_the_account_exists(account: Account, charlie: User) -> None:
    for call in (
        lambda: close(charlie, account),
        lambda: services.rename_account(actor=charlie, account_id=account.pk, nickname="Mine"),
        lambda: queries.get_account_for(actor=charlie, account_id=account.pk),
        lambda: freeze(charlie, account),
    ):
        with pytest.raises(services.UnknownAccount):
            call()


def test_staff_close_with_a_reason_and_the_permission(account: Account, administrator: User, teller: User) -> None:
    move_out(account, 1000_00)
    with pytest.raises(PermissionMissing):
        close(teller, account, reason="Asked at the counter")
    with pytest.raises(services.ReasonRequired):
        close(administrator, account)
    assert close(administrator, account, reason="Asked by letter").status == Status.CLOSED


def test_a_closed_account_stays_closed_in_the_table(account: Account, alice: User) -> None:
    move_out(account, 1000_00)
    close(alice, account)
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        Account.objects.filter(pk=account.pk).update(status="ACTIVE", closed_at=None)


def test_names_an_account(account: Account, alice: User) -> None:
    services.rename_account(actor=alice, account_id=account.pk, nickname="  Rent &   food ")
    assert queries.accounts_for(alice)[0].name == "Rent & food"
    for wrong in ["<b>", "x" * 41, "a;b"]:
        with pytest.raises(services.InvalidNickname):
            services.rename_account(actor=alice, account_id=account.pk, nickname=wrong)


def test_finds_accounts_for_debit(account: Account, alice: User, charlie: User, officer: User) -> None:
    assert queries.get_debitable_for(actor=alice, account_id=account.pk) == account
    with transaction.atomic():
        assert services.lock_debitable_for(actor=alice, account_id=account.pk) == account
    with pytest.raises(services.UnknownAccount):
        queries.get_debitable_for(actor=charlie, account_id=account.pk)
    freeze(officer, account)
    with pytest.raises(services.AccountFrozen):
        queries.get_debitable_for(actor=alice, account_id=account.pk)
