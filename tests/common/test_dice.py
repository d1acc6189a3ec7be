"""The seed of everything that tests draw by chance is told at the end of each run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from tests import conftest
from tests.dice import SEED


def test_the_seed_is_printed() -> None:
    told: list[str] = []
    conftest.pytest_terminal_summary(cast(Any, SimpleNamespace(write_line=told.append)))
    assert told == [f"Dice of the tests: TEST_SEED={SEED}"]
