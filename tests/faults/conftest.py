"""One bank for all fault tests: starting it costs more than breaking it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bankportal.bench.stack import Stack, until
from tests.patience import PATIENCE


@pytest.fixture(scope="session")
def _opened() -> Iterator[Stack]:
    # The load of one test is quicker than people are.
    stack = Stack(env={"TRANSFERS_PER_MINUTE": "1000000"})
    try:
        stack.open()
        yield stack
    finally:
        stack.close()


@pytest.fixture
def bank(_opened: Stack) -> Iterator[Stack]:
    """The open bank; a test leaves every part of it running."""
    yield _opened
    assert until(lambda: _opened.readiness()[0] == 200, seconds=PATIENCE), _opened.readiness()
