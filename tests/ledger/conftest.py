"""A small bank: customers with money, the bank's own accounts, and a way to expect a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from ledger import queries, sealing, services
from ledger.models import Entry, Seal
from tests.patience import until

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def seal_everything() -> None:
    until(lambda: sum(Seal.objects.values_list("entries", flat=True)) == Entry.objects.count(), meanwhile=sealing.run)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def cash(db: None) -> int:
    return queries.internal_account("1000", "EUR")


@pytest.fixture
def fees(db: None) -> int:
    return queries.internal_account("4100", "EUR")


@pytest.fixture
def source() -> dict[str, Any]:
    """What every posting call needs besides money."""
    return {
        "kind": "transfer",
        "description": "Rent",
        "source_kind": "test",
        "source_id": "1",
        "booked_at": NOW,
    }


@pytest.fixture
def customer(db: None, source: dict[str, Any]) -> Callable[..., int]:
    """`customer(5000)` opens an account holding 50.00."""

    def make(balance_minor: int = 0, *, currency: str = "EUR", floor: int | None = 0) -> int:
        account = services.open_account(
            gl_code="2100", currency=currency, name="Customer", floor=floor, external_ref=uuid4()
        )
        if balance_minor:
            services.post_transfer(
                external_ref=uuid4(),
                debit_account_id=queries.internal_account("1000", currency),
                credit_account_id=account,
                amount_minor=balance_minor,
                **{**source, "kind": "deposit"},
            )
        return account

    return make


@pytest.fixture
def pay(source: dict[str, Any]) -> Callable[..., services.PostedEntry]:
    """`pay(a, b, 100)` moves 1.00 from a to b."""

    def move(debit: int, credit: int, amount: int, **changes: Any) -> services.PostedEntry:
        return services.post_transfer(
            debit_account_id=debit,
            credit_account_id=credit,
            amount_minor=amount,
            **{"external_ref": uuid4(), **source, **changes},
        )

    return move


@contextmanager
def _refused(error: type[Exception]) -> Iterator[Any]:
    # The savepoint: a refusal by the database ends the transaction it happens in.
    with pytest.raises(error) as caught, transaction.atomic():
        yield caught


@pytest.fixture
def refused() -> Callable[[type[Exception]], AbstractContextManager[Any]]:
    return _refused


@pytest.fixture
def settle() -> Callable[[], None]:
    """Run what waits for the commit, as if the rows so far were an earlier transaction's."""

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    return run
