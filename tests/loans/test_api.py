"""The loans API, from the price to the pay-off; every money POST once, whatever comes twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from identity.models import User
from loans import services
from loans.models import Loan
from tests.accounts.factories import open_test_account
from tests.loans.factories import granted
from tests.payments.factories import PIN, give_pin, posted

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
API = "/api/v1/loans"


def send(client: APIClient, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    return client.post(f"{API}{path}", body or {}, format="json", headers={"Idempotency-Key": key or uuid4().hex})


def test_prices_are_open_to_everybody(api: Api) -> None:
    client = api(None)
    products = client.get(f"{API}/products").json()
    monthly = {product["code"]: (product["every"], product["frequency"]) for product in products}
    assert (monthly["PERSONAL"], monthly["FORTNIGHT"]) == ((1, "MONTHS"), (2, "WEEKS"))
    quote = client.post(
        f"{API}/quote",
        {"product": "PERSONAL", "amount": "10000", "instalments": 36, "annual_rate": "6.90"},
        format="json",
    ).json()

    assert quote["instalment"] == "308.31"
    assert quote["paid_out"] == "9900.00"
    assert float(quote["apr"]) > 6.9
    assert sum(int(row["principal"].replace(".", "")) for row in quote["schedule"]) == 10_000_00
    assert quote["schedule"][-1]["outstanding"] == "0.00"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": "10.00"}, 422, "loan_amount_out_of_range"),
        ({"amount": "-1"}, 422, "invalid_amount"),
        ({"amount": "1e4"}, 422, "invalid_amount"),
        ({"instalments": 0}, 400, "validation_error"),
        ({"instalments": 200}, 422, "loan_term_out_of_range"),
        ({"annual_rate": "NaN"}, 400, "validation_error"),
        ({"annual_rate": "-1"}, 400, "validation_error"),
        ({"product": "YACHT"}, 404, "unknown_loan_product"),
    ],
)
def test_a_bad_question_gets_a_clear_answer(api: Api, change: dict[str, Any], status: int, code: str) -> None:
    body = {"product": "PERSONAL", "amount": "5000.00", "instalments": 12, **change}
    answer = api(None).post(f"{API}/quote", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_rate_of_nought_costs_the_fee_alone(api: Api) -> None:
    body = {"product": "PERSONAL", "amount": "1200.00", "instalments": 12, "annual_rate": "0"}
    quote = api(None).post(f"{API}/quote", body, format="json").json()
    assert (quote["interest"], quote["instalment"], quote["fees"]) == ("0.00", "100.00", "12.00")


def test_from_the_application_to_the_pay_off(api: Api, alice: User, lender: User) -> None:
    account = open_test_account(alice, "CUR-EUR", "5000.00")
    give_pin(alice)
    client, key = api(alice), uuid4().hex
    wish = {
        "product": "PERSONAL",
        "amount": "2000.00",
        "instalments": 12,
        "account": str(account.pk),
        "employment": "EMPLOYED",
        "income": "4000.00",
        "obligations": "0",
    }
    first, again = send(client, "/applications", wish, key), send(client, "/applications", wish, key)
    assert first.status_code == 201, first.content
    assert first.content == again.content
    application = first.json()
    assert application["status"] == "REFERRED"
    assert "income_unseen" in [reason["code"] for reason in application["reasons"]]
    assert send(client, "/applications", wish).json()["code"] == "loan_application_open"
    services.approve(actor=lender, application_id=application["id"], reason="Seen", now=timezone.now())
    assert client.get(f"{API}/applications/{application['id']}").json()["status"] == "APPROVED"
    before = posted(account)
    assert send(client, f"/applications/{application['id']}/accept", {"pin": "0000"}).json()["code"] == "wrong_pin"

    loan = send(client, f"/applications/{application['id']}/accept", {"pin": PIN}).json()

    assert loan["status"] == "ACTIVE"
    assert posted(account) == before + 1_980_00
    assert client.get(f"{API}/").json()[0]["id"] == loan["id"]
    assert len(client.get(f"{API}/{loan['id']}/schedule").json()) == 12
    shown = client.post(f"{API}/{loan['id']}/prepayment-quote", {"amount": "1000.00"}, format="json").json()
    assert shown["instalments_left_after"] < shown["instalments_left_before"]
    assert send(client, f"/{loan['id']}/repayments").json()["code"] == "nothing_due"
    key = uuid4().hex
    paid = send(client, f"/{loan['id']}/repayments", {"amount": "1000.00"}, key)
    assert paid.json()["principal"] == "1000.00"
    assert send(client, f"/{loan['id']}/repayments", {"amount": "1000.00"}, key).content == paid.content
    too_much = send(client, f"/{loan['id']}/repayments", {"amount": "1000.01"})
    assert (too_much.status_code, too_much.json()["code"]) == (422, "more_than_payoff")
    quote = client.get(f"{API}/{loan['id']}/payoff-quote").json()
    assert quote["total"] == "1000.00"
    assert send(client, f"/{loan['id']}/repayments", {"payoff": "999.99"}).json()["code"] == "payoff_changed"

    done = send(client, f"/{loan['id']}/repayments", {"payoff": quote["total"]})

    assert done.json()["loan_status"] == "CLOSED"
    assert client.get(f"{API}/{loan['id']}").json()["principal_owed"] == "0.00"
    assert send(client, f"/{loan['id']}/repayments", {"amount": "1.00"}).json()["code"] == "loan_closed"
    assert client.get(f"{API}/{loan['id']}/payoff-quote").json()["code"] == "loan_closed"


def test_a_money_request_needs_its_key(api: Api, alice: User, lender: User) -> None:
    give_pin(alice)
    loan = granted(alice, open_test_account(alice), lender, now=timezone.now())
    answer = api(alice).post(f"{API}/{loan.pk}/repayments", {"amount": "5.00"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert Loan.objects.get().events.count() == 0
