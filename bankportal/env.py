"""Typed readers for the environment. A missing or bad value stops the start with one clear line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
T = TypeVar("T")


def _stop(message: str) -> NoReturn:
    sys.exit(f"bankportal: {message}")


def read(reader: Callable[[], T], name: str, kind: str) -> T:
    """Call `reader`; on failure stop the process, naming the variable and what it should hold."""
    try:
        return reader()
    except ImproperlyConfigured:
        _stop(f"setting {name} is missing; it should be {kind}")
    except (ValueError, TypeError, KeyError, AttributeError):
        _stop(f"setting {name} cannot be read; it should be {kind}")


def text(name: str, *, default: str | None = None, kind: str = "text") -> str:
    return read(lambda: env.str(name) if default is None else env.str(name, default=default), name, kind)


def boolean(name: str, *, default: bool) -> bool:
    raw = env.str(name, default="true" if default else "false").strip().lower()
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    _stop(f"setting {name} cannot be read; it should be true or false")


def number(name: str, *, default: int, minimum: int = 0) -> int:
    value = read(lambda: env.int(name, default=default), name, "a whole number")
    if value < minimum:
        _stop(f"setting {name} should be {minimum} or more")
    return value


def items(name: str, *, default: list[str]) -> list[str]:
    return read(lambda: env.list(name, default=default), name, "a comma-separated list")


def secret(name: str, *, length: int) -> str:
    value = text(name, kind=f"a random text of {length} characters or more")
    if len(value) < length or len(set(value)) < 10:
        _stop(f"setting {name} is too weak; it should be a random text of {length} characters or more")
    return value


def database(name: str) -> dict[str, object]:
    config = read(lambda: env.db(name), name, "a PostgreSQL address such as postgres://user:password@host/name")
    if config.get("ENGINE") != "django.db.backends.postgresql":
        _stop(f"setting {name} should be a PostgreSQL address; no other database is supported")
    return dict(config)


def email(name: str) -> dict[str, object]:
    return dict(read(lambda: env.email_url(name), name, "an address such as smtp+tls://user:password@host:587"))
