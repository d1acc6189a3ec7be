"""Two at once: one wins, the other is told. The control shows the race when the lock is taken away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from common.errors import DomainError
from kyc import services
from kyc.models import Application, Document, State
from kyc.rules import limits
from kyc.services import uploads
from tests.kyc.helpers import draft, pending, upload
from tests.patience import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_process")]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together; results and domain errors in order."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait(PATIENCE)
            results[place] = call()
        except DomainError as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def test_of_two_officers_one_decides(alice: Any, officer: Any, second_officer: Any) -> None:
    application = pending(alice)
    now = timezone.now()
    results = at_once(
        lambda: services.approve(actor=officer, application_id=application.pk, now=now),
        lambda: services.reject(
            actor=second_officer, application_id=application.pk, kind="RETRY", public_reason="Blurred photo", now=now
        ),
    )
    assert sum(isinstance(result, services.NotPending) for result in results) == 1
    assert sum(isinstance(result, Application) for result in results) == 1
    assert Application.objects.get().state in {State.APPROVED, State.REJECTED}


def test_two_tabs_start_one_application(alice: Any) -> None:
    now = timezone.now()
    results = at_once(*[lambda: services.start_or_resume(actor=alice, now=now)] * 4)
    assert len({result.pk for result in results}) == 1


def _upload_twice(alice: Any, application: Application) -> list[Any]:
    return at_once(
        lambda: upload(alice, application, "ADDRESS", "#123"), lambda: upload(alice, application, "SELFIE", "#456")
    )


def test_two_uploads_cannot_pass_the_quota(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = draft(alice)
    upload(alice, application)
    monkeypatch.setattr(limits, "MAX_DOCUMENTS", 2)
    results = _upload_twice(alice, application)
    assert sum(isinstance(result, services.QuotaReached) for result in results) == 1
    assert Document.objects.count() == 2


def test_control_without_the_lock_both_pass(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    application = draft(alice)
    upload(alice, application)
    monkeypatch.setattr(limits, "MAX_DOCUMENTS", 2)
    monkeypatch.setattr(uploads, "lock_draft", lambda actor, pk, now: Application.objects.get(pk=pk))
    together = threading.Barrier(2)
    counted = uploads._require_room
    monkeypatch.setattr(uploads, "_require_room", lambda *args: (counted(*args), args[1] and together.wait(PATIENCE)))
    results = _upload_twice(alice, application)
    assert all(isinstance(result, Document) for result in results)
    assert Document.objects.count() == 3
