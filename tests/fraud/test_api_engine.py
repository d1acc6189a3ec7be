"""The model in charge, features, rules and backtests through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from fraud.models import Backtest, FeaturesConfig, Rule
from fraud.rules.features import SCHEMA_HASH, VECTOR_FEATURES
from fraud.services.backtests import run_backtest
from identity.models import User
from tests.fraud.callers import make_gateway
from tests.fraud.test_api_callers import PERIOD, RULE, WHY

pytestmark = pytest.mark.django_db


def test_without_a_champion_rules_alone_decide() -> None:
    told = make_gateway().get("model").json()
    assert (told["number"], told["layers"], told["thresholds"]) == (None, [], {"flag_at": 0.5, "block_at": 0.8})
    assert told["live_rules"] == ["LARGE_AWAY_FROM_HOME", "LARGE_TO_NEW_PAYEE", "VELOCITY"]
    assert told["schema_hash"] == SCHEMA_HASH


def test_a_feature_is_switched_off_and_on_again_with_a_trace() -> None:
    gateway = make_gateway()
    features = gateway.get("features").json()
    assert [feature["name"] for feature in features] == list(VECTOR_FEATURES)
    assert all(feature["enabled"] for feature in features)

    key = str(uuid4())
    off = gateway.post("features/geo_anomaly_flag/disable", WHY, key=key)
    again = gateway.post("features/geo_anomaly_flag/disable", WHY, key=key)

    assert (off.status_code, off.json()["enabled"]) == (200, False)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (off.content, "true")
    assert FeaturesConfig.objects.count() == 1
    assert [f["name"] for f in gateway.get("features").json() if not f["enabled"]] == ["geo_anomaly_flag"]
    event = AuditEvent.objects.get(action="fraud.feature_disabled")
    assert (event.actor, event.reason) == (gateway.client.user, WHY["reason"])

    assert gateway.post("features/geo_anomaly_flag/enable", WHY).json()["enabled"] is True
    assert all(feature["enabled"] for feature in gateway.get("features").json())


@pytest.mark.parametrize("name", ["nothing", "amount_base", "geo_anomaly_flag ", "%00"])
def test_only_a_feature_of_the_vector_can_be_switched(name: str) -> None:
    answer = make_gateway().post(f"features/{name}/disable", WHY)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_feature")


def test_switching_needs_a_reason_and_an_idempotency_key() -> None:
    gateway = make_gateway()
    assert gateway.post("features/is_night/disable", {"reason": "  "}).status_code == 400
    path = "/api/v1/fraud/features/is_night/disable"
    answer = gateway.http.post(path, WHY, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert not FeaturesConfig.objects.exists()


def test_a_gateway_drafts_a_rule_that_people_put_live(officer: User, api: Callable[..., Any]) -> None:
    gateway = make_gateway("fraud:configure")
    made = gateway.post("rules", RULE)
    assert made.status_code == 201, made.content
    rule = Rule.objects.get(code="NIGHT_CARDS")
    assert (rule.state, rule.maker) == ("DRAFT", gateway.client.user)
    assert made.json()["id"] == str(rule.pk)
    assert "night" in made.json()["sentence"]
    assert gateway.get(f"rules/{rule.pk}").json() == made.json()
    assert made.json() in gateway.get("rules", state="DRAFT").json()["results"]
    assert gateway.get("rules").json()["count"] == Rule.objects.count()
    assert gateway.post("rules", RULE).json()["code"] == "rule_code_taken"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"condition": {"feature": "nothing", "op": ">", "value": 1}}, 422, "condition"),
        ({"condition": {"feature": "is_night", "op": "exec", "value": 1}}, 422, "condition"),
        ({"condition": []}, 400, "condition"),
        ({"code": "lower"}, 422, "code"),
        ({"action": "ALLOW"}, 400, "action"),
        ({"customer_text": "short"}, 422, "customer_text"),
        ({"name": ""}, 400, "name"),
    ],
)
def test_a_rule_with_a_mistake_is_refused_beside_its_field(change: dict[str, Any], status: int, field: str) -> None:
    answer = make_gateway().post("rules", {**RULE, **change})
    assert answer.status_code == status, answer.content
    assert {error["field"].split(".")[0] for error in answer.json()["errors"]} == {field}
    assert not Rule.objects.filter(name=RULE["name"]).exists()


def test_a_rule_is_tried_on_the_past() -> None:
    gateway = make_gateway()
    rule = Rule.objects.get(code="VELOCITY")
    asked = gateway.post(f"rules/{rule.pk}/backtests", PERIOD)
    assert asked.status_code == 202, asked.content
    assert asked.json() | {"requested_at": ""} == asked.json() | {
        "rule": str(rule.pk), "percent": 0, "finished_at": None, "result": None, "requested_at": "",
    }  # fmt: skip

    stored = Backtest.objects.get()
    Backtest.objects.filter(pk=stored.pk).update(decisions_total=8, decisions_done=2)
    address = f"rules/{rule.pk}/backtests/{stored.pk}"
    assert gateway.get(address).json()["percent"] == 25
    assert gateway.get(f"rules/{rule.pk}/backtests").json()["results"] == [gateway.get(address).json()]

    run_backtest(backtest_id=stored.pk, now=timezone.now())
    done = gateway.get(address).json()
    assert (done["percent"], done["error"], done["result"]["decisions"]) == (100, "", 0)


def test_what_cannot_be_tried_is_refused() -> None:
    gateway = make_gateway()
    rule = Rule.objects.get(code="VELOCITY")
    backwards = {"from_at": PERIOD["to_at"], "to_at": PERIOD["from_at"]}
    assert gateway.post(f"rules/{rule.pk}/backtests", backwards).status_code == 422
    assert gateway.post(f"rules/{rule.pk}/backtests", {"from_at": "yesterday"}).status_code == 400
    assert gateway.post(f"rules/{uuid4()}/backtests", PERIOD).json()["code"] == "rule_not_found"
    assert gateway.get(f"rules/{uuid4()}").json()["code"] == "rule_not_found"
    assert gateway.get(f"rules/{uuid4()}/backtests").json()["code"] == "rule_not_found"
    assert gateway.get(f"rules/{rule.pk}/backtests/{uuid4()}").json()["code"] == "backtest_not_found"
    assert gateway.get("rules", state="NONE").status_code == 400
    assert not Backtest.objects.exists()
