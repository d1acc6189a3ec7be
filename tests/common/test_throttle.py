from __future__ import annotations

import socket
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from common import throttle
from common.errors import TooMany
from common.throttle import Limit
from tests.patience import PATIENCE


def test_a_parallel_burst_gets_exactly_the_limit_through() -> None:
    limit, key, allowed = Limit("test-burst", 10, 3600), uuid.uuid4().hex, []
    start = threading.Barrier(40)

    def attempt() -> None:
        start.wait(PATIENCE)
        if throttle.wait_for(limit, key) == 0:
            allowed.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(allowed) == 10


def test_says_how_long_to_wait_and_keeps_callers_apart() -> None:
    limit, key = Limit("test-wait", 2, 60), uuid.uuid4().hex
    throttle.enforce(limit, key)
    throttle.enforce(limit, key)
    with pytest.raises(TooMany) as caught:
        throttle.enforce(limit, key)
    assert 25 <= caught.value.data["retry_after"] <= 30
    throttle.enforce(limit, uuid.uuid4().hex)


def test_without_redis_nothing_is_held_up(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    limit, key = Limit("test-down", 1, 3600), uuid.uuid4().hex
    assert [throttle.wait_for(limit, key) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_server_that_hangs_holds_nobody_up_for_long(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Elsewhere in the tests a slow machine is waited for.
    monkeypatch.setattr(throttle, "ANSWERS_WITHIN_SECONDS", 1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        settings.REDIS_URL = f"unix://{tmp_path / 'silent'}"
        assert throttle.wait_for(Limit("test-silent", 1, 3600), uuid.uuid4().hex) == 0


def test_counts_on_after_a_closed_connection_and_a_forgotten_script(settings: Any) -> None:
    limit, key = Limit("test-closed", 3, 3600), uuid.uuid4().hex
    assert throttle.wait_for(limit, key) == 0
    with Redis.from_url(settings.REDIS_URL) as other:
        other.client_kill_filter(_id=_own_connection())
        assert throttle.wait_for(limit, key) == 0
        other.script_flush()
        assert throttle.wait_for(limit, key) == 0
    assert throttle.wait_for(limit, key) > 0


def _own_connection() -> str:
    return str(throttle._line.ask(b"CLIENT", b"ID"))
