"""Telling a repeated request from a new one."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping

_KEYS = uuid.UUID("5f0c1f6e-7f0b-5a6d-9d0c-3f6a3e2b8c11")


def payload_hash(payload: Mapping[str, str | int]) -> str:
    """SHA-256 of the request's content, the same for the same content in any order."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def client_id_of(*, customer: uuid.UUID, key: str) -> uuid.UUID:
    """The permanent client id of an API request: the Idempotency-Key lasts a day, this lasts as long as the payment."""
    return uuid.uuid5(_KEYS, f"{customer}:{key}")


def reversal_ref(payment_id: uuid.UUID) -> uuid.UUID:
    """The ledger's reference of a payment's reversal: one payment has one."""
    return uuid.uuid5(payment_id, "reversal")
