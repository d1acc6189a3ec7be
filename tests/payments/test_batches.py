"""Many transfers in one request: results per item, all or nothing, and requests that come twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from audit.models import IdempotencyRecord
from common import throttle
from fraud.rules.facts import Outcome
from payments.models import Limit, Payment
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, held, posted, refuse_decisions_of, verdict

pytestmark = pytest.mark.django_db
Api = Callable[..., Any]
ADDRESS = "/api/v1/transactions/batch"


@pytest.fixture(autouse=True)
def no_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "wait_for", lambda limit, key: 0.0)


def item(bank: Bank, amount: str = "10.00", **overrides: str) -> dict[str, str]:
    return {"payee_number": bank.bobs.number, "payee_name": "Bob Baker", "amount": amount, **overrides}


def send(client: Any, bank: Bank, items: list[dict[str, str]], mode: str = "EACH", key: str = "") -> Any:
    body = {"debit_account": str(bank.current.pk), "mode": mode, "items": items, "pin": PIN}
    return client.post(ADDRESS, body, format="json", headers={"Idempotency-Key": key or str(uuid4())})


def results(answer: Any) -> list[str]:
    found = answer.json().get("results") or answer.json()["data"]["results"]
    return [each["code"] or each["outcome"] for each in found]


def test_each_item_has_a_result_of_its_own(bank: Bank, api: Api) -> None:
    items = [
        item(bank, "10.00", description="One"),
        item(bank, payee_number="BP00000000000000"),
        item(bank, "1e3"),
        item(bank, "9999.00"),
        item(bank, currency="USD"),
        item(bank, payee_number=bank.savings.number),
        item(bank, payee_name=" "),
        item(bank, "20.00", payee_name="Somebody Else"),
        {"payee_number": "DE89 3704 0044 0532 0130 00", "payee_name": "Landlord", "amount": "5.00"},
    ]
    answer = send(api(bank.alice), bank, items[:6] + items[7:])
    assert answer.status_code == 201, answer.content
    assert results(answer) == [
        "COMPLETED",
        "unknown_payee",
        "invalid_amount",
        "insufficient_funds",
        "currency_mismatch",
        "own_account",
        "COMPLETED",
        "COMPLETED",
    ]
    shown = answer.json()
    assert (shown["completed"], shown["held"], shown["failed"]) == (3, 0, 5)
    assert [each["field"] for each in shown["results"][1:4]] == ["payee_number", "amount", "amount"]
    assert shown["results"][6]["payment"]["name_check"] == "NO_MATCH"
    assert shown["results"][0]["payment"]["description"] == "One"
    assert (posted(bank.current), posted(bank.bobs)) == (1000_00 - 35_00, 100_00 + 30_00)
    assert send(api(bank.alice), bank, [items[6]]).status_code == 400, "an empty name is no item"


def test_all_or_nothing_moves_nothing_when_one_fails(bank: Bank, api: Api) -> None:
    unknown = item(bank, payee_number="BP00000000000000")
    answer = send(api(bank.alice), bank, [item(bank), unknown], mode="WHOLE")
    assert (answer.status_code, answer.json()["code"]) == (409, "whole_refused")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert results(answer) == ["whole_refused", "unknown_payee"]
    assert (posted(bank.current), Payment.objects.count()) == (1000_00, 0)
    both = send(api(bank.alice), bank, [item(bank, "999.00"), item(bank, "502.00")], mode="WHOLE")
    assert results(both) == ["whole_refused", "insufficient_funds"]
    assert Payment.objects.count() == 0


def test_all_or_nothing_makes_all(bank: Bank, api: Api) -> None:
    answer = send(api(bank.alice), bank, [item(bank), item(bank, "20.00")], mode="WHOLE")
    assert (answer.status_code, results(answer)) == (201, ["COMPLETED", "COMPLETED"])
    assert posted(bank.bobs) == 130_00


def test_a_blocked_item_is_kept_as_evidence_and_its_answer_is_replayed(bank: Bank, api: Api) -> None:
    key = str(uuid4())
    with verdict(Outcome.BLOCKED):
        answer = send(api(bank.alice), bank, [item(bank)], mode="WHOLE", key=key)
    assert (answer.status_code, results(answer)) == (409, ["blocked"])
    assert Payment.objects.get().status == "REFUSED"
    again = send(api(bank.alice), bank, [item(bank)], mode="WHOLE", key=key)
    assert again.content == answer.content
    assert Payment.objects.count() == 1


def test_flagged_items_are_held(bank: Bank, api: Api) -> None:
    with verdict(Outcome.FLAGGED):
        answer = send(api(bank.alice), bank, [item(bank), item(bank, "20.00")], mode="WHOLE")
    assert (answer.status_code, results(answer)) == (201, ["HELD", "HELD"])
    assert (posted(bank.bobs), held(bank.current)) == (100_00, 30_00)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_item_whose_decision_cannot_be_stored_is_held_and_takes_no_other_along(
    bank: Bank, api: Api, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    amounts = ["10.00", "20.00", "30.00"]
    refuse_decisions_of((place + 1) * 1000, monkeypatch)
    answer = send(api(bank.alice), bank, [item(bank, amount) for amount in amounts])
    assert answer.status_code == 201, answer.content
    assert results(answer) == ["HELD" if at == place else "COMPLETED" for at in range(3)]


def test_counts_items_against_the_limits_one_after_the_other(bank: Bank, api: Api) -> None:
    Limit.objects.filter(customer=None, channel="API").update(daily_minor=25_00)
    answer = send(api(bank.alice), bank, [item(bank), item(bank, "20.00"), item(bank, "15.00"), item(bank, "0.01")])
    assert results(answer) == ["COMPLETED", "limit_exceeded", "COMPLETED", "limit_exceeded"]


def test_the_same_key_gives_the_same_bytes_and_no_second_payment(bank: Bank, api: Api) -> None:
    key = str(uuid4())
    first = send(api(bank.alice), bank, [item(bank), item(bank, payee_number="BP00000000000000")], key=key)
    again = send(api(bank.alice), bank, [item(bank), item(bank, payee_number="BP00000000000000")], key=key)
    assert again.content == first.content
    assert send(api(bank.alice), bank, [item(bank, "11.00")], key=key).status_code == 422
    assert posted(bank.bobs) == 110_00


def test_the_key_is_remembered_by_the_payments_when_its_record_is_gone(bank: Bank, api: Api) -> None:
    key = str(uuid4())
    first = send(api(bank.alice), bank, [item(bank), item(bank, "20.00")], key=key)
    IdempotencyRecord.objects.all().delete()
    again = send(api(bank.alice), bank, [item(bank), item(bank, "21.00")], key=key)
    assert results(again) == ["COMPLETED", "client_id_reused"]
    assert again.json()["results"][0]["payment"]["id"] == first.json()["results"][0]["payment"]["id"]
    assert posted(bank.bobs) == 130_00


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": [{"payee_number": "BP1", "payee_name": "B", "amount": "1.00"}] * 101},
        {"items": [{"payee_number": "BP1", "amount": "1.00"}]},
        {"items": [["BP1"]]},
        {"items": "BP1"},
        {"items": {"0": {}}},
        {"mode": "SOME"},
        {"pin": None},
        {"debit_account": "mine"},
    ],
)
def test_a_malformed_request_is_a_400_and_moves_nothing(bank: Bank, api: Api, change: dict[str, Any]) -> None:
    body = {"debit_account": str(bank.current.pk), "items": [item(bank)], "pin": PIN, **change}
    answer = api(bank.alice).post(ADDRESS, body, format="json", headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 400, answer.content
    assert Payment.objects.count() == 0


def test_a_wrong_pin_or_somebody_elses_account_moves_nothing(bank: Bank, api: Api) -> None:
    body = {"debit_account": str(bank.current.pk), "items": [item(bank)], "pin": "0000"}
    key = {"Idempotency-Key": str(uuid4())}
    assert api(bank.alice).post(ADDRESS, body, format="json", headers=key).json()["code"] == "wrong_pin"
    theirs = {**body, "debit_account": str(bank.bobs.pk), "pin": PIN}
    assert api(bank.alice).post(ADDRESS, theirs, format="json", headers=key).status_code == 404
    assert Payment.objects.count() == 0
