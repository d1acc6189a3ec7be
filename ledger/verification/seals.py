"""Seals against what they cover: the chain from seal to seal, the rows of each block, and the heads that left the house.

The digests are made here, from rows as they are now; nothing that the sealing function wrote is taken for granted.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from common import seals
from ledger.models import Seal

CHAIN = "Seals follow from one another"
BLOCKS = "Entries are as they were sealed"
HEADS = "Seals are those that were exported"
COVERED = "Every entry below the last seal is sealed"
# Rows fetched at a time; a block may be as large as one transaction was.
FETCH = 2_000

Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Blocks that are checked in one go: seals `first` to `last`, covering so many entries."""

    first: int
    last: int
    entries: int


class _Exported:
    """The heads that left the house, read beside the chain, both oldest first."""

    def __init__(self, heads: Iterator[seals.Head], *, first: int) -> None:
        self._heads = (head for head in heads if head.number >= first)
        self._next = next(self._heads, None)

    def compare(self, number: int, digest: str) -> Iterator[Row]:
        """Yield the exported seals below `number`, which the ledger does not have, and this one if it is another."""
        while self._next is not None and self._next.number <= number:
            head, self._next = self._next, next(self._heads, None)
            if head.number < number:
                yield (HEADS, f"seal {head.number}", head.digest, "no such seal")
            elif head.digest != digest:
                yield (HEADS, f"seal {number}", head.digest, digest)

    def rest(self) -> Iterator[Row]:
        """Yield those above the ledger's last seal."""
        while self._next is not None:
            head, self._next = self._next, next(self._heads, None)
            yield (HEADS, f"seal {head.number}", head.digest, "no such seal: the end of the ledger was cut off")


def chain(*, after: int, heads: Iterator[seals.Head], stretches: list[Stretch], size: int) -> Iterator[Row]:
    """Walk the seals after number `after`, oldest first, beside the exported heads; fill `stretches` with work.

    Yields what does not agree. The seal `after` itself is trusted when it is the one that was exported.
    """
    exported = _Exported(heads, first=max(after, 1))
    digest, cut, number = seals.GENESIS, 0, after
    if after:
        trusted = Seal.objects.get(number=after)
        digest, cut = trusted.digest, _xid(trusted.cut)
        yield from exported.compare(after, digest)
    first, entries = after + 1, 0
    for seal in Seal.objects.filter(number__gt=after).order_by("number").iterator(chunk_size=FETCH):
        if seal.number != number + 1:
            yield (CHAIN, f"seal {number + 1}", "a seal", f"seal {seal.number} comes next")
        yield from _linked(seal, digest, cut)
        yield from exported.compare(seal.number, seal.digest)
        number, digest, cut, entries = seal.number, seal.digest, _xid(seal.cut), entries + seal.entries
        if entries >= size:
            stretches.append(Stretch(first, number, entries))
            first, entries = number + 1, 0
    if entries:
        stretches.append(Stretch(first, number, entries))
    yield from exported.rest()


def link(*, number: int) -> Iterator[Row]:
    """One seal against the one before it and against itself; nothing when both agree."""
    before = Seal.objects.filter(number=number - 1).first()
    seal = Seal.objects.get(number=number)
    yield from _linked(seal, before.digest, _xid(before.cut)) if before else _linked(seal, seals.GENESIS, 0)


def _linked(seal: Seal, previous: str, cut: int) -> Iterator[Row]:
    """One seal against the one before it and against itself."""
    if (seal.previous, seal.start) != (previous, cut):
        yield (
            CHAIN,
            f"seal {seal.number}",
            f"after {previous} from transaction {cut}",
            f"after {seal.previous} from transaction {seal.start}",
        )
    made = seals.chained(
        previous=seal.previous,
        number=seal.number,
        start=_xid(seal.start),
        end=_xid(seal.cut),
        count=seal.entries,
        rows=seal.rows_digest,
    )
    if made != seal.digest:
        yield (CHAIN, f"seal {seal.number}", made, seal.digest)


def _xid(value: int | None) -> int:
    assert value is not None, "the columns of a seal are not null"
    return value


def blocks(*, first: int, last: int) -> Iterator[Row]:
    """Hash the rows of seals `first` to `last` again and yield each block that is not as it was sealed."""
    sealed = list(Seal.objects.filter(number__range=(first, last)).order_by("number"))
    if not sealed:
        return
    starts = [_xid(seal.start) for seal in sealed]
    found = [seals.Block() for _ in sealed]
    for xid, content in _rows(starts[0], _xid(sealed[-1].cut)):
        found[bisect_right(starts, xid) - 1].add([hashlib.sha256(content.encode()).digest()])
    for seal, block in zip(sealed, found, strict=True):
        if (block.count, block.digest()) != (seal.entries, seal.rows_digest):
            yield (
                BLOCKS,
                f"block {seal.number}, entries {seal.first_entry} to {seal.last_entry}",
                f"{seal.entries} entries, {seal.rows_digest}",
                f"{block.count} entries, {block.digest()}",
            )


def _rows(start: int, cut: int) -> Iterator[tuple[int, str]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT entry_xid::text, content FROM ledger_seal_rows(%s::xid8, %s::xid8)", [str(start), str(cut)]
        )
        while rows := cursor.fetchmany(FETCH):
            for xid, content in rows:
                yield int(xid), content


def covered(limit: int) -> Iterator[Row]:
    """Entries below the last cut that belong to no block: put in afterwards, under an old transaction id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(s.entries), 0),
                   (SELECT count(*) FROM ledger_entry e
                     WHERE (e.xid::text)::bigint < coalesce((max(s.cut)::text)::bigint, 0))
              FROM ledger_seal s
            """
        )
        sealed, there = cursor.fetchone()
    if sealed != there and limit:
        yield (COVERED, "the ledger", f"{sealed} sealed entries", f"{there} entries below the last seal")
