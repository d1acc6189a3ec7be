"""What the champion's layers add to the memory of a worker. Imports what a worker imports, and no library that fits."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import django


def added_megabytes() -> float:
    """Measured in a fresh process: before the champion is opened, and after it scored a row and a thousand.

    Raises RuntimeError when a library that only training needs came with it.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return float(pool.apply(_grown))


def _grown() -> float:
    django.setup()
    import numpy as np  # noqa: PLC0415 (Django first, as in a worker)

    from fraud import queries, services  # noqa: F401, PLC0415
    from fraud.rules.features import VECTOR_FEATURES  # noqa: PLC0415
    from fraud.rules.learning.stack import scores  # noqa: PLC0415
    from fraud.services.unsealing import opened  # noqa: PLC0415

    champion = queries.champions()[0]
    before = _resident()
    stack = opened(champion).stack
    rows = np.ones((1000, len(VECTOR_FEATURES)))
    scores(stack, rows[:1])
    scores(stack, rows)
    brought = {"sklearn", "xgboost", "lightgbm"} & set(sys.modules)
    if brought:
        raise RuntimeError(f"opening a model imported {', '.join(sorted(brought))}")
    return _resident() - before


def _resident() -> float:
    """Megabytes of this process in memory."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
