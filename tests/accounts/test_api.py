"""The accounts API, tried as owner, stranger and nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts import queries
from accounts.models import Account
from common.money import Money
from identity.models import User
from tests.accounts.factories import open_test_account
from tests.kyc.factories import approve_kyc

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]

BASE = "/api/v1/accounts/"


@pytest.fixture
def account(alice: User) -> Account:
    return open_test_account(alice, amount="1000.00")


def post(client: APIClient, body: dict[str, Any], key: str = "") -> Any:
    return client.post(BASE, body, format="json", headers={"Idempotency-Key": key or str(uuid4())})


def test_lists_only_the_callers_accounts(api: Api, alice: User, charlie: User, account: Account) -> None:
    answer = api(alice).get(BASE)
    assert answer.status_code == 200
    found = answer.data["results"][0]
    assert (found["id"], found["balance"], found["available"]) == (str(account.pk), "1000.00", "1500.00")
    assert api(charlie).get(BASE).data["results"] == []


def test_filters_the_list(api: Api, alice: User, account: Account) -> None:
    open_test_account(alice, product="WAL-USD", amount="5.00")
    client = api(alice)
    assert [row["currency"] for row in client.get(BASE, {"currency": "usd"}).data["results"]] == ["USD"]
    assert [row["product"] for row in client.get(BASE, {"kind": "CURRENT"}).data["results"]] == ["CUR-EUR"]
    assert client.get(BASE, {"status": "CLOSED"}).data["results"] == []
    assert client.get(BASE, {"status": "MELTED"}).status_code == 400


def test_the_list_takes_constant_queries(
    api: Api, alice: User, account: Account, django_assert_num_queries: Any
) -> None:
    for _ in range(4):
        open_test_account(alice)
    with django_assert_num_queries(3):
        assert len(api(alice).get(BASE).data["results"]) == 5


@pytest.mark.parametrize("path", ["", "balance", "statement"])
def test_a_stranger_gets_404_and_nobody_gets_401(
    api: Api, alice: User, charlie: User, auditor: User, account: Account, path: str
) -> None:
    url = f"{BASE}{account.pk}/{path}"
    assert api(alice).get(url).status_code == 200
    for stranger in (charlie, auditor):
        answer = api(stranger).get(url)
        assert (answer.status_code, answer.data["code"]) == (404, "unknown_account")
    assert api(None).get(url).status_code == 401


@pytest.mark.parametrize("path", ["", "balance", "statement"])
def test_nothing_but_reading_is_offered_on_one_account(api: Api, alice: User, account: Account, path: str) -> None:
    client = api(alice)
    for method in ("put", "patch", "delete"):
        assert getattr(client, method)(f"{BASE}{account.pk}/{path}", {"status": "CLOSED"}).status_code == 405


def test_gives_the_balance(api: Api, alice: User, account: Account) -> None:
    assert api(alice).get(f"{BASE}{account.pk}/balance").data == {
        "currency": "EUR",
        "balance": "1000.00",
        "held": "0.00",
        "available": "1500.00",
    }


def test_gives_a_statement_with_both_days_included(api: Api, alice: User, account: Account) -> None:
    day = account.opened_at.date().isoformat()
    answer = api(alice).get(f"{BASE}{account.pk}/statement", {"from": day, "to": day})
    assert (answer.data["opening"], answer.data["closing"]) == ("0.00", "1000.00")
    assert (answer.data["first_day"], answer.data["last_day"]) == (day, day)
    assert [line["amount"] for line in answer.data["lines"]] == ["1000.00"]


@pytest.mark.parametrize(
    ("period", "status"),
    [
        ({"from": "2026-02-30"}, 400),
        ({"from": "2026-02-02", "to": "2026-01-01"}, 422),
        ({"from": "2020-01-01", "to": "2026-01-01"}, 422),
        ({"from": "0001-01-01", "to": "0001-01-02"}, 422),
        ({"to": "9999-12-31"}, 422),
    ],
)
def test_refuses_bad_periods(api: Api, alice: User, account: Account, period: dict[str, str], status: int) -> None:
    answer = api(alice).get(f"{BASE}{account.pk}/statement", period)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_opens_an_account_and_replays_byte_for_byte(api: Api, bob: User) -> None:
    approve_kyc(bob)
    client, key = api(bob), str(uuid4())
    body = {"product": "SAV-EUR", "amount": "150.00", "source": "SANDBOX"}
    first = post(client, body, key)
    assert first.status_code == 201, first.content
    assert (first.data["balance"], first.data["available"]) == ("150.00", "100.00")
    again = post(client, body, key)
    assert (again.status_code, again.content) == (201, first.content)
    assert Account.objects.count() == 1
    assert post(client, {**body, "amount": "151.00"}, key).status_code == 422


def test_opening_needs_an_idempotency_key(api: Api, bob: User) -> None:
    approve_kyc(bob)
    answer = api(bob).post(BASE, {"product": "SAV-EUR", "amount": "150.00", "source": "SANDBOX"})
    assert (answer.status_code, answer.data["code"]) == (400, "idempotency_key_missing")


def test_pays_from_an_own_account(api: Api, alice: User, account: Account) -> None:
    body = {"product": "WAL-EUR", "amount": "1.50", "source": "OWN_ACCOUNT", "source_account": str(account.pk)}
    assert post(api(alice), body).status_code == 201
    assert queries.holding_of(account).posted == Money(998_50, "EUR")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount": "-1"}, 422, "invalid_amount"),
        ({"amount": "0"}, 422, "invalid_amount"),
        ({"amount": "0.001"}, 422, "invalid_amount"),
        ({"amount": "1e309"}, 422, "invalid_amount"),
        ({"amount": "NaN"}, 422, "invalid_amount"),
        ({"amount": "1,000"}, 422, "invalid_amount"),
        ({"amount": "9" * 18}, 422, "invalid_amount"),
        ({"amount": 12.5}, 400, "validation_error"),
        ({"amount": "99.99"}, 422, "below_minimum_opening"),
        ({"product": "GOLD-EUR"}, 404, "unknown_product"),
        ({"source": "CASH"}, 400, "validation_error"),
        ({"source": "OWN_ACCOUNT"}, 400, "validation_error"),
        ({"source_account": str(uuid4())}, 400, "validation_error"),
        ({"source": "OWN_ACCOUNT", "source_account": str(uuid4())}, 404, "unknown_account"),
    ],
)
def test_refuses_bad_openings(api: Api, bob: User, changes: dict[str, Any], status: int, code: str) -> None:
    approve_kyc(bob)
    answer = post(api(bob), {"product": "SAV-EUR", "amount": "150.00", "source": "SANDBOX", **changes})
    assert (answer.status_code, answer.data["code"]) == (status, code), answer.data
    assert not Account.objects.exists()


def test_extra_fields_change_nothing(api: Api, bob: User, alice: User) -> None:
    approve_kyc(bob)
    body = {
        "product": "SAV-EUR",
        "amount": "150.00",
        "source": "SANDBOX",
        "owner": alice.pk,
        "balance": "9",
        "status": "CLOSED",
    }
    made = post(api(bob), body)
    account = Account.objects.get()
    assert (account.owner, account.status, made.data["balance"]) == (bob, "ACTIVE", "150.00")


def test_opening_needs_an_approved_identity_check(api: Api, charlie: User) -> None:
    answer = post(api(charlie), {"product": "SAV-EUR", "amount": "150.00", "source": "SANDBOX"})
    assert (answer.status_code, answer.data["code"]) == (409, "kyc_required")


def test_products_are_public(api: Api) -> None:
    answer = api(None).get("/api/v1/products/")
    assert [row["code"] for row in answer.data] == ["BUS-EUR", "CUR-EUR", "SAL-EUR", "SAV-EUR", "WAL-EUR", "WAL-USD"]
    assert answer.data[3]["min_balance"] == "50.00"
