from __future__ import annotations

from collections.abc import Iterator

import pytest

from kyc.rules import documents, isolation, previews


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same gate without a process for each file; the process itself has tests of its own."""
    monkeypatch.setattr(isolation, "sanitise", documents.sanitise)
    monkeypatch.setattr(isolation, "preview", previews.render)
    return
