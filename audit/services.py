"""Writing to the trail, inside the transaction of what it tells about."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from audit.models import AuditEvent, IdempotencyRecord
from common import request_context
from common.db import require_transaction
from identity.models import User


def record(
    *,
    actor: User | None,
    action: str,
    subject_kind: str,
    subject_id: uuid.UUID | int | str,
    data: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append one event; `actor` None is the system. Request id, address and channel come from the request context.

    Raises NoTransaction outside a transaction: the event and what it tells about stand or fall together.
    """
    require_transaction()
    context = request_context.current()
    AuditEvent.objects.create(
        at=timezone.now(),
        actor=actor,
        action=action,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        reason=reason,
        data=dict(data or {}),
        request_id=context.request_id,
        ip=context.ip or None,
        channel=context.channel,
    )


def purge_idempotency_records(*, now: datetime) -> int:
    """Delete answers that expired; returns how many."""
    count, _ = IdempotencyRecord.objects.filter(expires_at__lt=now).delete()
    return count
