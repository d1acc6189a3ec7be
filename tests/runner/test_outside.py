"""The parts that the user brings: one line that says which one does not answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import demo
from runner.console import Problem
from runner.outside import check_servers, why_closed


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Taken, so that nobody else listens there, and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("REDIS_URL", "redis://:secret-word@127.0.0.1:{port}/0"),
        ("CELERY_BROKER_URL", "amqp://guest:secret-word@127.0.0.1:{port}//"),
        ("CELERY_BROKER_URL", "rediss://127.0.0.1:{port}/1"),
    ],
)
def test_names_the_server_that_does_not_answer_and_no_password(name: str, address: str, closed_port: int) -> None:
    with pytest.raises(Problem) as problem:
        check_servers({name: address.format(port=closed_port)})
    assert str(problem.value) == f"{name}: nobody answers at 127.0.0.1:{closed_port} (Connection refused)."


@pytest.mark.parametrize("address", ["unix:///no/such/valkey.sock?db=0", "redis+socket:///no/such/valkey.sock"])
def test_names_the_socket_that_is_not_there(address: str) -> None:
    with pytest.raises(Problem, match=r"nobody answers at /no/such/valkey\.sock"):
        check_servers({"REDIS_URL": address})


def test_a_server_that_answers_is_fine(tmp_path: Path) -> None:
    with socket.socket() as web, socket.socket(socket.AF_UNIX) as local:
        web.bind(("127.0.0.1", 0))
        web.listen()
        local.bind(str(tmp_path / "v.sock"))
        local.listen()
        check_servers(
            {
                "CELERY_BROKER_URL": f"amqp://127.0.0.1:{web.getsockname()[1]}//",
                "REDIS_URL": f"unix://{tmp_path / 'v.sock'}?db=0",
            }
        )


@pytest.mark.parametrize("address", ["", "abc", "http://x", "redis://127.0.0.1:notaport/0", "amqp://a:1;amqp://b:1"])
def test_leaves_to_the_settings_what_is_no_address(address: str) -> None:
    check_servers({"REDIS_URL": address})


def test_says_which_part_keeps_the_bank_closed() -> None:
    body = json.dumps({"status": "unavailable", "database": True, "broker": False, "storage": False})
    assert why_closed(503, body) == (
        "The bank cannot open, because the broker (CELERY_BROKER_URL, or REDIS_URL) and "
        "the storage of documents (STORAGE_ROOT, or the AWS_* settings) do not answer."
    )
    assert "ALLOWED_HOSTS" in why_closed(400, "")
    assert why_closed(502, "<html>") == "The bank cannot open: /readyz answered 502."


def test_a_part_may_need_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(0, 0.0, "refused"), (503, 0.0, '{"broker": false}'), (200, 0.0, "{}")])
    monkeypatch.setattr(demo, "fetch", lambda url: next(answers))
    opening = demo.Opening("http://127.0.0.1:1")
    assert [opening(), opening(), opening()] == [False, False, True]


def test_a_part_that_stays_away_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "fetch", lambda url: (503, 0.0, '{"storage": false}'))
    monkeypatch.setattr(demo, "PATIENCE_SECONDS", -1.0)
    with pytest.raises(Problem, match="the storage of documents"):
        demo.Opening("http://127.0.0.1:1")()
