"""Limits that hold under parallel requests: one atomic script in Redis. Without Redis they are off, never in the way."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common import request_context
from common.errors import TooMany

logger = logging.getLogger(__name__)

# Generic cell rate algorithm: one key holds the moment at which the bucket is empty again, by the server's own clock.
# A burst gets exactly `count` through; afterwards one more for each count-th part of the period.
_SCRIPT = b"""
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local step = tonumber(ARGV[1])
local span = tonumber(ARGV[2])
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now end
local after = full + step
if after - now > span then return math.ceil(after - now - span) end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil(after - now))
return 0
"""
_SCRIPT_KNOWN_AS = hashlib.sha1(_SCRIPT, usedforsecurity=False).hexdigest().encode()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in a burst, refilled evenly over `seconds`. `name` keeps limits apart."""

    name: str
    count: int
    seconds: int


# Nobody waits longer for a limit than this; then it is off.
ANSWERS_WITHIN_SECONDS = 1


class _Line(threading.local):
    """The thread's own connection. redis-py's client is a fifth of a limit's work; its connections do the rest as well."""

    # redis-py's own types do not say what its connections can do.
    connection: Any = None
    url = ""

    def ask(self, *words: bytes) -> Any:
        """What Redis says to a command. Raises RedisError or OSError."""
        connection = self._kept()
        command = [_packed(words)]
        try:
            connection.send_packed_command(command)
            return connection.read_response()
        except RedisConnectionError:
            # Closed since it was last used, or gone: a new one tells.
            connection.disconnect()
            connection.send_packed_command(command)
            return connection.read_response()

    def _kept(self) -> Any:
        if self.connection is None or self.url != settings.REDIS_URL or self.connection.pid != os.getpid():
            self.url = settings.REDIS_URL
            self.connection = ConnectionPool.from_url(
                self.url, socket_timeout=ANSWERS_WITHIN_SECONDS, socket_connect_timeout=ANSWERS_WITHIN_SECONDS
            ).make_connection()
        return self.connection


_line = _Line()


def _packed(words: Sequence[bytes]) -> bytes:
    """A command as the protocol writes it: how many words, and each with its length."""
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def _counted(name: str, step: int, span: int) -> int:
    """Milliseconds to wait. Raises RedisError or OSError."""
    words = (b"1", name.encode(), b"%d" % step, b"%d" % span)
    try:
        return int(_line.ask(b"EVALSHA", _SCRIPT_KNOWN_AS, *words))
    except NoScriptError:
        return int(_line.ask(b"EVAL", _SCRIPT, *words))


def wait_for(limit: Limit, key: str) -> float:
    """Count one use and return 0, or return how many seconds to wait when the limit is reached (nothing is counted).

    `key` is who is counted; only its digest is stored. Returns 0 when Redis does not answer.
    """
    scope = getattr(settings, "THROTTLE_SCOPE", "live")
    name = f"limit:{scope}:{limit.name}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
    # In whole milliseconds, rounded up, so that never more than `count` fit into the period.
    step = math.ceil(limit.seconds * 1000 / limit.count)
    try:
        milliseconds = _counted(name, step, step * limit.count)
    except (RedisError, OSError):
        logger.warning("limits are off: redis does not answer", extra={"limit": limit.name})
        return 0.0
    return milliseconds / 1000


def enforce(limit: Limit, key: str) -> None:
    """Count one use. Raises TooMany with `retry_after` in whole seconds."""
    wait = wait_for(limit, key)
    if wait:
        raise TooMany(data={"retry_after": max(1, math.ceil(wait))})


def page(request: HttpRequest, error: TooMany) -> HttpResponse:
    """What a browser gets for TooMany: a friendly 429 that says when to come back."""
    response = render(request, "429.html", status=429)
    response.headers["Retry-After"] = str(error.data["retry_after"])
    return response


class Throttle(BaseThrottle):
    """DRF throttle over one limit; made by `by_user` and `by_address`."""

    limit: Limit
    per_user = False
    _wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        self._wait = wait_for(self.limit, self._key(request))
        return self._wait == 0

    def wait(self) -> float:
        return math.ceil(self._wait)

    def _key(self, request: Request) -> str:
        if self.per_user and request.user.is_authenticated:
            return f"user:{request.user.pk}"
        return f"ip:{request_context.current().ip}"


def by_user(limit: Limit) -> type[Throttle]:
    """A throttle class that counts each user apart: `throttle_classes = [by_user(TRANSFERS)]`."""
    return cast(type[Throttle], type("UserThrottle", (Throttle,), {"limit": limit, "per_user": True}))


def by_address(limit: Limit) -> type[Throttle]:
    """A throttle class that counts each caller's address apart."""
    return cast(type[Throttle], type("AddressThrottle", (Throttle,), {"limit": limit, "per_user": False}))


# Money movements of one user, through page and API together: far above what a person does, below what a script would.
TRANSFERS = Limit("transfers", count=settings.TRANSFERS_PER_MINUTE, seconds=60)
# An integrator pays in for all of its customers with one key.
KEY_DEPOSITS = Limit("key-deposits", count=20 * settings.TRANSFERS_PER_MINUTE, seconds=60)
# What one gateway, or one person, asks of the fraud engine; a batch counts as one.
FRAUD_CALLS = Limit("fraud-calls", count=settings.FRAUD_CALLS_PER_MINUTE, seconds=60)
# Files of payments to check, through page and API together.
BULK_UPLOADS = Limit("bulk-uploads", count=10, seconds=60)
# Statements as files, through page and API together.
STATEMENT_EXPORTS = Limit("statement-exports", count=60, seconds=60)
# Prices of loans, asked by anybody.
LOAN_QUOTES = Limit("loan-quotes", count=60, seconds=60)
PIN_CHANGES = Limit("pin-changes", count=10, seconds=900)
REGISTRATIONS = Limit("registrations", count=20, seconds=3600)
SIGN_INS_BY_ADDRESS = Limit("sign-ins-ip", count=30, seconds=300)
SIGN_INS_BY_ACCOUNT = Limit("sign-ins-account", count=20, seconds=900)
TOKEN_REFRESHES = Limit("token-refreshes", count=60, seconds=300)
KEY_TRIES = Limit("api-key-tries", count=60, seconds=60)
