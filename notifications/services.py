"""Telling people: an outbox row in the business transaction, relayed by Celery."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from common.db import require_transaction
from notifications.models import OutboxEvent

logger = logging.getLogger(__name__)


def notify(*, user_id: int, kind: str, data: Mapping[str, Any] | None = None) -> None:
    """Write an outbox row; after commit the relay is nudged. A lost nudge is caught by the sweep.

    Raises NoTransaction outside a transaction.
    """
    require_transaction()
    now = timezone.now()
    OutboxEvent.objects.create(user_id=user_id, kind=kind, data=dict(data or {}), created_at=now, next_attempt_at=now)
    transaction.on_commit(_nudge, robust=True)


def _nudge() -> None:
    try:
        current_app.send_task("notifications.tasks.relay_outbox", ignore_result=True, retry=False)
    except (BrokerError, OSError):
        logger.warning("broker does not answer; the sweep will relay")
