"""The portal's account pages, tried as owner, as stranger, and as staff."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts import queries, services
from accounts.models import Account, Status
from common.money import Money
from identity.models import User
from kyc.models import State
from tests.accounts.factories import open_test_account
from tests.kyc.factories import ApplicationFactory, approve_kyc
from tests.payments.factories import PIN, give_pin

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]

PAGES = ["", "opened/", "statement/", "statement.csv", "statement.ofx", "statement.xml", "statements/", "close/"]


@pytest.fixture
def account(alice: User) -> Account:
    return open_test_account(alice, amount="1234.56")


def text_of(response: Any) -> str:
    return response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_the_owner_sees_a_page_and_a_stranger_gets_404(
    login: Login, alice: User, charlie: User, account: Account, page: str
) -> None:
    url = f"/accounts/{account.pk}/{page}"
    assert login(alice).get(url).status_code == 200
    assert login(charlie).get(url).status_code == 404
    assert login(alice).get(f"/accounts/{uuid4()}/{page}").status_code == 404


@pytest.mark.parametrize("page", ["", "open/", "open/CUR-EUR/"])
def test_visitors_are_sent_to_the_login_and_staff_to_the_back_office(login: Login, auditor: User, page: str) -> None:
    visitor = Client().get(f"/accounts/{page}")
    assert visitor.status_code == 302
    assert visitor.headers["Location"].startswith("/auth/login/")
    staff = login(auditor).get(f"/accounts/{page}")
    assert (staff.status_code, staff.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("page", ["name/", "close/"])
def test_a_stranger_changes_nothing(login: Login, charlie: User, account: Account, page: str) -> None:
    assert login(charlie).post(f"/accounts/{account.pk}/{page}", {"nickname": "Mine"}).status_code == 404
    account.refresh_from_db()
    assert (account.nickname, account.status) == ("", Status.ACTIVE)


def test_the_list_has_an_empty_state(login: Login, charlie: User) -> None:
    page = text_of(login(charlie).get("/accounts/"))
    assert "Open your first account" in page


def test_the_list_takes_the_same_queries_for_one_account_and_for_five(
    login: Login, alice: User, account: Account, django_assert_num_queries: Any
) -> None:
    client = login(alice)
    client.get("/accounts/")
    with django_assert_num_queries(6) as first:
        client.get("/accounts/")
    for _ in range(4):
        open_test_account(alice)
    with django_assert_num_queries(len(first.captured_queries)):
        client.get("/accounts/")


def test_the_detail_page_shows_balance_number_and_postings(login: Login, alice: User, account: Account) -> None:
    page = text_of(login(alice).get(f"/accounts/{account.pk}/"))
    assert "€1,234.56" in page
    assert "€1,734.56" in page
    assert account.grouped_number in page
    assert "Opening deposit, Current account" in page


def test_frozen_and_closed_accounts_say_so(login: Login, alice: User, officer: User, account: Account) -> None:
    services.freeze_account(actor=officer, account_id=account.pk, reason="Secret inquiry", now=timezone.now())
    page = text_of(login(alice).get(f"/accounts/{account.pk}/"))
    assert "This account is frozen" in page
    assert "Secret inquiry" not in page
    assert "Close this account" not in page
    services.unfreeze_account(actor=officer, account_id=account.pk, reason="Done", now=timezone.now())
    other = open_test_account(alice)
    services.close_account(actor=alice, account_id=account.pk, payout_account_id=other.pk, now=timezone.now())
    assert "This account is closed" in text_of(login(alice).get(f"/accounts/{account.pk}/"))
    assert "Closed accounts" in text_of(login(alice).get("/accounts/"))


def test_an_owner_names_the_account(login: Login, alice: User, account: Account) -> None:
    client = login(alice)
    assert client.post(f"/accounts/{account.pk}/name/", {"nickname": "Household"}).status_code == 302
    assert "Household" in text_of(client.get("/accounts/"))
    refused = client.post(f"/accounts/{account.pk}/name/", {"nickname": "<script>"})
    assert refused.status_code == 422
    assert "Use up to 40 letters" in text_of(refused)


def test_opening_needs_an_approved_identity_check(login: Login, bob: User) -> None:
    client = login(bob)
    page = text_of(client.get("/accounts/open/"))
    assert "We need to know who you are first" in page
    assert "/kyc/" in page
    assert client.get("/accounts/open/CUR-EUR/").headers["Location"] == "/accounts/open/"
    posted = client.post(
        "/accounts/open/CUR-EUR/",
        {"amount": "50.00", "source": "sandbox", "client_id": str(uuid4()), "confirm": "yes"},
    )
    assert posted.status_code == 422
    assert "identity check" in text_of(posted)
    assert not Account.objects.exists()


def test_who_has_sent_an_application_is_not_asked_for_another(login: Login, bob: User) -> None:
    ApplicationFactory(user=bob, state=State.PENDING, submitted_at=timezone.now())
    page = text_of(login(bob).get("/accounts/open/"))
    assert "We are checking your documents" in page
    assert "We need to know who you are first" not in page


def test_opens_an_account_step_by_step_and_once(login: Login, bob: User) -> None:
    approve_kyc(bob)
    client = login(bob)
    form = text_of(client.get("/accounts/open/SAV-EUR/"))
    client_id = re.search(r'name="client_id" value="([0-9a-f-]+)"', form)
    assert client_id
    given = {"amount": "100.00", "source": "sandbox", "client_id": client_id.group(1)}
    review = text_of(client.post("/accounts/open/SAV-EUR/", given))
    assert "Open with €100.00" in review
    assert not Account.objects.exists()
    first = client.post("/accounts/open/SAV-EUR/", {**given, "confirm": "yes"})
    again = client.post("/accounts/open/SAV-EUR/", {**given, "confirm": "yes"})
    account = Account.objects.get()
    assert first.headers["Location"] == again.headers["Location"] == f"/accounts/{account.pk}/opened/"
    assert account.grouped_number in text_of(client.get(first.headers["Location"]))


def test_pays_the_opening_from_an_own_account_after_a_review(login: Login, alice: User, account: Account) -> None:
    client = login(alice)
    given = {"amount": "34.56", "source": str(account.pk), "client_id": str(uuid4())}
    assert "€1,200.00" in text_of(client.post("/accounts/open/WAL-EUR/", given))
    changed = text_of(client.post("/accounts/open/WAL-EUR/", {**given, "change": "yes"}))
    assert 'value="34.56"' in changed
    client.post("/accounts/open/WAL-EUR/", {**given, "confirm": "yes"})
    assert queries.holding_of(account).posted == Money(1200_00, "EUR")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("99.99", "opens with at least €100.00"),
        ("-5", "Enter an amount such as 250.00"),
        ("0", "Enter an amount above zero"),
        ("1e3", "Enter an amount such as 250.00"),
        ("NaN", "Enter an amount such as 250.00"),
        ("100.001", "EUR has 2 decimals at most"),
        ("999999999999999", "This amount is too large"),
        ("", "This field is required"),
    ],
)
def test_bad_amounts_are_refused_beside_their_field(login: Login, bob: User, amount: str, text: str) -> None:
    approve_kyc(bob)
    given = {"amount": amount, "source": "sandbox", "client_id": str(uuid4()), "confirm": "yes"}
    answer = login(bob).post("/accounts/open/SAV-EUR/", given)
    assert answer.status_code == 422
    assert text in text_of(answer)
    assert not Account.objects.exists()


def test_somebody_elses_account_is_no_source(login: Login, bob: User, account: Account) -> None:
    approve_kyc(bob)
    given = {"amount": "50.00", "source": str(account.pk), "client_id": str(uuid4()), "confirm": "yes"}
    assert login(bob).post("/accounts/open/WAL-EUR/", given).status_code == 422
    assert Account.objects.count() == 1


def test_without_sandbox_and_money_there_is_nothing_to_open_with(login: Login, bob: User, settings: Any) -> None:
    settings.SANDBOX = False
    approve_kyc(bob)
    assert "There is nothing to pay the opening deposit from" in text_of(login(bob).get("/accounts/open/CUR-EUR/"))


def test_an_unknown_product_is_not_found(login: Login, bob: User) -> None:
    approve_kyc(bob)
    assert login(bob).get("/accounts/open/GOLD-EUR/").status_code == 404


def test_a_statement_shows_the_period_and_refuses_nonsense(login: Login, alice: User, account: Account) -> None:
    client = login(alice)
    page = text_of(client.get(f"/accounts/{account.pk}/statement/"))
    assert "Closing balance" in page
    assert "+€1,234.56" in page
    quiet = text_of(client.get(f"/accounts/{account.pk}/statement/?since=2026-01-01&until=2026-01-31"))
    assert "There are no postings in this period" in quiet
    for since, until in [
        ("2026-02-01", "2026-01-01"),
        ("x", "2026-01-01"),
        ("2020-01-01", "2026-01-01"),
        ("0001-01-01", "0001-01-02"),
        ("9999-12-31", "9999-12-31"),
    ]:
        for page_name in ("statement/", "statement.csv"):
            answer = client.get(f"/accounts/{account.pk}/{page_name}?since={since}&until={until}")
            assert answer.status_code == 422, (since, until)


def test_closing_moves_the_rest_and_asks_first(login: Login, alice: User, account: Account) -> None:
    client = login(alice)
    assert "you have no other EUR account" in text_of(client.get(f"/accounts/{account.pk}/close/"))
    other = open_test_account(alice, amount="10.00")
    without = text_of(client.get(f"/accounts/{account.pk}/close/"))
    assert "You have no transaction PIN yet" in without
    assert f'href="/security/pin/?next=%2Faccounts%2F{account.pk}%2Fclose%2F"' in without
    give_pin(alice)
    assert "Move €1,234.56 and close" in text_of(client.get(f"/accounts/{account.pk}/close/"))
    assert client.post(f"/accounts/{account.pk}/close/", {}).status_code == 422
    told = {"payout": str(other.pk), "expected_minor": "123456", "pin": PIN}
    assert client.post(f"/accounts/{account.pk}/close/", told).status_code == 302
    assert queries.holding_of(other).posted == Money(1244_56, "EUR")
    account.refresh_from_db()
    assert account.status == Status.CLOSED


def test_a_get_never_closes(login: Login, alice: User, account: Account) -> None:
    login(alice).get(f"/accounts/{account.pk}/close/?payout={account.pk}")
    account.refresh_from_db()
    assert account.status == Status.ACTIVE
