"""Waiting for what other tests do on the one server: seals and snapshots stop at the oldest transaction that still runs."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

from django.db import connection

PATIENCE = 900  # seconds: a test beside this one may compute for minutes inside its transaction
RUNNING = """
    SELECT datname, pid, state, now() - xact_start, left(query, 200) FROM pg_stat_activity
     WHERE backend_xid IS NOT NULL OR backend_xmin IS NOT NULL ORDER BY xact_start LIMIT 5"""


def until(done: Callable[[], bool], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Do `meanwhile` again and again until `done()`; give up with the transactions that stood in the way."""
    give_up = monotonic() + PATIENCE
    while not done():
        assert monotonic() < give_up, f"still not done after {PATIENCE} s; the oldest transactions are {running()}"
        meanwhile()
        sleep(0.05)


def running() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(RUNNING)
        return cursor.fetchall()
