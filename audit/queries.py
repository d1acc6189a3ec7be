"""Reading the trail as its seals cover it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from audit.models import AuditEvent, Seal
from common import seals

# Part of every digest, in this order: a column added later begins a new chain, or stays out of it.
SEALED_FIELDS = (
    "xid",
    "id",
    "at",
    "actor_id",
    "action",
    "subject_kind",
    "subject_id",
    "reason",
    "data",
    "request_id",
    "ip",
    "channel",
)


def horizon() -> int:
    """The id of the oldest transaction that has not ended. To the ones below it nobody adds any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


def sealed_values(*, start: int = 0, end: int) -> Iterator[tuple[Any, ...]]:
    """The sealed values of each event of the transactions from `start` up to, not including, `end`, in sealing order."""
    events = AuditEvent.objects.filter(xid__gte=start, xid__lt=end).order_by("xid", "id")
    yield from events.values_list(*SEALED_FIELDS).iterator(chunk_size=2000)


def head_file() -> seals.HeadFile:
    """Where the heads of this installation's trail are kept, outside the database."""
    return seals.HeadFile(Path(settings.SEALS_ROOT) / "audit.jsonl")


def head_of(seal: Seal) -> seals.Head:
    """A seal as the head file tells it."""
    return seals.Head(seal.number, seal.count, seal.digest, seal.sealed_at.isoformat())
