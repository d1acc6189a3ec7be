"""A second process for long steps of the end of day, so that two cores have work.

It runs the same step from the other end of the list. Both hold loans by row locks and skip each other's, so it makes no
difference whether the second one comes late, dies, or is not there at all.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from loans.services.jobs import Act, Done, each

logger = logging.getLogger(__name__)

# Starting a process takes as long as some hundred loans.
SHARED_FROM = 2_000
# Set for the second process: it does not look for a third.
ALONE = "LOANS_STEP_ALONE"


def share(step: str, ids: Sequence[UUID], act: Act, *, day: date, now: datetime) -> Done:
    """`each`, with the help of a second process when there are many loans. `step` is what `loans_step` calls it."""
    if os.environ.get(ALONE):
        return each(list(reversed(ids)), act)
    if len(ids) < SHARED_FROM or (os.cpu_count() or 1) < 2:
        return each(ids, act)
    helper = _start(step, day, now)
    try:
        done = each(ids, act)
    except BaseException:
        helper.kill()
        raise
    finally:
        told, _ = helper.communicate()
    return _added(done, helper.returncode, told)


def _start(step: str, day: date, now: datetime) -> subprocess.Popen[str]:
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    return subprocess.Popen(  # noqa: S603 (our own program and arguments)
        [sys.executable, manage, "loans_step", step, "--day", day.isoformat(), "--now", now.isoformat()],
        env={**os.environ, ALONE: "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def _added(done: Done, code: int, told: str) -> Done:
    """Together with what the second process did; what it failed at, this one has failed at or done."""
    if code:
        logger.warning("the second process of a step of the end of day failed", extra={"code": code})
        return done
    return Done(done.done + int(json.loads(told)["done"]), done.failed)
