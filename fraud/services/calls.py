"""Who called the fraud API, with which idempotency key, and how long the answer took."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

from django.db import DatabaseError

from common import request_context
from fraud.models import CALLS_KEPT_DAYS, ApiCall

logger = logging.getLogger(__name__)

_AT_ONCE = 10_000


def record_call(
    *,
    user_id: int,
    client_id: uuid.UUID | None,
    method: str,
    path: str,
    status: int,
    code: str,
    idempotency_key: str,
    latency_ms: float,
    now: datetime,
) -> None:
    """Write one call down, outside its own transaction, so that a refused one is known too.

    A database that does not answer stops no answer: the failure is logged.
    """
    try:
        ApiCall.objects.create(
            at=now,
            user_id=user_id,
            client_id=client_id,
            method=method,
            path=_plain(path)[:200],
            status=status,
            code=code[:60],
            idempotency_key=_plain(idempotency_key)[:100],
            latency_ms=latency_ms,
            request_id=request_context.current().request_id[:64],
        )
    except DatabaseError:
        logger.exception("a call of the fraud API was not written down", extra={"path": path, "status": status})


def purge_calls(*, now: datetime) -> int:
    """Forget calls older than `CALLS_KEPT_DAYS`, a bounded number at a time. Returns how many."""
    old = ApiCall.objects.filter(at__lt=now - timedelta(days=CALLS_KEPT_DAYS)).order_by("at", "id")
    deleted, _ = ApiCall.objects.filter(pk__in=old.values("pk")[:_AT_ONCE]).delete()
    return deleted


def _plain(text: str) -> str:
    """What the caller sent, without signs that a log must not hold and a database does not take."""
    return "".join(sign for sign in text if sign.isprintable())
