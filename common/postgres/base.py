"""Connections that are asked whether they live by looking, not by a query: each request looks before its first query.

A server that ends, is killed or drops a connection closes its socket, and a closed socket can be read. So can one on
which the server said something that nobody asked for. An idle connection in order has nothing to read.
"""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """After an error the server is asked, as Django does; otherwise a silent socket is good enough."""
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred:
            return super().is_usable()
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0)
