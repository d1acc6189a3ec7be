"""Transactions: the use case opens one, callees require one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

P = ParamSpec("P")
T = TypeVar("T")
_LOCK = "SELECT pg_advisory_xact_lock(%s, %s)"


def database() -> Any:
    """The connection of who asks, as Django wraps it. Kept by nobody: a thread that also runs asynchronous code has several."""
    return connections[DEFAULT_DB_ALIAS]


class NoTransaction(RuntimeError):
    """A programming error: a writing service was called outside a transaction."""


def in_transaction() -> bool:
    """Whether a caller opened a transaction; the blocks around a TestCase do not count."""
    blocks = database().atomic_blocks
    # The innermost is a caller's own unless there is none but those of a test.
    return bool(blocks) and not blocks[-1]._from_testcase


def require_transaction() -> None:
    """Raise NoTransaction unless a caller opened a transaction."""
    if not in_transaction():
        raise NoTransaction("open a transaction around this call: with common.db.use_case(): ...")


def use_case() -> transaction.Atomic:
    """The one transaction of a use case. Durable: it cannot be nested by accident, so its end is its commit."""
    return transaction.atomic(durable=True)


def as_use_case(part: Callable[P, T]) -> Callable[P, T]:
    """A service that works inside its caller's transaction, as a use case of its own."""

    @wraps(part)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        with use_case():
            return part(*args, **kwargs)

    return whole


def use_case_or_part() -> transaction.Atomic:
    """As `use_case`, or a part of the one that an idempotent request opened around it.

    For what is safe either way: nothing in it has to be kept when the whole fails.
    """
    return transaction.atomic(durable=not in_transaction())


def lock_advisory(*, namespace: int, key: int) -> None:
    """Take a transaction-scoped advisory lock; `namespace` and `key` are 32-bit integers."""
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [namespace, key])


def lock_advisory_first(*, namespace: int, key: int) -> None:
    """The same lock, taken before the transaction's next statement looks at anything, in the same trip to the server."""
    require_transaction()
    database().later(_LOCK, [namespace, key], writes=False)
