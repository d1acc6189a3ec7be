"""Whose decisions a caller reads, and how one of them looks."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from fraud.api.base import DECIDE
from fraud.queries.transactions import Reader
from fraud.rules.gateway import Gateway
from identity.authentication import ApiKey


def reader(request: Request) -> Reader:
    """A key sees what its gateway asked, with `fraud:decide` the bank's payments too; the view asked staff's permission."""
    if isinstance(request.auth, ApiKey):
        return Reader(request.auth.client_id, sees_bank=DECIDE in request.auth.scopes)
    return Reader(None, sees_bank=True)


def gateway(request: Request) -> Gateway:
    """The gateway behind a key; the view let nobody else in."""
    assert isinstance(request.auth, ApiKey), "only a key has the scope"
    return Gateway(request.auth.client_id, request.auth.key_id)


TRANSACTION: dict[str, Any] = {
    "id": "5d0c2e5c-4f1c-4d3b-9b0a-6c1f0f6b7d11",
    "kind": "gateway",
    "transaction_id": "shop-2026-000871",
    "status": "PENDING",
    "decision_id": "c2a7f4de-0b55-4f4c-8a0e-1b8b6e9f2d10",
    "case_id": "9d5d3c0f-3a0b-4c0e-9e57-9a8b4b6c1f22",
    "outcome": "FLAGGED",
    "score": 0.6,
    "level": "SUSPICIOUS",
    "risk_level": "MEDIUM",
    "confidence": "LOW",
    "agreement_percent": 20,
    "layers": {"rules": 0.6, "supervised": 0.21, "isolation_forest": 0.33, "one_class_svm": 0.1, "autoencoder": 0.28},
    "primary_method": "rules",
    "reasons": [
        {
            "code": "LARGE_AWAY_FROM_HOME",
            "text": "This is a large payment, asked for from outside your home country.",
            "detail": "Amount above €5,000.00 and away from home. Amount: €6,200.00.",
        }
    ],
    "amount": "6200.00",
    "currency": "EUR",
    "at": "2026-11-21T10:15:00Z",
    "transfer_type": "CARD",
    "channel": "GATEWAY",
    "decided_at": None,
    "checklist": [],
}
