"""Nudging the workers once something was committed, from a thread beside the requests.

A request never speaks to the broker: it leaves the task's name, and the thread publishes each name once for all requests
of a tenth of a second. A nudge may be lost, with its process or with the broker. So it only makes sooner what a sweep of
the same task finds anyway.
"""

from __future__ import annotations

import logging
import os
import threading
import time

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

# A person does not notice it, and many payments share one message.
GAP_SECONDS = 0.1


class _Nudger:
    """One for each process; its thread starts with the first nudge."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted: set[str] = set()
        self._thread: threading.Thread | None = None

    def want(self, task: str) -> None:
        with self._changed:
            self._wanted.add(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nudges", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wanted:
                    self._changed.wait()
                tasks, self._wanted = self._wanted, set()
            for task in tasks:
                _publish(task)
            time.sleep(GAP_SECONDS)


def _publish(task: str) -> None:
    try:
        current_app.send_task(task, ignore_result=True)
    except Exception:  # the thread has to outlive whatever a broker or its driver does
        logger.warning("broker does not answer; the sweep will find the work", extra={"task": task}, exc_info=True)


_nudger = _Nudger()


def _begin_anew() -> None:
    """A fork takes no thread along, and perhaps a lock that nobody will open."""
    global _nudger
    _nudger = _Nudger()


os.register_at_fork(after_in_child=_begin_anew)


def after_commit(task: str) -> None:
    """Ask for a run of the task, by its name, soon after the transaction has committed."""
    transaction.on_commit(lambda: _nudger.want(task), robust=True)
