"""An account that a loan still needs does not close, whoever asks; once the loan ended, it does."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Account, Status
from accounts.queries.closing import settlement
from identity.models import User
from identity.permissions import Role
from ledger import queries as ledger
from loans import services
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.loans.factories import applied, customer_with_a_past, noon, running_loan
from tests.payments.factories import PIN

pytestmark = pytest.mark.django_db
IN_USE = "A loan (Personal loan) is collected from this account until it is paid off."


@pytest.fixture
def current(alice: User) -> Account:
    return customer_with_a_past(alice)


@pytest.fixture
def other(alice: User) -> Account:
    return open_test_account(alice, "WAL-EUR", "1.00", noon())


def close(account: Account, other: Account) -> Account:
    return accounts.close_account(actor=account.owner, account_id=account.pk, payout_account_id=other.pk, now=noon())


def test_a_running_loan_keeps_its_account_open(alice: User, current: Account, other: Account) -> None:
    loan = running_loan(alice, current)
    held = ledger.balance(current.ledger_account_id).posted

    with pytest.raises(accounts.AccountInUse) as refusal:
        close(current, other)

    assert refusal.value.text == IN_USE
    assert ledger.balance(current.ledger_account_id).posted == held
    assert Account.objects.get(pk=current.pk).status == Status.ACTIVE
    services.pay_off(actor=alice, loan_id=loan.pk, quoted_minor=loan.principal_minor, client_id=uuid4(), now=noon())
    assert close(current, other).status == Status.CLOSED


def test_an_application_under_way_does_too_until_it_is_withdrawn(alice: User, current: Account, other: Account) -> None:
    application = applied(alice, current)

    with pytest.raises(accounts.AccountInUse, match="Withdraw the application first"):
        close(current, other)

    services.withdraw(actor=alice, application_id=application.pk, now=noon())
    assert close(current, other).status == Status.CLOSED


def test_another_account_of_the_same_borrower_closes(alice: User, current: Account, other: Account) -> None:
    running_loan(alice, current)

    assert close(other, current).status == Status.CLOSED


def test_the_portal_says_so_instead_of_asking_for_the_pin(
    alice: User, current: Account, other: Account, login: Callable[[User], Client]
) -> None:
    running_loan(alice, current)
    client, page = login(alice), reverse("accounts:close", args=[current.pk])

    shown = client.get(page).content.decode()
    forced = client.post(
        page, {"pin": PIN, "expected_minor": settlement(current, now=noon()).rest.amount_minor, "payout": other.pk}
    )

    assert IN_USE in shown
    assert 'name="pin"' not in shown
    assert forced.status_code == 422
    assert Account.objects.get(pk=current.pk).status == Status.ACTIVE


def test_the_back_office_says_so_beside_the_decision(
    alice: User, current: Account, other: Account, login: Callable[[User], Client]
) -> None:
    running_loan(alice, current)
    client = login(make_user("desk@bank.example", Role.ADMINISTRATOR, name="Dee Desk"))
    page = reverse("admin:accounts_account_close", args=[current.pk])

    shown = client.get(page).content.decode()
    answer = client.post(page, {"reason": "Asked by letter", "payout": str(other.pk)})

    assert IN_USE in shown
    assert IN_USE in answer.content.decode()
    assert Account.objects.get(pk=current.pk).status == Status.ACTIVE


def test_the_api_names_it(alice: User, current: Account, other: Account, api: Callable[[User], APIClient]) -> None:
    running_loan(alice, current)
    client = api(alice)

    shown = client.get(f"/api/v1/accounts/{current.pk}/closing").json()
    answer = client.post(
        f"/api/v1/accounts/{current.pk}/close",
        {"pin": PIN, "expected_rest": shown["rest"], "payout_account": str(other.pk)},
        format="json",
        headers={"Idempotency-Key": str(uuid4())},
    )

    assert shown["obstacles"] == [IN_USE]
    assert (answer.status_code, answer.json()["code"]) == (409, "account_in_use")
