"""Typed readers for the environment. A missing or bad value stops the start with one clear line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

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
        _stop(f"setting {name} {'cannot be read' if name in env.ENVIRON else 'is missing'}; it should be {kind}")
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


def address(name: str, *, schemes: Collection[str], kind: str, default: str | None = None) -> str:
    """An address with one of the schemes; a host or, for sockets, a path must follow."""
    value = text(name, default=default, kind=kind).strip()
    if not value:
        _stop(f"setting {name} is missing; it should be {kind}")
    parts = read(lambda: urlsplit(value), name, kind)
    # Asking for the port is what looks at it.
    read(lambda: parts.port, name, kind)
    if parts.scheme not in schemes or not (parts.hostname or parts.path.strip("/")):
        _stop(f"setting {name} cannot be read; it should be {kind}")
    return value


def optional_address(name: str, *, schemes: Collection[str], kind: str) -> str:
    """As `address`; "" where nothing is set."""
    return address(name, schemes=schemes, kind=kind) if text(name, default="").strip() else ""


def choice(name: str, *, options: Collection[str], default: str) -> str:
    value = text(name, default=default)
    if value not in options:
        _stop(f"setting {name} should be one of {', '.join(options)}")
    return value


def secret(name: str, *, length: int) -> str:
    value = text(name, kind=f"a random text of {length} characters or more")
    if len(value) < length or len(set(value)) < 10:
        _stop(f"setting {name} is too weak; it should be a random text of {length} characters or more")
    return value


def database(name: str) -> dict[str, object]:
    kind = "a PostgreSQL address such as postgres://user:password@host/name"
    address(name, schemes=("postgres", "postgresql", "psql", "pgsql"), kind=kind)
    config = read(lambda: env.db(name), name, kind)
    if not config.get("NAME"):
        _stop(f"setting {name} names no database; it should be {kind}")
    return dict(config)


def s3_bucket() -> dict[str, object] | None:
    """What django-storages needs to keep files in S3; None when no bucket is named."""
    bucket = text("AWS_STORAGE_BUCKET_NAME", default="")
    given = {
        "access_key": text("AWS_ACCESS_KEY_ID", default=""),
        "secret_key": text("AWS_SECRET_ACCESS_KEY", default=""),
        "region_name": text("AWS_S3_REGION_NAME", default=""),
        "endpoint_url": text("AWS_S3_ENDPOINT_URL", default=""),
    }
    if not bucket:
        # Keys may be there for other programs; an endpoint for Django's storage is meant for us.
        if given["endpoint_url"]:
            _stop("setting AWS_STORAGE_BUCKET_NAME is missing; it should be the bucket at AWS_S3_ENDPOINT_URL")
        return None
    if bool(given["access_key"]) != bool(given["secret_key"]):
        _stop("settings AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together; one of them is missing")
    if given["endpoint_url"]:
        kind = "an address such as https://s3.example.com"
        address("AWS_S3_ENDPOINT_URL", schemes=("http", "https"), kind=kind)
    return {"bucket_name": bucket, **{name: value or None for name, value in given.items()}}


def email(name: str) -> dict[str, object]:
    return dict(read(lambda: env.email_url(name), name, "an address such as smtp+tls://user:password@host:587"))
