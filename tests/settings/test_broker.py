"""Publishing to the broker: once more through a new connection after a cut, and then no further waiting in a request."""

from __future__ import annotations

import time
from typing import Any

import pytest
from amqp.exceptions import RecoverableConnectionError
from kombu import Producer
from kombu.exceptions import OperationalError

from bankportal.celery import app

TASK = "notifications.tasks.relay_outbox"


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What each try to publish finds: True a connection that the broker has cut. Used up from the front."""
    cut: list[bool] = []
    publish = Producer._publish

    def through(self: Producer, *arguments: Any, **options: Any) -> Any:
        if cut.pop(0):
            raise RecoverableConnectionError("Server unexpectedly closed connection")
        return publish(self, *arguments, **options)

    monkeypatch.setattr(Producer, "_publish", through)
    return cut


def send() -> None:
    with app.connection_for_write("memory://") as connection:
        app.send_task(TASK, connection=connection)


@pytest.mark.filterwarnings("ignore::celery.exceptions.AlwaysEagerIgnored")
def test_a_broker_that_was_restarted_gets_the_task_through_a_new_connection(tries: list[bool]) -> None:
    tries[:] = [True, False]
    send()
    assert tries == []


@pytest.mark.filterwarnings("ignore::celery.exceptions.AlwaysEagerIgnored")
def test_a_broker_that_is_gone_keeps_nobody_waiting(tries: list[bool]) -> None:
    tries[:] = [True] * 9
    started = time.monotonic()
    with pytest.raises(OperationalError):
        send()
    assert len(tries) == 7
    assert time.monotonic() - started < 60
