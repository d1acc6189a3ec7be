"""Sealing what was posted: blocks of entries, each hashed with the seal before it, and the newest seal told to the outside.

The database hashes (`ledger/sql/seal.sql`), so a caller can only have the truth sealed. `verify_ledger` hashes the rows again
by itself. A chain shows every change but the loss of its own end; the file of heads and whoever listens remember that.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from common.db import require_transaction, use_case
from common.seals import Head, HeadFile
from ledger import queries
from ledger.errors import HeadsDiffer, SealsAhead
from ledger.models import Seal
from ledger.sql.calls import call

__all__ = ["HeadsDiffer", "SealsAhead", "export_heads", "register", "run", "seal"]

# Entries of a block, so many or a few more: one transaction is never divided. Blocks of one database transaction.
BLOCK = 1_000
BLOCKS = 50

Listener = Callable[[Head], None]
_listeners: dict[str, Listener] = {}


def register(name: str, listener: Listener) -> None:
    """Hear of each new head, in the transaction that sealed it; registering a name again replaces its listener."""
    _listeners[name] = listener


def seal() -> int:
    """Seal what is not sealed yet, at most `BLOCKS` blocks, and tell the listeners of the newest. Returns how many.

    Zero when there is nothing to seal or another worker is at it. Raises NoTransaction, SealsAhead.
    """
    require_transaction()
    sealed = int(call("SELECT ledger_seal(%s, %s)", (BLOCK, BLOCKS))[0])
    if sealed:
        head = _head(Seal.objects.order_by("-number")[0])
        for listener in _listeners.values():
            listener(head)
    return sealed


def export_heads(file: HeadFile) -> int:
    """Append the seals that the file does not have yet, and wait until the disk has them. Returns how many.

    Raises HeadsDiffer when the file's last head is not a seal of this ledger, HeadFileBroken, OSError.
    """
    with use_case():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ledger_seal'))")
        last = file.last()
        if last is not None and not Seal.objects.filter(number=last.number, digest=last.digest).exists():
            raise HeadsDiffer(data={"seal": last.number})
        newer = Seal.objects.filter(number__gt=last.number if last else 0).order_by("number")
        heads = [_head(each) for each in newer.iterator()]
        if heads:
            file.append(heads)
        return len(heads)


def run() -> int:
    """Seal everything that can be sealed now, a few blocks a transaction, then export the heads. Returns how many seals.

    Opens its own transactions. Raises what `seal` and `export_heads` raise.
    """
    total = 0
    while True:
        with use_case():
            sealed = seal()
        if not sealed:
            break
        total += sealed
    export_heads(queries.seal_heads())
    return total


def _head(seal: Seal) -> Head:
    return Head(
        number=seal.number,
        count=seal.entries,
        digest=seal.digest,
        sealed_at=seal.sealed_at.isoformat(timespec="seconds"),
    )
