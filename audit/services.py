"""Writing to the trail, inside the transaction of what it tells about; and sealing it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from audit import queries
from audit.errors import TrailCut, TransactionIdsBehind
from audit.models import AuditEvent, IdempotencyRecord, Seal
from common import request_context, seals
from common.db import lock_advisory, require_transaction, use_case
from common.rows import fresh, insert
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
    insert(
        event(actor=actor, action=action, subject_kind=subject_kind, subject_id=subject_id, data=data, reason=reason)
    )


def event(
    *,
    actor: User | None,
    action: str,
    subject_kind: str,
    subject_id: uuid.UUID | int | str,
    data: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """The event that `record` appends, for a caller that inserts it together with its own rows. Raises NoTransaction."""
    require_transaction()
    context = request_context.current()
    return fresh(
        AuditEvent,
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


# "audi", and the one thing there is to lock.
_LOCK = {"namespace": 0x61756469, "key": 1}


def seal_trail(*, now: datetime) -> Seal | None:
    """Seal the events of every transaction that has ended, and carry the new head to the head file.

    None when there is nothing new. Safe to run twice and by two workers. Raises TrailCut when the file knows of a seal
    that the database lacks: sealing on would bury the evidence. Raises TransactionIdsBehind on a server that was filled
    from a dump: its new events would look like late additions to old blocks.
    """
    with use_case():
        lock_advisory(**_LOCK)
        _export_heads()
        seal = _seal_block(now)
    with use_case():
        lock_advisory(**_LOCK)
        _export_heads()
    return seal


def _seal_block(now: datetime) -> Seal | None:
    last = Seal.objects.order_by("-number").first()
    start, end = last.to_xid if last else 0, queries.horizon()
    if end < start:
        raise TransactionIdsBehind(data={"newest_seal": start, "oldest_open": end})
    block = seals.Block()
    for row in queries.sealed_values(start=start, end=end):
        block.add(row)
    if not block.count:
        return None
    number = last.number + 1 if last else 1
    return Seal.objects.create(
        number=number,
        from_xid=start,
        to_xid=end,
        count=block.count,
        digest=seals.chained(
            previous=last.digest if last else seals.GENESIS,
            number=number,
            start=start,
            end=end,
            count=block.count,
            rows=block.digest(),
        ),
        sealed_at=now,
    )


def _export_heads() -> None:
    file = queries.head_file()
    known = file.last()
    if known is not None:
        kept = Seal.objects.filter(number=known.number).first()
        if kept is None or queries.head_of(kept) != known:
            raise TrailCut(data={"number": known.number})
    newer = Seal.objects.filter(number__gt=known.number if known else 0).order_by("number")
    heads = [queries.head_of(seal) for seal in newer]
    if heads:
        file.append(heads)


def purge_idempotency_records(*, now: datetime) -> int:
    """Delete answers that expired; returns how many."""
    count, _ = IdempotencyRecord.objects.filter(expires_at__lt=now).delete()
    return count
