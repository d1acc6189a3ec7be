from __future__ import annotations

import hashlib
import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from audit.idempotency import idempotent
from audit.models import AuditEvent, IdempotencyRecord
from audit.services import record
from common.errors import Conflict
from common.rest import ApiView
from identity.models import User
from tests.patience import PATIENCE

FACTORY = APIRequestFactory()
KEY = "a0b1c2d3-key"


class Spend(ApiView):
    """An operation with an effect: one row in the trail."""

    pause: threading.Event | None = None
    entered: threading.Event | None = None

    @idempotent
    def post(self, request: Request) -> Response:
        if request.data.get("fail"):
            raise Conflict("No.", code="no")
        record(actor=request.user, action="test.spent", subject_kind="test", subject_id="1")
        if self.entered and self.pause:
            self.entered.set()
            self.pause.wait(PATIENCE)
        return Response({"receipt": str(uuid.uuid4())}, status=request.data.get("status", 201))


def call(user: User, body: dict[str, Any], key: str | None = KEY, view: type[ApiView] = Spend, path: str = "/x") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    request = FACTORY.post(path, body, format="json", headers=headers)
    force_authenticate(request, user)
    response = view.as_view()(request)
    return response if getattr(response, "is_rendered", True) else response.render()


def effects() -> int:
    return AuditEvent.objects.filter(action="test.spent").count()


@pytest.mark.parametrize("key", [None, "", "short", "x" * 101, "with space here"])
def test_asks_for_a_key(alice: User, key: str | None) -> None:
    response = call(alice, {}, key)
    assert (response.status_code, response.data["code"]) == (400, "idempotency_key_missing")
    assert effects() == 0


def test_replays_the_same_bytes_and_status_once_done(alice: User) -> None:
    first, second = call(alice, {"a": 1}), call(alice, {"a": 1})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["Content-Type"] == second.headers["Content-Type"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert effects() == 1


def test_refuses_the_key_with_another_body_or_path(alice: User) -> None:
    call(alice, {"a": 1})
    for response in (call(alice, {"a": 2}), call(alice, {"a": 1}, path="/y")):
        assert (response.status_code, response.data["code"]) == (422, "idempotency_key_reused")
    assert effects() == 1


def test_a_copy_of_the_table_does_not_give_a_pin_away(alice: User, settings: Any) -> None:
    call(alice, {"pin": "4826"})
    kept = IdempotencyRecord.objects.get().body_mac
    guesses = [json.dumps({"pin": f"{pin:04d}"}, separators=(",", ":")).encode() for pin in range(10_000)]
    assert kept not in {hashlib.sha256(guess).hexdigest() for guess in guesses}
    settings.SECRET_KEY = "another key of fifty characters, as long as it must be for this"
    call(alice, {"pin": "4826"}, "another-key")
    assert IdempotencyRecord.objects.get(key="another-key").body_mac != kept


def test_keys_belong_to_their_user(alice: User, bob: User) -> None:
    assert call(alice, {"a": 1}).content != call(bob, {"a": 1}).content
    assert effects() == 2


def test_a_refusal_stores_nothing_and_may_be_tried_again(alice: User) -> None:
    assert call(alice, {"fail": True}).status_code == 409
    assert IdempotencyRecord.objects.count() == 0
    assert call(alice, {"a": 1}).status_code == 201


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_answers_that_say_nothing_about_an_effect_leave_none(alice: User, status: int) -> None:
    assert call(alice, {"status": status}).status_code == status
    assert (effects(), IdempotencyRecord.objects.count()) == (0, 0)


def test_a_recorded_refusal_is_an_answer_like_any_other(alice: User) -> None:
    assert call(alice, {"status": 422}).content == call(alice, {"status": 422}).content
    assert effects() == 1


def test_a_key_may_be_used_again_after_it_expired(alice: User) -> None:
    call(alice, {"a": 1})
    IdempotencyRecord.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Idempotent-Replayed" not in call(alice, {"a": 2}).headers
    assert effects() == 2


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_at_once_is_told_that_the_first_is_in_flight(alice: User) -> None:
    class Slow(Spend):
        pause, entered = threading.Event(), threading.Event()

    answers: list[Any] = []

    def first() -> None:
        try:
            answers.append(call(alice, {"a": 1}, view=Slow))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert Slow.entered is not None
    assert Slow.pause is not None
    assert Slow.entered.wait(PATIENCE)
    meanwhile = call(alice, {"a": 1})
    Slow.pause.set()
    thread.join(PATIENCE)
    assert (meanwhile.status_code, meanwhile.data["code"]) == (409, "request_in_flight")
    assert answers[0].status_code == 201
    replay = call(alice, {"a": 1})
    assert replay.content == answers[0].content
    assert json.loads(replay.content)["receipt"]
    assert effects() == 1
