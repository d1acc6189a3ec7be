"""Opening an account: worked amounts, who may, and what happens when the same request comes twice."""

from __future__ import annotations

from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import queries, services
from accounts.models import Account
from accounts.rules import numbers
from audit.models import AuditEvent
from common.money import CurrencyMismatch, Money
from identity.models import User
from identity.services import PermissionMissing
from ledger import queries as ledger
from ledger.services import InsufficientFunds
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account
from tests.kyc.factories import approve_kyc

pytestmark = pytest.mark.django_db


def open_for(user: User, **changes: Any) -> services.OpenedAccount:
    asked: dict[str, Any] = {
        "actor": user,
        "owner": user,
        "product_code": "CUR-EUR",
        "opening": Money(250_00, "EUR"),
        "source": services.sandbox(),
        "client_id": uuid4(),
        "now": timezone.now(),
    }
    return services.open_account(**{**asked, **changes})


@pytest.fixture
def known(alice: User) -> User:
    approve_kyc(alice)
    return alice


def test_pays_the_opening_deposit_from_the_settlement_account(known: User) -> None:
    settlement = ledger.internal_account("1100", "EUR")
    before = ledger.balance(settlement).posted
    opened = open_for(known)
    holding = queries.holding_of(opened.account)
    assert not opened.replayed
    assert (holding.posted, holding.held) == (Money(250_00, "EUR"), Money(0, "EUR"))
    # The overdraft of 500.00 can be used on top.
    assert holding.available == Money(750_00, "EUR")
    assert ledger.balance(settlement).posted == before - 250_00


def test_savings_keep_their_minimum_balance(known: User) -> None:
    account = open_for(known, product_code="SAV-EUR", opening=Money(100_00, "EUR")).account
    holding = queries.holding_of(account)
    assert holding.available == Money(50_00, "EUR")
    assert holding.min_balance == Money(50_00, "EUR")
    assert holding.overdraft is None


def test_pays_the_opening_deposit_from_an_own_account(known: User) -> None:
    first = open_test_account(known, amount="1000.00")
    savings = open_for(
        known, product_code="SAV-EUR", opening=Money(300_00, "EUR"), source=services.own_account(first.pk)
    ).account
    assert queries.holding_of(first).posted == Money(700_00, "EUR")
    assert queries.holding_of(savings).posted == Money(300_00, "EUR")
    assert savings.opening_account_id == first.pk


def test_takes_cash_at_the_counter_of_a_teller(known: User, teller: User) -> None:
    cash = ledger.internal_account("1000", "EUR")
    before = ledger.balance(cash).posted
    account = open_for(teller, owner=known, source=services.cash()).account
    assert account.owner == known
    assert account.opened_by == teller
    assert ledger.balance(cash).posted == before - 250_00


def test_leaves_a_trail_and_tells_the_owner(known: User) -> None:
    account = open_for(known).account
    event = AuditEvent.objects.get(action="account.opened", subject_id=str(account.pk))
    assert event.actor == known
    assert event.data["opening_minor"] == 250_00
    notice = OutboxEvent.objects.get(kind="account_opened", user=known)
    assert notice.data == {
        "account": account.masked_number,
        "url": f"/accounts/{account.pk}/",
        "amount": "€250.00",
    }


def test_refuses_a_customer_whose_identity_is_not_confirmed(alice: User) -> None:
    with pytest.raises(services.KycRequired):
        open_for(alice)
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("product", "minor"), [("CUR-EUR", 9_99), ("SAV-EUR", 99_99), ("SAL-EUR", 99), ("WAL-EUR", 99)]
)
def test_refuses_an_opening_deposit_a_cent_below_the_minimum(known: User, product: str, minor: int) -> None:
    with pytest.raises(services.OpeningBelowMinimum) as caught:
        open_for(known, product_code=product, opening=Money(minor, "EUR"))
    assert caught.value.field == "amount"
    assert caught.value.data == {"minimum_minor": minor + 1}
    assert open_for(known, product_code=product, opening=Money(minor + 1, "EUR")).account.product_id == product


def test_refuses_another_currency_than_the_products(known: User) -> None:
    with pytest.raises(CurrencyMismatch):
        open_for(known, product_code="WAL-USD")


def test_refuses_a_payer_in_another_currency(known: User) -> None:
    dollars = open_test_account(known, product="WAL-USD", amount="50.00")
    with pytest.raises(CurrencyMismatch) as caught:
        open_for(known, source=services.own_account(dollars.pk))
    assert caught.value.field == "source"


def test_refuses_more_than_the_payer_has_and_opens_nothing(known: User) -> None:
    wallet = open_test_account(known, product="WAL-EUR", amount="20.00")
    with pytest.raises(InsufficientFunds):
        open_for(known, opening=Money(20_01, "EUR"), source=services.own_account(wallet.pk))
    assert list(Account.objects.all()) == [wallet]
    assert queries.holding_of(wallet).posted == Money(20_00, "EUR")


def test_refuses_somebody_elses_account_as_payer(known: User, bob: User) -> None:
    foreign = open_test_account(bob)
    with pytest.raises(services.UnknownAccount):
        open_for(known, source=services.own_account(foreign.pk))


def test_refuses_a_frozen_payer(known: User, officer: User) -> None:
    payer = open_test_account(known)
    services.freeze_account(actor=officer, account_id=payer.pk, reason="Check", now=timezone.now())
    with pytest.raises(services.AccountFrozen):
        open_for(known, source=services.own_account(payer.pk))


def test_refuses_sandbox_money_outside_a_sandbox(known: User, settings: Any) -> None:
    settings.SANDBOX = False
    with pytest.raises(services.FundingNotAllowed):
        open_for(known)


def test_refuses_cash_from_a_customer_and_from_a_teller_for_themselves(known: User, teller: User) -> None:
    with pytest.raises(PermissionMissing):
        open_for(known, source=services.cash())
    approve_kyc(teller)
    with pytest.raises(services.NotYourOwn):
        open_for(teller, source=services.cash())


def test_refuses_to_open_for_somebody_else_without_the_permission(known: User, bob: User, auditor: User) -> None:
    for actor in (bob, auditor):
        with pytest.raises(PermissionMissing):
            open_for(actor, owner=known)


def test_refuses_unknown_and_withdrawn_products(known: User, as_owner: Any) -> None:
    with pytest.raises(services.UnknownProduct):
        open_for(known, product_code="GOLD-EUR")
    queries.Product.objects.filter(pk="CUR-EUR").update(is_open=False)
    with pytest.raises(services.UnknownProduct):
        open_for(known)


def test_the_same_client_id_opens_one_account(known: User) -> None:
    client_id = uuid4()
    first = open_for(known, client_id=client_id)
    second = open_for(known, client_id=client_id)
    assert (second.account, second.replayed) == (first.account, True)
    assert queries.holding_of(first.account).posted == Money(250_00, "EUR")
    assert OutboxEvent.objects.filter(kind="account_opened").count() == 1


def test_the_same_client_id_with_other_content_is_a_conflict(known: User) -> None:
    client_id = uuid4()
    open_for(known, client_id=client_id)
    with pytest.raises(services.ClientIdReused):
        open_for(known, client_id=client_id, opening=Money(251_00, "EUR"))


def test_two_customers_may_choose_the_same_client_id(known: User, bob: User) -> None:
    approve_kyc(bob)
    client_id = uuid4()
    first = open_for(known, client_id=client_id).account
    second = open_for(bob, client_id=client_id).account
    assert first.owner == known
    assert second.owner == bob


def test_tries_another_number_when_one_is_taken(known: User) -> None:
    taken = UUID(int=77)
    with mock.patch("accounts.services.opening.uuid4", side_effect=[taken]):
        first = open_for(known).account
    assert first.number == numbers.from_uuid(taken)
    with mock.patch("accounts.services.opening.uuid4", side_effect=[taken, UUID(int=78)]):
        second = open_for(known).account
    assert second.number == numbers.from_uuid(UUID(int=78))


def test_gives_up_when_every_number_is_taken(known: User) -> None:
    taken = UUID(int=77)
    with mock.patch("accounts.services.opening.uuid4", return_value=taken):
        open_for(known)
        with pytest.raises(RuntimeError, match="no free account number"):
            open_for(known)
    assert Account.objects.count() == 1


def test_a_review_refuses_what_opening_refuses_and_does_nothing(known: User) -> None:
    payer = open_test_account(known, amount="100.00")
    review = services.review_opening(
        actor=known,
        owner=known,
        product_code="CUR-EUR",
        opening=Money(40_00, "EUR"),
        source=services.own_account(payer.pk),
    )
    assert review.payer_after == Money(60_00, "EUR")
    with pytest.raises(InsufficientFunds):
        services.review_opening(
            actor=known,
            owner=known,
            product_code="CUR-EUR",
            opening=Money(600_01, "EUR"),
            source=services.own_account(payer.pk),
        )
    assert Account.objects.count() == 1


def test_the_database_keeps_what_an_account_was_opened_with(known: User) -> None:
    account = open_for(known).account
    for field, value in [("number", "BP00000000000000"), ("currency", "USD"), ("opening_minor", 1)]:
        with pytest.raises(Exception, match=r"(?i)cannot update"), transaction.atomic():
            Account.objects.filter(pk=account.pk).update(**{field: value})
    with pytest.raises(Exception, match=r"(?i)cannot delete"), transaction.atomic():
        Account.objects.filter(pk=account.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(pk=account.pk).update(status="CLOSED")
