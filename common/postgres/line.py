"""A connection on which statements without an answer wait for the next one, and travel with it.

To open a transaction, to set or release a savepoint, to take a lock, to insert a row: nobody reads what the server says to
these, only whether it refused. Each of them asked alone costs both sides as much as a small look-up. The server works them
off one after the other, each with a view of the data of its own, as if they had come apart. A refusal comes up at the
statement with which they travel, at the end of the savepoint or at the commit, whichever is first.
"""

from __future__ import annotations

from typing import Any

from psycopg2 import extensions

# So much may wait: a loop that only writes must not fill the memory.
_WAITING_AT_MOST = 32
_BEGIN = b"BEGIN"


class Line(extensions.connection):  # type: ignore[misc]
    """psycopg's connection, always in its autocommit: transactions begin and end by statements of our own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: list[bytes] = []
        # Names of the statements that the server has prepared for it.
        self.prepared: set[str] = set()
        # Whether something waits that must not get lost with a transaction that does nothing else.
        self.writes = False

    def later(self, statement: bytes, *, writes: bool) -> None:
        """Let a whole statement wait."""
        self.waiting.append(statement)
        self.writes = self.writes or writes
        if len(self.waiting) >= _WAITING_AT_MOST:
            self.send()

    def take(self) -> list[bytes]:
        """What waits, for somebody who sends it."""
        taken, self.waiting, self.writes = self.waiting, [], False
        return taken

    def forget(self, *, after: bytes) -> None:
        """Drop what was asked for after this statement, which waits itself and behind no write."""
        del self.waiting[self.waiting.index(after) + 1 :]
        self.writes = False

    def send(self) -> None:
        """Send what waits by itself."""
        if self.waiting:
            self._run(b";".join(self.take()))

    def begin(self) -> None:
        self.later(_BEGIN, writes=False)

    def commit(self) -> None:
        """End the transaction; one that did not begin to do anything ends without a word."""
        begun, wrote = self._has_begun(), self.writes
        taken = self.take()
        if begun or wrote:
            self._run(b";".join([*taken, b"COMMIT"]))

    def rollback(self) -> None:
        self.take()
        if self._has_begun():
            self._run(b"ROLLBACK")

    def _has_begun(self) -> bool:
        """Whether the server knows of a transaction, as far as this side knows; on a broken line it is asked, and fails."""
        return bool(self.closed or self.get_transaction_status() != extensions.TRANSACTION_STATUS_IDLE)

    def _run(self, statements: bytes) -> None:
        with extensions.cursor(self) as cursor:
            cursor.execute(statements)


class Cursor(extensions.cursor):  # type: ignore[misc]
    """Takes along what waits on its line."""

    connection: Line

    def execute(self, query: Any, values: Any = None) -> None:
        if not self.connection.waiting:
            super().execute(query, values)
        elif self.name is not None:
            self.connection.send()
            super().execute(query, values)
        else:
            # Before the queue is taken: what cannot be written as a statement was never sent.
            statement = self.mogrify(query, values)
            super().execute(b";".join([*self.connection.take(), statement]))

    def executemany(self, query: Any, each: Any) -> None:
        self.connection.send()
        super().executemany(query, each)

    def callproc(self, *args: Any, **kwargs: Any) -> Any:
        self.connection.send()
        return super().callproc(*args, **kwargs)

    def copy_expert(self, *args: Any, **kwargs: Any) -> None:
        self.connection.send()
        super().copy_expert(*args, **kwargs)

    def copy_from(self, *args: Any, **kwargs: Any) -> None:
        self.connection.send()
        super().copy_from(*args, **kwargs)

    def copy_to(self, *args: Any, **kwargs: Any) -> None:
        self.connection.send()
        super().copy_to(*args, **kwargs)
