"""Recompute the whole ledger from its postings and name whatever does not agree. Reads only; one consistent snapshot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from django.db import connection, transaction

from ledger import queries, sql
from ledger.errors import UnknownSeal
from ledger.models import Seal
from ledger.verification import checks, seals

__all__ = ["Discrepancy", "Size", "counts", "newer_than", "problems_of_block", "verify"]

# How many entries, accounts' postings or sealed entries one piece of work has.
SPAN = 50_000
LOWEST, HIGHEST = -(2**63), 2**63 - 1
MONTH = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """`subject` names the entry, account, hold or seal; amounts are minor units."""

    check: str
    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is; for the closing line."""

    entries: int
    postings: int
    accounts: int
    seals: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some work that one connection does; `weight` is its part of the progress."""

    title: str
    weight: int
    find: Callable[[], list[seals.Row]]


Progress = Callable[[str, int, int], None]


def verify(
    *, jobs: int = 1, since: int | None = None, limit: int = 100, progress: Progress = lambda title, done, total: None
) -> Iterator[Discrepancy]:
    """Yield what does not agree, at most `limit` per check and stretch, all of it as of one moment.

    `jobs` connections share the work and one exported snapshot; inside a caller's transaction there is one, which sees
    the rows of that transaction. `since` is the number of a seal that is trusted: only what came after it is looked at.
    `progress` is told (title, done, total). Raises UnknownSeal.
    """
    with transaction.atomic():
        own = len(connection.atomic_blocks) == 1
        if own:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found, pieces = _plan(since=since, limit=limit)
        for row in found:
            yield Discrepancy(*row)
        total, done = sum(piece.weight for piece in pieces), 0
        for piece, rows in _in_parallel(pieces, jobs) if own and jobs > 1 else _one_by_one(pieces):
            done += piece.weight
            progress(piece.title, done, total)
            for row in rows:
                yield Discrepancy(*row)


def problems_of_block(number: int) -> list[Discrepancy]:
    """Hash the entries of one sealed block again, now, and its seal. Raises UnknownSeal."""
    _cut_of(number)
    rows = [*seals.link(number=number), *seals.blocks(first=number, last=number)]
    return [Discrepancy(*row) for row in rows]


def counts() -> Size:
    """How much the ledger holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM ledger_entry), (SELECT count(*) FROM ledger_posting),
                   (SELECT count(*) FROM ledger_ledgeraccount), (SELECT count(*) FROM ledger_seal)
            """
        )
        return Size(*cursor.fetchone())


def newer_than(number: int) -> int:
    """How many entries came after a seal. Raises UnknownSeal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM ledger_entry e WHERE (e.xid::text)::bigint >= %s::bigint", [str(_cut_of(number))]
        )
        return int(cursor.fetchone()[0])


# --- What is to be done ---------------------------------------------------------------------------------------------------


def _plan(*, since: int | None, limit: int) -> tuple[list[seals.Row], list[_Piece]]:
    """What the chain of seals shows at once, and the work that can be shared out."""
    cut = 0 if since is None else _cut_of(since)
    stretches: list[seals.Stretch] = []
    found = list(seals.chain(after=since or 0, heads=iter(queries.seal_heads()), stretches=stretches, size=SPAN))
    pieces = [
        _Piece(seals.BLOCKS, each.entries, partial(_blocks, each.first, each.last)) for each in reversed(stretches)
    ]
    lowest = LOWEST if since is None else _lowest_since(cut)
    per_entry = checks.ENTRIES if since is None else checks.ENTRIES + checks.RECENT
    for low, high, weight in _entry_spans(lowest):
        pieces += [_piece(check, weight // 10, limit, low=low, high=high) for check in per_entry]
    if since is None:
        for low, high, weight in _account_spans():
            pieces += [
                _piece(check, weight // 4, limit, low=low, high=high) for check in (*checks.ACCOUNTS, checks.DAILY)
            ]
        pieces.append(_Piece(seals.COVERED, 1, partial(_covered, limit)))
    whole = {"cut": str(cut), **_guards()}
    pieces += [_piece(check, 100, limit, **whole) for check in checks.WHOLE]
    return found, pieces


def _piece(check: checks.Check, weight: int, limit: int, **values: Any) -> _Piece:
    return _Piece(check.title, max(weight, 1), partial(_ask, check.statement, {**values, "limit": limit}))


def _ask(statement: str, values: dict[str, Any]) -> list[seals.Row]:
    with connection.cursor() as cursor:
        # The limit is the server's, so that a wrecked ledger does not fill our memory with its problems.
        cursor.execute(f"SELECT * FROM ({statement}) problems LIMIT %(limit)s", values)  # noqa: S608 - our own text
        return [(str(check), str(subject), str(expected), str(there)) for check, subject, expected, there in cursor]


def _blocks(first: int, last: int) -> list[seals.Row]:
    return list(seals.blocks(first=first, last=last))


def _covered(limit: int) -> list[seals.Row]:
    return list(seals.covered(limit))


def _cut_of(number: int) -> int:
    seal = Seal.objects.filter(number=number).first()
    if seal is None or seal.cut is None:
        raise UnknownSeal(data={"seal": number})
    return seal.cut


def _lowest_since(cut: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(e.id) FROM ledger_entry e WHERE (e.xid::text)::bigint >= %s", [cut])
        lowest = cursor.fetchone()[0]
    return HIGHEST if lowest is None else int(lowest)


def _entry_spans(lowest: int) -> Iterator[tuple[int, int, int]]:
    """The numbers from `lowest` on in spans without a gap between them: (low, high, about how many).

    Numbers are dense within a month and leap from month to month, so both ends of each month are looked up.
    """
    low, at = lowest, lowest
    while (first := _next_number(at)) is not None:
        ceiling = (first // MONTH + 1) * MONTH
        last = _last_number_below(ceiling)
        at = first
        while at <= last:
            high = min(at + SPAN - 1, last)
            if high == last and _next_number(ceiling) is None:
                yield low, HIGHEST, last - at + 1
                return
            yield low, high, high - at + 1
            low = at = high + 1
        at = ceiling
    yield low, HIGHEST, 0


def _next_number(number: int) -> int | None:
    return _number(
        "least((SELECT min(id) FROM ledger_entry WHERE id >= %(number)s), "
        "(SELECT min(entry_id) FROM ledger_posting WHERE entry_id >= %(number)s))",
        number,
    )


def _last_number_below(number: int) -> int:
    last = _number(
        "greatest((SELECT max(id) FROM ledger_entry WHERE id < %(number)s), "
        "(SELECT max(entry_id) FROM ledger_posting WHERE entry_id < %(number)s))",
        number,
    )
    assert last is not None, "only asked when there is one"
    return last


def _number(expression: str, number: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}", {"number": number})
        found = cursor.fetchone()[0]
    return None if found is None else int(found)


def _account_spans() -> Iterator[tuple[int, int, int]]:
    """All account numbers, in spans that have about so many postings by their balance rows."""
    low, weight = LOWEST, 0
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT account_id, seq FROM ledger_balance ORDER BY account_id")
        for account, postings in cursor:
            weight += max(postings, 0)
            if weight >= SPAN:
                yield low, account, weight
                low, weight = account + 1, 0
    yield low, HIGHEST, weight


def _guards() -> dict[str, list[str]]:
    """The functions and triggers as the files have them."""
    stems = (*sql.ARITHMETIC, *sql.INTERNAL, *sql.PUBLIC)
    texts = {f"ledger_{stem}": sql.text(stem).split("$$")[1] for stem in stems}
    triggers: list[tuple[str, str]] = []
    for stem in sql.GUARDS:
        triggers += re.findall(r"TRIGGER (ledger_\w+) (?:BEFORE|AFTER) [A-Z ]+ ON (\w+)", sql.text(stem))
    return {
        "functions": list(texts),
        "texts": list(texts.values()),
        "triggers": [name for name, _ in triggers],
        "relations": [relation for _, relation in triggers],
    }


# --- Who does it ----------------------------------------------------------------------------------------------------------


def _one_by_one(pieces: Sequence[_Piece]) -> Iterator[tuple[_Piece, list[seals.Row]]]:
    for piece in pieces:
        yield piece, piece.find()


def _in_parallel(pieces: Sequence[_Piece], jobs: int) -> Iterator[tuple[_Piece, list[seals.Row]]]:
    """Spread the work over connections that all see this transaction's snapshot. The server does most of it, so threads do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
    todo: SimpleQueue[_Piece | None] = SimpleQueue()
    done: SimpleQueue[tuple[_Piece, list[seals.Row]] | BaseException] = SimpleQueue()
    for piece in (*pieces, *[None] * jobs):
        todo.put(piece)
    threads = [Thread(target=_work, args=(snapshot, todo, done), daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    try:
        for _ in pieces:
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        # Whoever stopped asking gets no more: what is left is taken out of the queue.
        with suppress(Empty):
            while True:
                todo.get_nowait()
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join()


def _work(
    snapshot: str,
    todo: SimpleQueue[_Piece | None],
    done: SimpleQueue[tuple[_Piece, list[seals.Row]] | BaseException],
) -> None:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
            while (piece := todo.get()) is not None:
                done.put((piece, piece.find()))
    except BaseException as problem:  # noqa: BLE001 - it is raised again where the results are read
        done.put(problem)
    finally:
        connection.close()
