"""Recompute every seal of the trail and name whatever does not agree. One pass over the events, in one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from audit import queries
from audit.models import AuditEvent, Seal
from common import seals


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """`subject` names a seal or the head file; `what` says in a sentence what is wrong there."""

    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.what}"


@dataclass(slots=True)
class Counts:
    """What was looked at; `unsealed` events came after the newest seal, so nothing proves them yet."""

    seals: int = 0
    events: int = 0
    unsealed: int = 0
    heads: int = 0


def verify(
    *, head_file: seals.HeadFile, counts: Counts, advanced: Callable[[int], object] = lambda events: None
) -> Iterator[Discrepancy]:
    """Yield what does not agree; `counts` is filled on the way, `advanced` is told of events that were read.

    Finds changed, added and deleted events, changed and missing seals, and by the head file a tail that was cut off or
    a chain that was written anew.
    """
    with transaction.atomic():
        if len(connection.atomic_blocks) == 1:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        digests: dict[int, seals.Head] = {}
        yield from _seals(counts, advanced, digests)
        yield from _heads(head_file, counts, digests)


def _seals(counts: Counts, advanced: Callable[[int], object], digests: dict[int, seals.Head]) -> Iterator[Discrepancy]:
    last = Seal.objects.order_by("-number").first()
    end = last.to_xid if last else 0
    events = queries.sealed_values(end=end)
    event = next(events, None)
    previous, number, bound = seals.GENESIS, 0, 0
    for seal in Seal.objects.order_by("number").iterator(chunk_size=2000):
        number += 1
        if seal.number != number:
            yield Discrepancy(f"seal {number}", f"missing; the next one is seal {seal.number}")
            number = seal.number
        if seal.from_xid != bound:
            yield Discrepancy(str(seal), f"begins at transaction {seal.from_xid}, the one before ends at {bound}")
        block = seals.Block()
        while event is not None and event[0] < seal.to_xid:
            block.add(event)
            event = next(events, None)
        yield from _block(seal, block, previous)
        previous, bound = seal.digest, seal.to_xid
        digests[seal.number] = queries.head_of(seal)
        counts.seals += 1
        counts.events += block.count
        advanced(block.count)
    counts.unsealed = AuditEvent.objects.filter(xid__gte=end).count()


def _block(seal: Seal, block: seals.Block, previous: str) -> Iterator[Discrepancy]:
    name = f"{seal} of {seal.sealed_at:%Y-%m-%d %H:%M:%S} UTC (transactions {seal.from_xid} to {seal.to_xid})"
    if block.count != seal.count:
        yield Discrepancy(name, f"{seal.count} events were sealed, {block.count} are there")
        return
    told: dict[str, Any] = {"number": seal.number, "start": seal.from_xid, "end": seal.to_xid, "count": seal.count}
    if seals.chained(previous=previous, rows=block.digest(), **told) != seal.digest:
        yield Discrepancy(name, "an event of this block, or the seal itself, was changed")


def _heads(file: seals.HeadFile, counts: Counts, digests: dict[int, seals.Head]) -> Iterator[Discrepancy]:
    name = f"head file {file.path.name}"
    try:
        for head in file:
            counts.heads += 1
            if head.number not in digests:
                yield Discrepancy(
                    name, f"seal {head.number} of {head.sealed_at} is not in the database: it was cut off"
                )
            elif digests[head.number] != head:
                yield Discrepancy(name, f"seal {head.number} is another one in the database: it was written anew")
    except seals.HeadFileBroken as error:
        yield Discrepancy(name, str(error))
    if digests and not counts.heads:
        yield Discrepancy(name, "missing or empty, so nothing would show a tail that was cut off")
