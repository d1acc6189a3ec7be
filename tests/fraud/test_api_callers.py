"""Who may call which operation of the fraud API, and that each call is written down."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from fraud import services
from fraud.models import ApiCall, Rule
from identity.models import User
from identity.permissions import ROLE_PERMISSIONS, STAFF_ROLES, Role
from tests.conftest import make_user
from tests.fraud.callers import ALL, ROOT, make_gateway, told

pytestmark = pytest.mark.django_db

RULE = {
    "code": "NIGHT_CARDS",
    "name": "Many card payments at night",
    "condition": {"all": [{"feature": "is_night", "op": "==", "value": True}]},
    "action": "FLAG",
    "customer_text": "You paid by card unusually often tonight.",
}
WHY = {"reason": "Because the test says so."}
PERIOD = {"from_at": "2026-01-01T00:00:00Z", "to_at": "2026-02-01T00:00:00Z"}
# Method, path, body, scopes that open it, permission that opens it to staff (empty: to nobody).
OPERATIONS: list[tuple[str, str, Any, tuple[str, ...], str]] = [
    ("POST", "analyze", told(), ("fraud:score",), ""),
    ("POST", "score/batch", {"transactions": [told()]}, ("fraud:score",), ""),
    ("GET", "transactions/pending", None, ("fraud:decide",), "fraud_view"),
    ("GET", "../analytics/risk-scores", None, ("fraud:score", "fraud:decide"), "fraud_view"),
    ("GET", "model", None, ALL, "fraud_view"),
    ("GET", "features", None, ALL, "fraud_view"),
    ("POST", "features/is_night/disable", WHY, ("fraud:configure",), "fraud_switch"),
    ("POST", "features/is_night/enable", WHY, ("fraud:configure",), "fraud_switch"),
    ("GET", "rules", None, ("fraud:configure",), "fraud_view"),
    ("POST", "rules", RULE, ("fraud:configure",), "fraud_edit_rules"),
    ("GET", "rules/{rule}", None, ("fraud:configure",), "fraud_view"),
    ("GET", "rules/{rule}/backtests", None, ("fraud:configure",), "fraud_view"),
    ("POST", "rules/{rule}/backtests", PERIOD, ("fraud:configure",), "fraud_edit_rules"),
]


def call(http: APIClient, method: str, path: str, body: Any) -> Any:
    rule = Rule.objects.order_by("code").values_list("pk", flat=True)[0]
    address = (ROOT + path.format(rule=rule)).replace("fraud/../", "")
    if method == "GET":
        return http.get(address)
    return http.post(address, body, format="json", headers={"Idempotency-Key": str(uuid4())})


@pytest.mark.parametrize(("method", "path", "body", "scopes", "permission"), OPERATIONS)
def test_a_key_needs_one_of_the_scopes(
    method: str, path: str, body: Any, scopes: tuple[str, ...], permission: str
) -> None:
    for scope in (*ALL, "deposits:write"):
        answer = call(make_gateway(scope).http, method, path, body)
        if scope in scopes:
            assert answer.status_code in {200, 201, 202}, (scope, answer.content)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), scope


@pytest.mark.parametrize(("method", "path", "body", "scopes", "permission"), OPERATIONS)
def test_people_need_the_permission(
    method: str, path: str, body: Any, scopes: tuple[str, ...], permission: str, api: Callable[..., Any]
) -> None:
    assert call(api(None), method, path, body).status_code == 401
    for role in sorted(STAFF_ROLES | {Role.CUSTOMER}):
        user = make_user(f"{role.value}@bank.example", role)
        answer = call(api(user), method, path, body)
        if permission in ROLE_PERMISSIONS[role]:
            assert answer.status_code in {200, 201, 202}, (role, answer.content)
        else:
            assert answer.status_code == 403, role


def test_the_key_may_come_as_basic(db: None) -> None:
    gateway = make_gateway("fraud:score")
    encoded = base64.b64encode(gateway.key.replace(".", ":").encode()).decode()
    http = APIClient()
    http.credentials(HTTP_AUTHORIZATION=f"Basic {encoded}")
    assert http.get(f"{ROOT}model").status_code == 200


def test_each_call_is_written_down_with_its_key_and_how_long_it_took(officer: User, api: Callable[..., Any]) -> None:
    gateway = make_gateway("fraud:configure")
    assert gateway.post("features/is_night/disable", WHY, key="night-off-1").status_code == 200
    assert gateway.post("features/is_night/disable", {}, key="night-off-2").status_code == 400
    assert gateway.post("features/nothing/disable", WHY, key="night-off-3").status_code == 404
    assert make_gateway("fraud:score").post("features/is_night/disable", WHY, key="night-off-4").status_code == 403
    assert api(officer).get(f"{ROOT}model").status_code == 200
    APIClient().get(f"{ROOT}model")

    seen = list(ApiCall.objects.order_by("pk").values_list("idempotency_key", "method", "status", "code"))
    assert seen == [
        ("night-off-1", "POST", 200, ""),
        ("night-off-2", "POST", 400, "validation_error"),
        ("night-off-3", "POST", 404, "unknown_feature"),
        ("night-off-4", "POST", 403, "scope_missing"),
        ("", "GET", 200, ""),
    ]
    first = ApiCall.objects.order_by("pk")[0]
    assert (first.client_id, first.path) == (gateway.client.pk, f"{ROOT}features/is_night/disable")
    assert first.latency_ms > 0
    assert ApiCall.objects.filter(user=officer, client=None).count() == 1


def test_calls_are_kept_as_they_were_and_forgotten_when_they_are_old(as_owner: Callable[..., Any]) -> None:
    now = timezone.now()
    make_gateway("fraud:score").get("model")
    for statement in ("DELETE FROM fraud_apicall", "UPDATE fraud_apicall SET status = 500", "TRUNCATE fraud_apicall"):
        with pytest.raises(DatabaseError), transaction.atomic(), as_owner() as cursor:
            cursor.execute(statement)
    old = ApiCall.objects.get()
    old.pk, old.at = None, now - timedelta(days=91)
    old.save(force_insert=True)
    assert services.purge_calls(now=now) == 1
    assert ApiCall.objects.count() == 1


def test_a_log_that_cannot_be_written_stops_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = make_gateway("fraud:score")

    def fail(**_: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(ApiCall.objects, "create", fail)
    assert gateway.get("model").status_code == 200
