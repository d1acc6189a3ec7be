"""Nudges reach the broker from a thread of their own: few for many, and whatever the broker does."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from common import nudges
from identity.models import User
from notifications import services as notifications
from notifications.models import OutboxEvent
from tests.patience import PATIENCE

RELAY, FILES = "notifications.tasks.relay_outbox", "payments.tasks.pay_bulk_files"


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Iterator[queue.SimpleQueue[str]]:
    """What the thread of a nudger of this test's own publishes."""
    names: queue.SimpleQueue[str] = queue.SimpleQueue()

    def send_task(name: str, **options: Any) -> None:
        names.put(name)
        if name == "broken":
            raise OperationalError("broker down")

    monkeypatch.setattr(nudges, "_nudger", nudges._Nudger())
    monkeypatch.setattr("common.nudges.current_app.send_task", send_task)
    yield names
    assert nudges._nudger._wanted == set()


def test_publishes_each_task_once_for_many_nudges(
    published: queue.SimpleQueue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, all_wanted = threading.Event(), threading.Event()
    publish = nudges._publish

    def publish_slowly(task: str) -> None:
        first.set()
        all_wanted.wait(PATIENCE)
        publish(task)

    monkeypatch.setattr(nudges, "_publish", publish_slowly)
    nudges._nudger.want(RELAY)
    assert first.wait(PATIENCE)
    for _ in range(200):
        nudges._nudger.want(RELAY)
        nudges._nudger.want(FILES)
    all_wanted.set()

    # The first of them at once, all the others in the round after it.
    assert published.get(timeout=PATIENCE) == RELAY
    assert {published.get(timeout=PATIENCE) for _ in range(2)} == {RELAY, FILES}
    time.sleep(4 * nudges.GAP_SECONDS)
    assert published.empty()


def test_a_broker_that_is_down_stops_neither_the_business_nor_later_nudges(
    published: queue.SimpleQueue[str], alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    nudges._nudger.want("broken")
    assert published.get(timeout=PATIENCE) == "broken"

    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        notifications.notify(user_id=alice.pk, kind="account_opened", data={"account": "x"})

    assert published.get(timeout=PATIENCE) == RELAY
    assert OutboxEvent.objects.filter(relayed_at=None, user=alice).count() == 1


@pytest.mark.django_db
def test_nudges_only_what_was_committed(
    published: queue.SimpleQueue[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            nudges.after_commit(RELAY)
            transaction.set_rollback(True)
        with transaction.atomic():
            nudges.after_commit(FILES)

    assert published.get(timeout=PATIENCE) == FILES
    assert published.empty()


def test_a_forked_process_has_a_thread_of_its_own(published: queue.SimpleQueue[str]) -> None:
    nudges._nudger.want(RELAY)
    assert published.get(timeout=PATIENCE) == RELAY

    child = os.fork()
    if child == 0:
        nudges._nudger.want(RELAY)
        try:
            os._exit(0 if published.get(timeout=PATIENCE) == RELAY else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
