"""Money requests that may come twice: one effect, one answer, byte for byte."""

from __future__ import annotations

import hashlib
import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, wraps
from typing import Any, ClassVar, Protocol

from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.models import IdempotencyRecord
from common import errors
from common.db import database, use_case
from common.rows import Prepared, Rows, Together, fresh, insert

# Whether this transaction holds the key, asked before anything is read: what another did under it is then there to see.
_CLAIM = "SELECT set_config('audit.claimed', pg_try_advisory_xact_lock(%s)::text, true)"
_KNOWN = Rows(
    """
    SELECT {record}, current_setting('audit.claimed') FROM (SELECT) AS once
      LEFT JOIN audit_idempotencyrecord record ON record.user_id = %(idempotent_user)s AND record.key = %(idempotency_key)s
    """,
    record=IdempotencyRecord,
)
KEPT_FOR = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{8,100}", re.ASCII)
# Answers that say nothing about an effect: the client may try again with the same key.
_NOT_KEPT = frozenset({401, 403, 429})

IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    type=str,
    location=OpenApiParameter.HEADER,
    required=True,
    description=(
        "A random text of 8 to 100 characters of your choice, one for each intended effect. Sending the same request "
        "again within 24 hours replays the first answer, with the header `Idempotent-Replayed: true`."
    ),
)


class KeyMissing(exceptions.APIException):
    status_code = 400
    default_code = "idempotency_key_missing"
    default_detail = "Send an Idempotency-Key header with a random text of 8 to 100 characters."


class KeyReused(errors.Invalid):
    code: ClassVar[str] = "idempotency_key_reused"
    message: ClassVar[str] = "This Idempotency-Key was used with another request."


class RequestInFlight(errors.Conflict):
    code: ClassVar[str] = "request_in_flight"
    message: ClassVar[str] = "The first request with this Idempotency-Key is still being worked on."


class Ahead(Protocol):
    """What the work asks first, asked in that trip too, under locks that are taken after the key's; the work finds the answer."""

    @property
    def question(self) -> Together: ...

    @property
    def parameters(self) -> dict[str, Any]: ...

    def lock(self) -> None: ...

    def answer(self, rows: Mapping[str, tuple[Any, ...] | None]) -> None: ...


Operation = Callable[..., HttpResponseBase]


class Check(Protocol):
    """What has to be in order before a request counts, asked in the trip that looks for its key (a PIN, say).

    `refusal` gets the row that answered the question. What it writes is kept when it refuses.
    """

    question: Prepared
    parameters: dict[str, Any]

    def lock(self) -> None: ...

    def refusal(self, row: tuple[Any, ...] | None) -> errors.DomainError | None: ...


def idempotent(operation: Operation) -> Operation:
    """Decorate `post(self, request, ...)` of an API view: it runs as `once` lets it."""

    @wraps(operation)
    def decorated(self: APIView, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return once(self, request, lambda: operation(self, request, *args, **kwargs))

    return decorated


def key_of(request: Request) -> str:
    """The request's Idempotency-Key, or empty. Read where it lies: `headers` is built of all headers first."""
    return str(request._request.META.get("HTTP_IDEMPOTENCY_KEY", ""))


def once(
    view: APIView,
    request: Request,
    work: Callable[[], HttpResponseBase],
    *,
    check: Check | None = None,
    ahead: Ahead | None = None,
) -> HttpResponseBase:
    """The answer to a request: that of the work, done inside the one durable transaction opened here, or the stored one.

    The answer is stored in that transaction, so there is never an effect without its answer or the reverse. A
    DomainError (or an answer of 401, 403, 429 or 500 and above) rolls back, stores nothing, and allows a retry.
    Raises KeyMissing (400), KeyReused (422), RequestInFlight (409), and what the check refuses.
    """
    key = key_of(request)
    if not _KEY.fullmatch(key):
        raise KeyMissing
    # Read before the parser does, or the bytes are gone.
    body_mac = _mac(request._request.body)
    user_id = request.user.pk
    assert user_id is not None, "every API operation asks for a login first"
    with use_case():
        known, refusal = _claim(user_id=user_id, key=key, check=check, ahead=ahead)
        if refusal is None:
            return _answer(view, request, work, known=known, user_id=user_id, key=key, body_mac=body_mac)
    raise refusal


def _answer(
    view: APIView,
    request: Request,
    work: Callable[[], HttpResponseBase],
    *,
    known: IdempotencyRecord | None,
    user_id: int,
    key: str,
    body_mac: str,
) -> HttpResponseBase:
    now = timezone.now()
    if known is not None and known.expires_at > now:
        return _replay(known, request, body_mac)
    if known is not None:
        known.delete()
    response = work()
    body = _rendered(view, request, response)
    if response.status_code >= 500 or response.status_code in _NOT_KEPT:
        transaction.set_rollback(True)
        return response
    insert(
        fresh(
            IdempotencyRecord,
            user_id=user_id,
            key=key,
            method=str(request.method),
            path=request.get_full_path()[:200],
            body_mac=body_mac,
            status=response.status_code,
            body=body,
            content_type=response.headers.get("Content-Type", "application/json"),
            created_at=now,
            expires_at=now + KEPT_FOR,
        )
    )
    return response


def _claim(
    *, user_id: int, key: str, check: Check | None, ahead: Ahead | None
) -> tuple[IdempotencyRecord | None, errors.DomainError | None]:
    """Hold the key until the transaction ends (whoever comes meanwhile is told to wait).

    Gives what was answered to it, and what the check refuses.
    """
    if check is not None:
        check.lock()
    digest = hashlib.sha256(f"idempotency\n{user_id}\n{key}".encode()).digest()
    database().later(_CLAIM, [int.from_bytes(digest[:8], signed=True)], writes=False)
    if ahead is not None:
        ahead.lock()
    question = _together(check.question if check else None, ahead.question if ahead else None)
    asked = [each.parameters for each in (check, ahead) if each is not None]
    found = question.ask(dict(ChainMap({"idempotent_user": user_id, "idempotency_key": key}, *asked)))
    known, claimed = found["known"] or (None, None)
    if claimed != "true":
        raise RequestInFlight
    refusal = check.refusal(found["checked"]) if check else None
    if ahead is not None and refusal is None:
        ahead.answer(found)
    assert known is None or isinstance(known, IdempotencyRecord)
    return known, refusal


@cache
def _together(check: Prepared | None, ahead: Together | None) -> Together:
    """All of it in one trip."""
    checked: dict[str, tuple[Prepared, Mapping[str, str]]] = {"checked": (check, {})} if check else {}
    return Together(known=(_KNOWN, {}), **checked, **(ahead.parts if ahead else {}))


def _mac(body: bytes) -> str:
    """A keyed digest: a body may hold a PIN, and a plain one could be tried out from a copy of the table."""
    return salted_hmac("audit.idempotency.body", body, algorithm="sha256").hexdigest()


def _replay(known: IdempotencyRecord, request: Request, body_mac: str) -> HttpResponse:
    same_place = (known.method, known.path) == (request.method, request.get_full_path()[:200])
    if not (same_place and constant_time_compare(known.body_mac, body_mac)):
        raise KeyReused
    response = HttpResponse(bytes(known.body), status=known.status, content_type=known.content_type)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _rendered(view: APIView, request: Request, response: HttpResponseBase) -> bytes:
    if isinstance(response, Response):
        response.accepted_renderer = request.accepted_renderer
        response.accepted_media_type = request.accepted_media_type
        response.renderer_context = view.get_renderer_context()  # type: ignore[attr-defined]
        response.render()
    assert isinstance(response, HttpResponse)
    return bytes(response.content)
