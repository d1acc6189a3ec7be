"""Waiting for what happens, never for how long it takes: a test beside this one may have the machine for minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

from django.db import connection

PATIENCE = 900  # seconds: a test beside this one may compute for minutes inside its transaction
RUNNING = """
    SELECT datname, pid, state, now() - xact_start, left(query, 200) FROM pg_stat_activity
     WHERE backend_xid IS NOT NULL OR backend_xmin IS NOT NULL ORDER BY xact_start LIMIT 5"""


def until(done: Callable[[], bool], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Do `meanwhile` again and again until `done()`; give up with the transactions that stood in the way.

    Seals and snapshots stop at the oldest transaction of the server, which may be another test's.
    """
    give_up = monotonic() + PATIENCE
    while not done():
        assert monotonic() < give_up, f"still not done after {PATIENCE} s; the oldest transactions are {running()}"
        meanwhile()
        sleep(0.05)


def running() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(RUNNING)
        return cursor.fetchall()


def meeting(work: Callable[..., Any], *, of: int) -> Callable[..., Any]:
    """`work`, which begins only when `of` threads have come to it: what they have read by then they have all read.

    That is the moment at which a missing lock shows, however slow the machine. Only the first `of` calls wait.
    """
    met = threading.Event()
    gate = threading.Barrier(of, action=met.set)

    def begin(*args: Any, **kwargs: Any) -> Any:
        if not met.is_set():
            gate.wait(PATIENCE)
        return work(*args, **kwargs)

    return begin
