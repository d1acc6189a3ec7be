"""The dice of tests that throw them: the same in every run, others with `TEST_SEED=7`."""

from __future__ import annotations

import os

SEED = int(os.environ.get("TEST_SEED") or 0)
