"""Callers of the fraud API: a gateway with a key, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.utils import timezone
from rest_framework.test import APIClient

from identity import services as identity
from identity.models import ApiClient

ROOT = "/api/v1/fraud/"
ALL = ("fraud:score", "fraud:decide", "fraud:configure")


@dataclass
class Gateway:
    """An API client with a real key."""

    client: ApiClient
    key: str
    http: APIClient

    def get(self, path: str, **query: Any) -> Any:
        return self.http.get(f"{ROOT}{path}", query)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self.http.post(f"{ROOT}{path}", {} if body is None else body, format="json", headers=headers)


def make_gateway(*scopes: str) -> Gateway:
    """A gateway whose key has these scopes, or all of the fraud engine's."""
    issued = identity.create_api_client(
        actor=None, name=f"Gateway {uuid4().hex[:8]}", scopes=scopes or ALL, now=timezone.now()
    )
    http = APIClient()
    http.credentials(HTTP_X_API_KEY=issued.key)
    return Gateway(issued.client, issued.key, http)


def told(**changes: Any) -> dict[str, Any]:
    """A small card payment at home, of another customer each time."""
    return {
        "transaction_id": f"tx-{uuid4().hex}",
        "customer_id": f"card-{uuid4().hex[:12]}",
        "beneficiary_id": "terminal-1",
        "amount": "12.50",
        "currency": "EUR",
        "ip": "203.0.113.9",
        "country": "DE",
        "home_country": "DE",
        **changes,
    }


def suspicious(**changes: Any) -> dict[str, Any]:
    """A large card payment abroad, which a shipped rule flags."""
    return told(amount="6200.00", country="NG", **changes)
