"""The health check of connections: it sends nothing, and finds what a server has ended."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.db.backends.postgresql import base

from tests.patience import until

pytestmark = pytest.mark.django_db(transaction=True)


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end(pid: int) -> None:
    """As a server that stops ends its connections."""
    other = connection.get_new_connection(connection.get_connection_params())
    try:
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        other.close()


def test_a_living_connection_is_known_without_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = backend()

    def asked(self: Any) -> bool:
        raise AssertionError("a query was sent")

    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", asked)
    assert connection.is_usable()
    assert backend() == pid


def test_a_connection_that_the_server_ended_is_replaced_before_the_next_request() -> None:
    before = backend()
    end(before)
    until(lambda: not connection.is_usable())

    # Django does this at the beginning of a request; the first query then looks.
    close_old_connections()

    assert backend() != before


def test_after_an_error_the_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    backend()
    monkeypatch.setattr(connection, "errors_occurred", True)
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda self: False)
    assert not connection.is_usable()
