"""Connections that are asked whether they live by looking, not by a query: each request looks before its first query.

A server that ends, is killed or drops a connection closes its socket, and a closed socket can be read. So can one on
which the server said something that nobody asked for. An idle connection in order has nothing to read.

Transactions, savepoints and what `later` is given wait for the next statement (`common.postgres.line`).
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction

from common.postgres.line import Cursor, Line


class DatabaseWrapper(base.DatabaseWrapper):
    connection: Line | None
    _may_wait = False

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "connection_factory": Line, "cursor_factory": Cursor}

    def is_usable(self) -> bool:
        """After an error the server is asked, as Django does; otherwise a silent socket is good enough."""
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred:
            return super().is_usable()
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0)

    def later(self, sql: str, parameters: Sequence[Any] | None = None, *, writes: bool) -> None:
        """Run a statement without an answer before the next one, in the same trip; outside a transaction at once.

        `writes` says that it has to be done even when nothing follows but the commit. A savepoint does not end before it
        was done, so whoever catches a refusal around an atomic block gets those of all that was written in it.
        """
        if not self.in_atomic_block or self.queries_logged or self.execute_wrappers:
            with self.cursor() as cursor:
                cursor.execute(sql, parameters)
            return
        self.validate_no_broken_transaction()
        self.ensure_connection()
        assert self.connection is not None
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            self.connection.later(cursor.mogrify(sql, parameters), writes=writes)

    def let_writes_wait(self) -> None:
        """The savepoint that ends next does not wait for what was written in it: a refusal comes up at the next statement."""
        self._may_wait = True

    def make_debug_cursor(self, cursor: Any) -> Any:
        """Whoever looks at the statements sees each apart."""
        if self.connection is not None:
            self.connection.send()
        return super().make_debug_cursor(cursor)

    def _start_transaction_under_autocommit(self) -> None:
        assert self.connection is not None
        with debug_transaction(self, "BEGIN"), self.wrap_database_errors:
            self.connection.begin()

    def _set_autocommit(self, autocommit: bool) -> None:
        """psycopg's own is always on (`Line`); setting it costs nothing but has to be done once."""
        assert self.connection is not None
        if not self.connection.autocommit:
            super()._set_autocommit(True)  # type: ignore[misc]
        if not autocommit:
            self._start_transaction_under_autocommit()

    def _savepoint(self, sid: str) -> None:
        self.send_writes()
        self._let_wait(self.ops.savepoint_create_sql(sid))

    def _savepoint_commit(self, sid: str) -> None:
        """What was written since the savepoint is refused here, if at all, unless that was let wait."""
        may_wait, self._may_wait = self._may_wait, False
        self._let_wait(self.ops.savepoint_commit_sql(sid))
        if not may_wait:
            self.send_writes()

    def _savepoint_rollback(self, sid: str) -> None:
        """What still waits was asked for since the savepoint, unless that waits itself."""
        self._may_wait = False
        create = self.ops.savepoint_create_sql(sid).encode()
        if self.connection is not None and create in self.connection.waiting:
            self.connection.forget(after=create)
            return
        if self.connection is not None:
            self.connection.take()
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def _let_wait(self, sql: str) -> None:
        if self.queries_logged or self.connection is None:
            with self.cursor() as cursor:
                cursor.execute(sql)
        else:
            with self.wrap_database_errors:
                self.connection.later(sql.encode(), writes=False)

    def send_writes(self) -> None:
        """What was written and still waits is refused here, if at all."""
        if self.connection is not None and self.connection.writes:
            with self.wrap_database_errors:
                self.connection.send()
