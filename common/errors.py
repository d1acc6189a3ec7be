"""The categories of refusal. Every app subclasses them; `common.rest` and `common.forms` turn them into answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal that a person or a program can act upon.

    `code` is stable and part of the API. `field` names the input at fault. `data` holds structured facts, JSON-safe.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "This cannot be done."

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        field: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.text = message or self.message
        self.error_code = code or self.code
        self.field = field
        self.data = dict(data or {})
        super().__init__(self.text)


class NotFound(DomainError):
    """It does not exist, or it is not the actor's to know about."""

    code = "not_found"
    message = "We could not find that."


class Forbidden(DomainError):
    """The actor is known and may not do this."""

    code = "forbidden"
    message = "You do not have permission to do this."


class Conflict(DomainError):
    """The input is well formed; the present state does not allow it."""

    code = "conflict"
    message = "This is not possible in the present state."


class Invalid(DomainError):
    """The input itself cannot be accepted."""

    code = "invalid"
    message = "This value is not valid."


class Unavailable(DomainError):
    """Something we depend on does not answer; trying again later may work."""

    code = "unavailable"
    message = "This service is not available right now. Please try again shortly."


class TooMany(DomainError):
    """Too often in a short time; `data["retry_after"]` says how many seconds to wait."""

    code = "too_many_requests"
    message = "That was a little fast. Wait a moment, then try again."


class Unauthenticated(DomainError):
    """Nobody known is asking: not logged in, or the proof is wrong or has ended."""

    code = "not_authenticated"
    message = "Log in first."
