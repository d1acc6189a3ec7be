"""Liveness, readiness and a summary for operators."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from kombu import Connection as BrokerConnection


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with BrokerConnection(
        settings.CELERY_BROKER_URL, transport_options={"socket_timeout": 2, "socket_connect_timeout": 1}
    ) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


def _storage() -> None:
    if not isinstance(default_storage, FileSystemStorage):
        default_storage.exists("readyz")
        return
    folder = Path(default_storage.location)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(folder)


CHECKS: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker, "storage": _storage}


def _probe() -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {}
    for name, check in CHECKS.items():
        started = time.perf_counter()
        try:
            check()
            healthy = True
        except Exception:  # noqa: BLE001 - any failure of a dependency means "not ready"; the cause stays out of the answer
            healthy = False
        results[name] = {"ok": healthy, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}
    return results


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database, the broker and the storage answer, else 503; says which."""
    results = _probe()
    ready = all(result["ok"] for result in results.values())
    body = {
        "status": "ok" if ready else "unavailable",
        **{name: result["ok"] for name, result in results.items()},
    }
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """A summary. Timings are for staff with `health_view`; a stranger sees the state only."""
    results = _probe()
    ready = all(result["ok"] for result in results.values())
    body: dict[str, Any] = {"status": "ok" if ready else "degraded", "service": settings.SITE_NAME}
    if results["database"]["ok"] and request.user.has_perm("identity.health_view"):
        body["checks"] = results
        body["sandbox"] = settings.SANDBOX
    return JsonResponse(body, status=200 if results["database"]["ok"] else 503)
