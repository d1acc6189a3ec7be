"""Hash chains that show tampering, for every trail of the house: the audit trail, and the ledger's entries.

Rows are sealed in blocks. A block's digest covers each value of each of its rows in order; a seal's digest covers the
block, its bounds and the seal before it. So one changed, added, swapped or missing row breaks its block, and a replaced
block breaks every seal after it. Only the newest end of a chain could be cut off unseen, therefore each new head goes
into a file (`HeadFile`) that should be carried away from the machine.

Nothing here knows a table. `audit` seals events with it and `ledger` its entries; both verify in one pass over the rows.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

_LONGEST_LINE = 4096
# What the first seal of a chain names as the one before it.
GENESIS = "0" * 64


def encode(values: Iterable[object]) -> bytes:
    """Values as bytes that no other values share: each carries its kind and its length.

    Takes None, bool, int, str, bytes, UUID, date, aware datetime, and mappings and sequences of JSON. Raises TypeError
    for anything else, floats included: their text is not the same everywhere.
    """
    return b"".join(_tagged(value) for value in values)


def _tagged(value: object) -> bytes:
    kind, body = _plain(value)
    return kind + len(body).to_bytes(8, "big") + body


def _plain(value: object) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"n", b""
        case bool():
            return b"b", b"1" if value else b"0"
        case int():
            return b"i", str(int(value)).encode()
        case str():
            return b"s", str(value).encode()
        case bytes() | bytearray() | memoryview():
            return b"x", bytes(value)
        case UUID():
            return b"u", value.bytes
        case datetime():
            if value.utcoffset() is None:
                raise TypeError("a time without a zone cannot be sealed")
            return b"t", value.astimezone(UTC).isoformat(timespec="microseconds").encode()
        case date():
            return b"d", value.isoformat().encode()
        case Mapping() | list() | tuple():
            text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
            return b"j", text.encode()
    raise TypeError(f"a {type(value).__name__} cannot be sealed")


class Block:
    """The rows of one block, hashed as they come: any number in constant memory."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()

    def add(self, values: Iterable[object]) -> None:
        """Take the next row. Raises TypeError as `encode` does."""
        body = encode(values)
        self._hash.update(len(body).to_bytes(8, "big") + body)
        self.count += 1

    def digest(self) -> str:
        """SHA-256 over the rows so far, in hexadecimal."""
        return self._hash.hexdigest()


def chained(*, previous: str, number: int, start: int, end: int, count: int, rows: str) -> str:
    """The digest of seal `number` over a block: `rows` is `Block.digest()`, `start` and `end` are the block's bounds.

    `previous` is the digest of the seal before it, GENESIS for the first.
    """
    return hashlib.sha256(encode([previous, number, start, end, count, rows])).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """A seal as it is told to the outside: its number, how many rows it covers, its digest, and when (ISO 8601)."""

    number: int
    count: int
    digest: str
    sealed_at: str


class HeadFileBroken(Exception):
    """The file cannot be read as a list of heads; `line` counts from 1."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(f"{path}, line {line}: not a head")


class HeadFile:
    """Heads of one chain, one JSON document a line, oldest first. Lines are only ever appended."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Head]:
        """Every head; none when there is no file yet. Raises HeadFileBroken."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield Head(**json.loads(line))
                except (ValueError, TypeError) as error:
                    raise HeadFileBroken(self.path, number) from error

    def last(self) -> Head | None:
        """The newest head, or None; read from the end, however long the file is. Raises HeadFileBroken."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - _LONGEST_LINE, 0))
            lines = file.read().splitlines()
        if not lines:
            return None
        try:
            return Head(**json.loads(lines[-1]))
        except (ValueError, TypeError):
            # Reading it all tells which line it is.
            return max(self, key=lambda head: head.number)

    def append(self, heads: Iterable[Head]) -> None:
        """Add heads and wait until the disk has them. Raises OSError."""
        text = "".join(json.dumps(asdict(head), sort_keys=True) + "\n" for head in heads)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
