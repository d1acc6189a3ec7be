"""How the servers are sized."""

from __future__ import annotations

import os

import pytest

from runner.services import available_memory, memory_options

GIGABYTE = 1 << 30


@pytest.mark.parametrize(
    ("memory", "pages"), [(GIGABYTE // 2, "128MB"), (2 * GIGABYTE, "256MB"), (23 * GIGABYTE, "1024MB")]
)
def test_the_database_takes_an_eighth_of_the_memory_within_bounds(memory: int, pages: str) -> None:
    assert memory_options(memory)["shared_buffers"] == pages


def test_no_more_memory_counts_than_the_machine_has() -> None:
    assert 0 < available_memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
