"""Who is calling, from where: set once per request by the middleware, read by audit, fraud and logging."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Channel = Literal["PORTAL", "API", "ADMIN", "SYSTEM"]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`country` is an ISO 3166 alpha-2 code, or empty when the address tells nothing."""

    request_id: str = ""
    ip: str = ""
    user_agent: str = ""
    channel: Channel = "SYSTEM"
    country: str = ""


_current: ContextVar[RequestContext] = ContextVar("request_context", default=RequestContext())


def current() -> RequestContext:
    return _current.get()


def enter(context: RequestContext) -> object:
    return _current.set(context)


def leave(token: object) -> None:
    _current.reset(token)  # type: ignore[arg-type]
