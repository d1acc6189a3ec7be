"""The parts that the user brings: whether they answer, and what is missing when the bank does not open."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from runner.console import Problem

SECONDS = 5.0
_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "pyamqp": 5672, "amqps": 5671}
_SOCKETS = ("unix", "redis+socket")
# Parts as `/readyz` names them, and where each one's address comes from.
_PARTS = {
    "database": "the database (DATABASE_URL)",
    "broker": "the broker (CELERY_BROKER_URL, or REDIS_URL)",
    "storage": "the storage of documents (STORAGE_ROOT, or the AWS_* settings)",
}


def check_servers(environ: Mapping[str, str], *, seconds: float = SECONDS) -> None:
    """Raise `Problem` when nobody answers at REDIS_URL or CELERY_BROKER_URL. What such an address may be, Django says."""
    for name in ("REDIS_URL", "CELERY_BROKER_URL"):
        try:
            parts = urlsplit(environ.get(name, ""))
            where = _place(parts)
        except ValueError:
            continue
        if where is None:
            continue
        try:
            _knock(where, seconds)
        except OSError as error:
            # Without the address itself: it may hold a password.
            told = where if isinstance(where, str) else f"{where[0]}:{where[1]}"
            raise Problem(f"{name}: nobody answers at {told} ({error.strerror or error}).") from error


def _place(parts: SplitResult) -> str | tuple[str, int] | None:
    """A socket's path, or host and port; None for what Django has to judge."""
    if parts.scheme in _SOCKETS and parts.path:
        return unquote(parts.path)
    if parts.scheme in _PORTS and parts.hostname and ";" not in parts.netloc + parts.path:
        return parts.hostname, parts.port or _PORTS[parts.scheme]
    return None


def _knock(where: str | tuple[str, int], seconds: float) -> None:
    if isinstance(where, str):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect(where)
    else:
        socket.create_connection(where, timeout=seconds).close()


def why_closed(status: int, body: str) -> str:
    """One line for an answer of `/readyz` that is not 200."""
    if status == 400:
        return "The portal refuses the address 127.0.0.1: add it to ALLOWED_HOSTS."
    answer: object = None
    with contextlib.suppress(ValueError):
        answer = json.loads(body)
    missing = [text for name, text in _PARTS.items() if isinstance(answer, dict) and answer.get(name) is False]
    if missing:
        return f"The bank cannot open, because {' and '.join(missing)} {_verb(missing)} not answer."
    return f"The bank cannot open: /readyz answered {status}."


def _verb(missing: list[str]) -> str:
    return "do" if len(missing) > 1 else "does"
