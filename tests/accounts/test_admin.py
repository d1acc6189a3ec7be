"""Accounts in the back office, and its start page, tried as every role."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Account, Product, ReferenceRate, Status
from audit.models import AuditEvent
from identity.models import User
from identity.permissions import ROLE_PERMISSIONS, Role
from ledger import queries as ledger
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.kyc.factories import approve_kyc
from tests.payments.factories import case_of, held_payment

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
STAFF = [role for role in Role if role is not Role.CUSTOMER]


@pytest.fixture
def account(alice: User) -> Account:
    return open_test_account(alice, amount="1234.56")


@pytest.fixture
def as_role(login: Login) -> Callable[[Role], Client]:
    return lambda role: login(make_user(f"{role.value}-{uuid4()}@bank.example", role))


def url(account: Account, page: str) -> str:
    return f"/admin/accounts/account/{account.pk}/{page}"


@pytest.mark.parametrize("role", STAFF)
def test_pages_open_by_the_permission_table(as_role: Any, account: Account, role: Role) -> None:
    client = as_role(role)
    held = ROLE_PERMISSIONS[role]
    expected = {
        "/admin/": 200,
        "/admin/accounts/account/": 200 if "account_view" in held else 403,
        url(account, "change/"): 200 if "account_view" in held else 403,
        url(account, "freeze/"): 200 if "account_freeze" in held else 403,
        url(account, "close/"): 200 if "account_close" in held else 403,
        "/admin/accounts/product/": 200 if "account_view" in held else 403,
        "/admin/accounts/product/add/": 200 if "product_edit" in held else 403,
        "/admin/accounts/referencerate/USD/change/": 200 if "account_view" in held else 403,
        "/admin/accounts/account/add/": 403,
        url(account, "delete/"): 403,
    }
    assert {path: client.get(path).status_code for path in expected} == expected


def test_customers_do_not_enter(login: Login, alice: User, account: Account) -> None:
    for path in ("/admin/", url(account, "change/"), url(account, "freeze/")):
        assert login(alice).get(path).status_code in {302, 403}


def test_shows_holder_balance_and_postings(as_role: Any, account: Account) -> None:
    page = as_role(Role.AUDITOR).get(url(account, "change/")).content.decode()
    for text in ("Alice Archer (alice@example.com)", "€1,234.56", "Opening deposit, Current account"):
        assert text in page


def test_an_officer_freezes_and_releases_with_a_reason(as_role: Any, account: Account) -> None:
    client = as_role(Role.COMPLIANCE)
    assert client.post(url(account, "freeze/"), {"reason": ""}).status_code == 422
    account.refresh_from_db()
    assert account.status == Status.ACTIVE
    assert client.post(url(account, "freeze/"), {"reason": "Court order"}).status_code == 302
    account.refresh_from_db()
    assert account.status == Status.FROZEN
    assert client.post(url(account, "unfreeze/"), {"reason": "Lifted"}).status_code == 302
    account.refresh_from_db()
    assert account.status == Status.ACTIVE
    assert AuditEvent.objects.get(action="account.frozen").reason == "Court order"


def test_a_get_never_decides_and_an_auditor_cannot_post(as_role: Any, account: Account) -> None:
    as_role(Role.COMPLIANCE).get(url(account, "freeze/"))
    assert as_role(Role.AUDITOR).post(url(account, "freeze/"), {"reason": "Because"}).status_code == 403
    account.refresh_from_db()
    assert account.status == Status.ACTIVE


def test_an_account_with_money_stays_open_and_says_why(as_role: Any, account: Account) -> None:
    answer = as_role(Role.ADMINISTRATOR).post(url(account, "close/"), {"reason": "Asked by letter"})
    assert answer.status_code == 422
    assert "still holds money" in answer.content.decode()


def test_the_list_takes_constant_queries(
    as_role: Any, alice: User, account: Account, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client = as_role(Role.AUDITOR)
    client.get("/admin/accounts/account/")
    with django_assert_max_num_queries(25) as first:
        client.get("/admin/accounts/account/")
    for _ in range(4):
        open_test_account(alice)
    with django_assert_num_queries(len(first.captured_queries)):
        client.get("/admin/accounts/account/")


def test_product_and_rate_changes_are_audited(as_role: Any) -> None:
    client = as_role(Role.ADMINISTRATOR)
    answer = client.post("/admin/accounts/referencerate/USD/change/", {"rate_to_base": "0.95", "as_of": "2026-11-20"})
    assert answer.status_code == 302
    assert ReferenceRate.objects.get(pk="USD").rate_to_base == Decimal("0.95")
    event = AuditEvent.objects.get(action="reference_rate.changed")
    assert event.data["after"]["rate_to_base"] == "0.95"
    assert event.data["before"]["rate_to_base"].startswith("0.92")


def test_a_product_keeps_its_code_and_its_terms_make_sense(as_role: Any) -> None:
    client = as_role(Role.ADMINISTRATOR)
    given = {
        "code": "HACK",
        "name": "Savings",
        "kind": "WALLET",
        "currency": "USD",
        "min_opening_minor": "20",
        "min_balance_minor": "50.00",
        "overdraft_minor": "0",
        "interest_rate": "2.75",
        "overdraft_rate": "0",
        "day_count": "ACT/ACT",
        "compounding": "DAILY",
        "dormant_after_days": "365",
        "description": "",
        "is_open": "on",
    }
    refused = client.post("/admin/accounts/product/SAV-EUR/change/", given)
    assert "The opening deposit must cover the minimum balance" in refused.content.decode()
    assert (
        client.post("/admin/accounts/product/SAV-EUR/change/", {**given, "min_opening_minor": "60.00"}).status_code
        == 302
    )
    product = Product.objects.get(pk="SAV-EUR")
    assert (product.currency, product.kind, product.min_opening_minor) == ("EUR", "SAVINGS", 6000)
    assert (product.day_count, product.compounding) == ("ACT/ACT", "DAILY")
    assert as_role(Role.AUDITOR).post("/admin/accounts/product/SAV-EUR/change/", given).status_code == 403


def test_a_product_that_makes_no_sense_says_so_beside_the_amount(as_role: Any) -> None:
    client = as_role(Role.ADMINISTRATOR)
    page = client.get("/admin/accounts/product/SAV-EUR/change/").content.decode()
    assert 'name="min_opening_minor" value="100.00"' in page
    assert "Changed terms hold for accounts opened from then on." in page
    given = {"name": "Savings", "min_opening_minor": "1e3", "min_balance_minor": "0", "overdraft_minor": "-1"}
    given |= {"overdraft_rate": "0", "day_count": "ACT/365", "compounding": "NONE", "dormant_after_days": "0"}
    given["min_balance_minor"] = "0.005"
    answer = client.post("/admin/accounts/product/SAV-EUR/change/", {**given, "interest_rate": "1"})
    errors = answer.context["adminform"].form.errors
    assert set(errors) == {"min_opening_minor", "overdraft_minor", "min_balance_minor"}
    assert errors["min_balance_minor"] == ["EUR has 2 decimals at most."]
    zero = client.post("/admin/accounts/product/SAV-EUR/change/", {**given, "min_opening_minor": "0.00"})
    assert zero.context["adminform"].form.errors["min_opening_minor"] == ["Enter an amount above zero."]


def test_an_auditor_reads_the_terms_as_amounts(as_role: Any) -> None:
    page = as_role(Role.AUDITOR).get("/admin/accounts/product/SAV-EUR/change/").content.decode()
    assert "€100.00" in page
    assert "minor units" not in page


def test_changed_terms_hold_for_accounts_opened_from_then_on(as_role: Any, alice: User, account: Account) -> None:
    Product.objects.filter(pk="CUR-EUR").update(interest_rate="1.50", overdraft_minor=0)
    later = open_test_account(alice, amount="50.00")
    account.refresh_from_db()
    assert (account.interest_rate, Decimal(later.interest_rate)) == (Decimal("0.00"), Decimal("1.50"))
    floors = [ledger.balance(each.ledger_account_id).floor for each in (account, later)]
    assert floors == [-500_00, 0]


def test_of_two_who_freeze_one_wins_and_the_other_is_told(as_role: Any, account: Account) -> None:
    first, second = as_role(Role.COMPLIANCE), as_role(Role.COMPLIANCE)
    assert [client.get(url(account, "freeze/")).status_code for client in (first, second)] == [200, 200]
    assert first.post(url(account, "freeze/"), {"reason": "Court order"}).status_code == 302
    late = second.post(url(account, "freeze/"), {"reason": "Court order too"})
    assert late.status_code == 422
    assert "This account is frozen now, so nothing was changed." in late.content.decode()
    assert AuditEvent.objects.filter(action="account.frozen").count() == 1
    buttons = second.get(url(account, "change/")).content.decode()
    assert url(account, "unfreeze") in buttons
    assert url(account, "freeze") not in buttons


def test_the_start_page_leads_straight_to_what_waits(as_role: Any, account: Account) -> None:
    bob = make_user("bob@example.com", Role.CUSTOMER, name="Bob Baker")
    case = case_of(held_payment(account.owner, account, open_test_account(bob)))
    officer = as_role(Role.COMPLIANCE).get("/admin/").content.decode()
    assert f"/admin/fraud/case/{case.pk}/change/" in officer
    assert "€25.00 from Alice Archer" in officer
    assert "Held payments</p>" not in officer
    teller = as_role(Role.TELLER).get("/admin/").content.decode()
    assert str(case.pk) not in teller
    assert "Held payments" in teller


def test_the_start_page_shows_each_role_its_own_work(as_role: Any, account: Account) -> None:
    teller = as_role(Role.TELLER).get("/admin/").content.decode()
    officer = as_role(Role.COMPLIANCE).get("/admin/").content.decode()
    assert "Identity checks to decide" in officer
    assert "Open fraud cases" in officer
    assert "Identity checks to decide" not in teller
    assert "Customer balances" in teller
    assert "€1,234.56" in teller


def test_recent_decisions_are_ones_own_or_all_for_those_who_read_the_trail(as_role: Any, account: Account) -> None:
    officer = as_role(Role.COMPLIANCE)
    officer.post(url(account, "freeze/"), {"reason": "Court order 99"})
    assert "Court order 99" in officer.get("/admin/").content.decode()
    assert "Court order 99" in as_role(Role.AUDITOR).get("/admin/").content.decode()
    assert "Court order 99" not in as_role(Role.TELLER).get("/admin/").content.decode()


def test_the_navigation_has_only_what_a_role_may_open(as_role: Any) -> None:
    teller = as_role(Role.TELLER).get("/admin/").content.decode()
    assert 'href="/admin/accounts/account/"' in teller
    assert "/admin/ledger/entry/" not in teller
    assert "/admin/ledger/entry/" in as_role(Role.AUDITOR).get("/admin/").content.decode()


def test_a_teller_opens_an_account_with_cash_once(as_role: Any, bob: User) -> None:
    approve_kyc(bob)
    client = as_role(Role.TELLER)
    path = "/admin/accounts/account/open-at-counter/"
    assert client.get(path).status_code == 200
    given = {
        "client_id": str(uuid4()),
        "email": "Bob@example.com",
        "product": "SAV-EUR",
        "amount": "99.99",
    }
    refused = client.post(path, given)
    assert refused.status_code == 422
    assert "opens with at least €100.00" in refused.content.decode()
    assert "no active customer" in client.post(path, {**given, "email": "nobody@example.com"}).content.decode()
    assert client.post(path, {**given, "amount": "120.00"}).status_code == 302
    assert client.post(path, {**given, "amount": "120.00"}).status_code == 302
    account = Account.objects.get()
    assert (account.owner, account.opening_source, account.opening_minor) == (bob, "CASH", 120_00)
    for role in (Role.AUDITOR, Role.COMPLIANCE, Role.ADMINISTRATOR):
        assert as_role(role).get(path).status_code == 403
