"""Many transactions in one request: each as if it had been asked alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from django.utils import timezone

from fraud.models import Activity, Case, Decision, GatewayTransaction
from fraud.services import gateway as gateway_services
from tests.fraud.callers import Gateway, make_gateway, suspicious, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(db: None) -> Gateway:
    return make_gateway()


def send(gateway: Gateway, rows: list[Any]) -> Any:
    answer = gateway.post("score/batch", {"transactions": rows})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_one_bad_row_has_its_error_and_the_others_are_scored(gateway: Gateway) -> None:
    rows: list[Any] = [
        told(transaction_id="a"),
        told(amount="NaN"),
        suspicious(transaction_id="c"),
        {"transaction_id": "d"},
        "text",
        None,
        told(at="9999-12-31T23:59:59Z"),
        told(transaction_id="h", currency="ZZZ"),
    ]
    answer = send(gateway, rows)
    assert (answer["scored"], answer["failed"]) == (2, 6)
    results = answer["results"]
    assert [row["index"] for row in results] == list(range(8))
    assert [row["transaction"] and row["transaction"]["status"] for row in results[:3]] == ["APPROVED", None, "PENDING"]
    assert [row["error"] and row["error"]["code"] for row in results] == [
        None, "invalid_amount", None, "validation_error", "validation_error", "validation_error", "invalid_time",
        "unknown_currency",
    ]  # fmt: skip
    assert {error["field"] for error in results[3]["error"]["errors"]} == {
        "customer_id", "beneficiary_id", "amount", "currency",
    }  # fmt: skip
    assert Decision.objects.count() == GatewayTransaction.objects.count() == 2
    assert Case.objects.get().decision_id == Decision.objects.get(outcome="FLAGGED").pk
    for row in (results[0], results[2]):
        assert gateway.get(f"transactions/{row['transaction']['id']}").json() == row["transaction"]


def story(now: Any) -> list[dict[str, Any]]:
    """Several customers' transactions in order of time, many of one, to the same and to new payees.

    Without addresses, which belong to nobody: a second gateway's story would see the first one's.
    """
    customers = [number % 4 if number % 3 else 0 for number in range(60)]
    return [
        told(
            transaction_id=f"story-{number}",
            customer_id=f"card-{customer}",
            beneficiary_id=f"terminal-{number % 5}-{customer}",
            ip=None,
            amount=f"{10 + number * number}.00",
            country="NG" if number % 7 == 0 else "DE",
            at=(now - timedelta(minutes=200 - number)).isoformat(),
        )
        for number, customer in enumerate(customers)
    ]


COMPARED = ("outcome", "score", "reasons", "layers", "features", "amount_base_minor", "transfer_type")
STEP = ("number", "at", "settled_minor", "transfers", "requests", "sent_total_minor", "settled_total_minor", "abroad",
        "risky", "account_changes", "payee_settled")  # fmt: skip


def test_a_batch_gives_what_single_calls_give(gateway: Gateway) -> None:
    """Two gateways live the same story, one call by call and one as a batch."""
    now, other = timezone.now(), make_gateway()
    for row in story(now):
        assert gateway.post("analyze", row).status_code == 201
    assert send(other, story(now))["scored"] == 60

    def decisions(of: Gateway) -> list[Any]:
        mine = GatewayTransaction.objects.filter(client=of.client).order_by("decision__at")
        return list(mine.values_list("reference", *(f"decision__{name}" for name in COMPARED)))

    def steps(of: Gateway) -> list[Any]:
        mine = GatewayTransaction.objects.filter(client=of.client).values("decision")
        return sorted(Activity.objects.filter(decision__in=mine).values_list(*STEP))

    assert {row[1] for row in decisions(gateway)} == {"APPROVED", "FLAGGED"}
    assert decisions(gateway) == decisions(other)
    assert steps(gateway) == steps(other)


def test_a_customers_burst_inside_one_batch_is_noticed(gateway: Gateway) -> None:
    rows = [told(customer_id="card-1", transaction_id=f"burst-{number}") for number in range(9)]
    outcomes = [row["transaction"]["outcome"] for row in send(gateway, rows)["results"]]
    assert outcomes == ["APPROVED"] * 5 + ["FLAGGED"] * 4


def test_a_batch_may_be_sent_again_and_scores_nothing_twice(gateway: Gateway) -> None:
    rows = [told(transaction_id="a"), suspicious(transaction_id="b")]
    first = send(gateway, rows)
    longer = send(gateway, [*rows, told(transaction_id="c"), rows[0], {**rows[1], "amount": "1.00"}])
    assert longer["results"][:2] == first["results"]
    assert longer["results"][3] == {**first["results"][0], "index": 3}
    assert longer["results"][4] == {"index": 4, "transaction": None, "error": ANY}
    assert longer["results"][4]["error"]["code"] == "transaction_id_reused"
    assert Decision.objects.count() == 3


def test_an_id_twice_in_one_batch_is_scored_once(gateway: Gateway) -> None:
    row = told(transaction_id="a")
    answer = send(gateway, [row, row, {**row, "amount": "99.00"}])
    assert answer["results"][0]["transaction"] == answer["results"][1]["transaction"]
    assert answer["results"][2]["error"]["code"] == "transaction_id_reused"
    assert (answer["scored"], Decision.objects.count()) == (2, 1)


def test_what_could_not_be_scored_is_held(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(gateway_services, "screen_each", fail)
    answer = send(gateway, [told(), told()])
    assert [row["transaction"]["status"] for row in answer["results"]] == ["PENDING", "PENDING"]
    assert {row["transaction"]["reasons"][0]["code"] for row in answer["results"]} == {"NOT_SCREENED"}
    assert Case.objects.filter(status="OPEN").count() == 2


def test_what_does_not_fit_into_the_time_is_told_so(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_services, "BATCH_CHUNK", 2)
    moments = iter([0.0, 1.0, 50.0, 60.0])
    monkeypatch.setattr(gateway_services, "monotonic", lambda: next(moments))
    answer = send(gateway, [told() for _ in range(5)])
    codes = [row["error"] and row["error"]["code"] for row in answer["results"]]
    assert codes == [None, None, "not_scored_in_time", "not_scored_in_time", "not_scored_in_time"]


@pytest.mark.parametrize(
    "body", [{}, {"transactions": []}, {"transactions": {}}, [], "text", {"transactions": [1] * 10_001}]
)
def test_what_is_no_batch_is_a_bad_request(gateway: Gateway, body: Any) -> None:
    answer = gateway.post("score/batch", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_a_long_body_is_read(gateway: Gateway, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 500
    assert send(gateway, [told() for _ in range(5)])["scored"] == 5
    # One transaction has no reason to be long.
    assert gateway.post("analyze", told(device="x" * 600)).status_code == 400


def test_a_full_batch_is_scored_with_few_queries(gateway: Gateway, django_assert_max_num_queries: Any) -> None:
    send(gateway, [told()])
    rows = [told() for _ in range(1000)]
    with django_assert_max_num_queries(60):
        answer = send(gateway, rows)
    assert (answer["scored"], answer["failed"]) == (1000, 0)
