"""An outside gateway asks about its transactions, and people decide what waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from common.db import use_case
from fraud.models import Activity, Case, Decision, GatewayTransaction, Label, Rule
from fraud.rules.facts import Verdict
from fraud.services import gateway as gateway_services
from fraud.services.rules import touch_ruleset
from identity.models import User
from payments.models import Payment
from tests.accounts.factories import open_test_account
from tests.fraud.callers import Gateway, make_gateway, suspicious, told
from tests.payments.factories import give_pin, held_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(db: None) -> Gateway:
    return make_gateway()


def test_a_harmless_transaction_is_approved(gateway: Gateway) -> None:
    asked = told(transaction_id="shop-1", customer_id="card-1", beneficiary_name="Corner Shop")
    answer = gateway.post("analyze", asked)
    assert answer.status_code == 201, answer.content
    verdict = answer.json()
    assert verdict | {"status": "APPROVED", "outcome": "APPROVED", "score": 0.0, "level": "SAFE"} == verdict
    assert verdict | {"risk_level": "LOW", "confidence": "LOW", "agreement_percent": 100} == verdict
    assert verdict | {"transaction_id": "shop-1", "kind": "gateway", "case_id": None, "reasons": []} == verdict
    assert (verdict["layers"], verdict["primary_method"]) == ({"rules": 0.0}, "rules")
    assert (verdict["amount"], verdict["channel"], verdict["transfer_type"]) == ("12.50", "GATEWAY", "CARD")

    decision = Decision.objects.get(pk=verdict["decision_id"])
    assert (decision.subject_kind, str(decision.subject_id)) == ("gateway", verdict["id"])
    assert decision.features["transfer_type"] == "CARD"
    assert decision.beneficiary_label == "Corner Shop, terminal-1"
    assert gateway.get(f"transactions/{verdict['id']}").json() == verdict


def test_a_suspicious_one_waits_and_is_approved_by_a_person(
    gateway: Gateway, officer: User, api: Callable[[User], Any]
) -> None:
    verdict = gateway.post("analyze", suspicious()).json()
    assert verdict | {"status": "PENDING", "outcome": "FLAGGED", "score": 0.6, "level": "SUSPICIOUS"} == verdict
    assert verdict["risk_level"] == "MEDIUM"
    assert [reason["code"] for reason in verdict["reasons"]] == ["LARGE_AWAY_FROM_HOME"]
    assert gateway.get("transactions/pending").json()["results"] == [verdict]

    path = f"/api/v1/fraud/transactions/{verdict['id']}/approve"
    headers = {"Idempotency-Key": str(uuid4())}
    done = api(officer).post(path, {"reason": "Asked the shop."}, format="json", headers=headers)

    assert done.status_code == 200, done.content
    assert (done.json()["status"], done.json()["outcome"]) == ("APPROVED", "FLAGGED")
    assert gateway.get(f"transactions/{verdict['id']}").json() == done.json()
    assert gateway.get("transactions/pending").json()["results"] == []
    case = Case.objects.get(pk=verdict["case_id"])
    assert (case.status, case.decided_by, case.reason) == ("RELEASED", officer, "Asked the shop.")
    assert not Label.objects.get(decision_id=case.decision_id).is_fraud
    # From then on it counts as settled.
    assert Activity.objects.filter(customer_id=case.customer_id, requested=False).count() == 1


def test_a_gateway_with_the_scope_decides_itself_and_only_once(gateway: Gateway) -> None:
    verdict = gateway.post("analyze", suspicious()).json()
    path, key = f"transactions/{verdict['id']}/reject", str(uuid4())
    odd = gateway.post(path, {"reason": "A stolen card.", "fraud_kind": "MAGIC"})
    assert (odd.status_code, odd.json()["errors"][0]["field"]) == (400, "fraud_kind")
    told_of = {"reason": "A stolen card.", "fraud_kind": "CARD_TESTING"}
    done = gateway.post(path, told_of, key=key)
    assert (done.status_code, done.json()["status"]) == (200, "REJECTED")
    assert gateway.post(path, told_of, key=key).content == done.content
    assert gateway.post(path, {"reason": "Again."}).json()["code"] == "case_already_decided"
    label = Label.objects.get(decision_id=verdict["decision_id"])
    assert (label.is_fraud, label.kind) == (True, "CARD_TESTING")
    event = AuditEvent.objects.get(action="fraud.case_declined")
    assert event.actor == gateway.client.user
    # The next payment to the same payee knows of it.
    after = gateway.post("analyze", told()).json()
    assert Decision.objects.get(pk=after["decision_id"]).features["beneficiary_fraud_rate_1d"] == 1


def test_a_blocked_one_is_rejected_at_once(gateway: Gateway) -> None:
    rule = Rule.objects.get(code="VERY_LARGE_AWAY_TO_NEW_PAYEE")
    Rule.objects.filter(pk=rule.pk).update(state="LIVE", live_at=timezone.now())
    with use_case():
        touch_ruleset(now=timezone.now())
    verdict = gateway.post("analyze", suspicious() | {"amount": "25000.00"}).json()
    assert (verdict["outcome"], verdict["status"], verdict["level"]) == ("BLOCKED", "REJECTED", "CRITICAL")
    assert [row["id"] for row in gateway.get("transactions/pending").json()["results"]] == [verdict["id"]]
    cleared = gateway.post(f"transactions/{verdict['id']}/approve", {"reason": "It was honest."}).json()
    assert cleared["status"] == "REJECTED"
    assert not Label.objects.get().is_fraud


def test_the_same_id_gets_the_same_answer_and_another_content_is_refused(gateway: Gateway) -> None:
    asked = told()
    first = gateway.post("analyze", asked)
    again = gateway.post("analyze", asked)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    for change in ({"amount": "12.51"}, {"customer_id": "card-other"}, {"country": "NG"}):
        other = gateway.post("analyze", asked | change)
        assert (other.status_code, other.json()["code"]) == (409, "transaction_id_reused")
    assert Decision.objects.count() == GatewayTransaction.objects.count() == 1
    # Another gateway has ids of its own.
    assert make_gateway().post("analyze", asked).status_code == 201


def test_an_idempotency_key_replays_byte_for_byte_and_takes_no_other_body(gateway: Gateway) -> None:
    asked, key = suspicious(), str(uuid4())
    first = gateway.post("analyze", asked, key=key)
    gateway.post(f"transactions/{first.json()['id']}/reject", {"reason": "A stolen card."})
    again = gateway.post("analyze", asked, key=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert gateway.post("analyze", asked | {"amount": "1.00"}, key=key).json()["code"] == "idempotency_key_reused"
    # Under another key it is the transaction as it stands now.
    assert gateway.post("analyze", asked).json()["status"] == "REJECTED"


def test_gateways_know_nothing_of_each_other(gateway: Gateway, api: Callable[[User], Any], officer: User) -> None:
    asked = suspicious(customer_id="card-1")
    mine = gateway.post("analyze", asked).json()
    other = make_gateway()
    assert other.get(f"transactions/{mine['id']}").json()["code"] == "transaction_not_found"
    assert other.get("transactions/pending").json()["results"] == []
    for deed in ("approve", "reject"):
        assert other.post(f"transactions/{mine['id']}/{deed}", {"reason": "Mine now."}).status_code == 404
    assert other.http.get("/api/v1/analytics/risk-scores").json()["results"] == []
    theirs = other.post("analyze", asked).json()
    customers = Decision.objects.values_list("customer_id", flat=True)
    assert len(set(customers)) == 2, "one gateway's customer is not another's"
    assert Case.objects.get(pk=mine["case_id"]).status == "OPEN"
    shown = api(officer).get("/api/v1/fraud/transactions/pending").json()["results"]
    assert {row["id"] for row in shown} == {mine["id"], theirs["id"]}


def test_a_gateway_cannot_write_into_the_history_of_the_banks_customers(gateway: Gateway, alice: User) -> None:
    gateway.post("analyze", told(customer_id=str(alice.public_id), account_id=str(alice.public_id)))
    assert not Decision.objects.filter(customer_id=alice.public_id).exists()
    assert not Activity.objects.filter(customer_id=alice.public_id).exists()


def test_the_banks_own_payments_are_decided_through_the_api_too(gateway: Gateway, alice: User, bob: User) -> None:
    give_pin(alice)
    payments: list[Payment] = [
        held_payment(alice, open_test_account(alice, "CUR-EUR", "9000.00"), open_test_account(bob, "CUR-EUR", "10.00"))
        for _ in range(2)
    ]
    shown = gateway.get("transactions/pending").json()["results"]
    assert [(row["kind"], row["id"], row["transaction_id"]) for row in shown] == [
        ("payment", str(payment.pk), str(payment.pk)) for payment in payments
    ]
    hasty = gateway.post(f"transactions/{payments[0].pk}/approve", {"reason": "Known payee."})
    codes = [item["code"] for item in shown[0]["checklist"]]
    assert (hasty.status_code, hasty.json()["code"], hasty.json()["data"]["missing"]) == (422, "checklist_open", codes)
    for payment, deed in zip(payments, ("approve", "reject"), strict=True):
        done = gateway.post(f"transactions/{payment.pk}/{deed}", {"reason": "Called them.", "checked": codes})
        assert (done.status_code, done.json()["checklist"]) == (200, []), done.content
    for payment in payments:
        payment.refresh_from_db()
    assert [payment.status for payment in payments] == ["COMPLETED", "REFUSED"]
    assert payments[0].decided_by == gateway.client.user
    # A key that only scores does not see the bank's payments.
    scorer = make_gateway("fraud:score")
    assert scorer.get(f"transactions/{payments[0].pk}").status_code == 404
    assert scorer.http.get("/api/v1/analytics/risk-scores").json()["results"] == []


def test_nobody_decides_an_own_payment_through_the_api(bob: User, officer: User, api: Callable[[User], Any]) -> None:
    give_pin(officer)
    payment = held_payment(
        officer, open_test_account(officer, "CUR-EUR", "9000.00"), open_test_account(bob, "CUR-EUR", "10.00")
    )
    path = f"/api/v1/fraud/transactions/{payment.pk}/approve"
    answer = api(officer).post(path, {"reason": "Mine."}, format="json", headers={"Idempotency-Key": str(uuid4())})
    assert (answer.status_code, answer.json()["code"]) == (403, "own_case")


# --- The scorer fails or takes too long ---------------------------------------------------------------------------------


def slow(**_: Any) -> Verdict:
    time.sleep(0.3)
    raise AssertionError("the answer came too late")


def broken(**_: Any) -> Verdict:
    raise ZeroDivisionError


@pytest.mark.parametrize("scorer", [slow, broken])
def test_what_could_not_be_scored_waits_for_a_person(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, scorer: Callable[..., Verdict]
) -> None:
    monkeypatch.setattr(gateway_services, "BUDGET_SECONDS", 0.1)
    monkeypatch.setattr(gateway_services, "screen", scorer)
    verdict = gateway.post("analyze", told()).json()
    assert (verdict["outcome"], verdict["status"]) == ("FLAGGED", "PENDING")
    assert [reason["code"] for reason in verdict["reasons"]] == ["NOT_SCREENED"]
    assert Case.objects.filter(pk=verdict["case_id"], status="OPEN").exists()


def test_an_approval_that_came_too_late_is_held_and_leaves_no_step(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = gateway_services.screen

    def late(**facts: Any) -> Verdict:
        verdict = original(**facts)
        time.sleep(0.3)
        return verdict

    monkeypatch.setattr(gateway_services, "BUDGET_SECONDS", 0.25)
    monkeypatch.setattr(gateway_services, "screen", late)
    verdict = gateway.post("analyze", told()).json()
    assert (verdict["status"], Decision.objects.count(), Activity.objects.count()) == ("PENDING", 1, 0)


# --- Input that is not what it should be ---------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], int, str]] = [
    *[
        ({"amount": amount}, 422, "amount")
        for amount in ("-1", "0", "0.00", "0.001", "NaN", "Infinity", "1e3", "1,000.00", "٣", "99999999999999.00", " ")
        if amount.strip()
    ],
    ({"amount": ""}, 400, "amount"),
    ({"amount": 12.5}, 400, "amount"),
    ({"amount": True}, 400, "amount"),
    ({"amount": None}, 400, "amount"),
    ({"amount": "9" * 30}, 400, "amount"),
    ({"currency": "EURO"}, 400, "currency"),
    ({"currency": "ZZZ"}, 422, "currency"),
    ({"currency": "eur"}, 422, "currency"),
    ({"transaction_id": ""}, 400, "transaction_id"),
    ({"transaction_id": "x" * 65}, 400, "transaction_id"),
    ({"transaction_id": "a\u0000b"}, 400, "transaction_id"),
    ({"transaction_id": "a\nb"}, 400, "transaction_id"),
    ({"transaction_id": {"a": 1}}, 400, "transaction_id"),
    ({"customer_id": None}, 400, "customer_id"),
    ({"beneficiary_id": ""}, 400, "beneficiary_id"),
    ({"beneficiary_id": "x" * 41}, 400, "beneficiary_id"),
    ({"transfer_type": "GIFT"}, 400, "transfer_type"),
    ({"ip": "300.1.1.1"}, 400, "ip"),
    ({"country": "deu"}, 400, "country"),
    ({"at": "yesterday"}, 400, "at"),
    ({"at": "0001-01-01T00:00:00Z"}, 422, "at"),
    ({"at": "9999-12-31T23:59:59Z"}, 422, "at"),
]


@pytest.mark.parametrize(("change", "status", "field"), BAD)
def test_what_cannot_be_read_is_refused_beside_its_field(
    gateway: Gateway, change: dict[str, Any], status: int, field: str
) -> None:
    answer = gateway.post("analyze", told(**change))
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Decision.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"NaN", b'{"amount": NaN}', b"\xff\xfe", b'"text"', b"null"])
def test_a_body_that_is_no_transaction_is_a_bad_request(gateway: Gateway, body: bytes) -> None:
    answer = gateway.http.generic(
        "POST", "/api/v1/fraud/analyze", body, content_type="application/json", HTTP_IDEMPOTENCY_KEY=str(uuid4())
    )
    assert answer.status_code == 400, answer.content


def test_a_currency_without_a_rate_waits_for_a_person(gateway: Gateway) -> None:
    verdict = gateway.post("analyze", told(currency="VUV", amount="1000")).json()
    assert (verdict["outcome"], verdict["amount"]) == ("FLAGGED", "1000")
    assert [reason["code"] for reason in verdict["reasons"]] == ["UNKNOWN_AMOUNT"]


def test_a_clock_that_goes_back_is_no_way_around_the_velocity(gateway: Gateway) -> None:
    now = timezone.now()
    outcomes = []
    for hours in range(8):
        asked = told(customer_id="card-1", at=(now - timedelta(hours=hours)).isoformat())
        outcomes.append(gateway.post("analyze", asked).json()["outcome"])
    assert outcomes == ["APPROVED"] * 5 + ["FLAGGED"] * 3


# --- Risk scores -----------------------------------------------------------------------------------------------------------


def test_risk_scores_are_listed_filtered_and_summed_up(gateway: Gateway) -> None:
    now = timezone.now()
    made = [
        gateway.post("analyze", asked).json()
        for asked in (
            told(at=(now - timedelta(days=40)).isoformat()),
            told(at=(now - timedelta(hours=3)).isoformat()),
            suspicious(at=(now - timedelta(hours=2)).isoformat()),
            told(at=(now - timedelta(hours=1)).isoformat(), transfer_type="WITHDRAWAL"),
        )
    ]

    def scores(**query: Any) -> Any:
        return gateway.http.get("/api/v1/analytics/risk-scores", query).json()

    everything = scores()
    assert everything["results"] == [made[3], made[2], made[1]]
    assert everything["summary"] == {
        "count": 3,
        "outcomes": {"APPROVED": 2, "FLAGGED": 1, "BLOCKED": 0},
        "levels": {"SAFE": 2, "SUSPICIOUS": 1, "CRITICAL": 0},
        "tenths": [2, 0, 0, 0, 0, 0, 1, 0, 0, 0],
    }
    assert scores(since=(now - timedelta(days=50)).isoformat())["summary"]["count"] == 4
    for query in ({"outcome": "FLAGGED"}, {"level": "SUSPICIOUS"}, {"score_from": "0.5"}):
        assert scores(**query)["results"] == [made[2]]
    assert scores(transfer_type="WITHDRAWAL")["results"] == [made[3]]
    assert scores(until=(now - timedelta(minutes=150)).isoformat())["results"] == [made[1]]
    assert scores(currency="USD")["results"] == []

    first = scores(page_size=2)
    assert [row["id"] for row in first["results"]] == [made[3]["id"], made[2]["id"]]
    second = gateway.http.get(first["next"]).json()
    assert ([row["id"] for row in second["results"]], second["summary"], second["next"]) == (
        [made[1]["id"]],
        None,
        None,
    )


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"outcome": "NONE"},
        {"level": "HIGH"},
        {"score_from": "NaN"},
        {"score_from": "1e400"},
        {"score_to": "2"},
        {"transfer_type": "GIFT"},
        {"currency": "EURO"},
    ],
)
def test_a_filter_that_cannot_be_read_is_a_bad_request(gateway: Gateway, query: dict[str, str]) -> None:
    answer = gateway.http.get("/api/v1/analytics/risk-scores", query)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error"), answer.content


def test_a_bent_cursor_is_not_there(gateway: Gateway) -> None:
    assert gateway.http.get("/api/v1/analytics/risk-scores", {"cursor": "bent"}).status_code == 404
