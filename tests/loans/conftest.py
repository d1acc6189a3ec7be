"""Terms with sensible defaults, and the worked cases: figures of public test suites with their conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from identity.models import User
from identity.permissions import Role
from loans.rules.parsing import parse_terms
from loans.rules.schedule import Row, Schedule, make_schedule
from loans.rules.terms import Terms
from tests.conftest import make_user

WORKED = {case["id"]: case for case in json.loads((Path(__file__).parent / "worked_cases.json").read_text())}


def fields(**changes: Any) -> dict[str, Any]:
    """The JSON fields of a plain loan: 1,200.00 at 12 per cent over twelve months; None takes a field away."""
    values: dict[str, Any] = {
        "principal": "1200.00",
        "start_date": "2026-01-31",
        "method": "EQUAL_INSTALMENT",
        "annual_rate": "12",
        "instalments": 12,
    }
    values.update(changes)
    return {name: value for name, value in values.items() if value is not None}


def terms(**changes: Any) -> Terms:
    return parse_terms(fields(**changes))


def schedule(**changes: Any) -> Schedule:
    return make_schedule(terms=terms(**changes))


def cents(text: str) -> int:
    units, _, rest = text.partition(".")
    return int(units) * 100 + int(rest.ljust(2, "0"))


def assert_rows(expected: list[list[Any]], rows: tuple[Row, ...]) -> None:
    """Compare with rows of the worked cases: number, due date, then five amounts; None is not stated there."""
    for number, due, *amounts in expected:
        row = rows[number - 1]
        assert due is None or row.due_date.isoformat() == due
        found = (row.principal, row.interest, row.fees, row.penalties, row.outstanding)
        for wanted, got in zip(amounts, found, strict=True):
            assert wanted is None or cents(wanted) == got, f"row {number}: {row}"
    assert max(row[0] for row in expected) == len(rows)


def assert_ends_at_zero(made: Schedule) -> None:
    """Rows and columns add up, nothing is negative, and nothing is owed at the end."""
    assert made.principal == made.terms.principal_minor
    assert made.rows[-1].outstanding == 0
    assert made.total == sum(row.total for row in made.rows) + sum(amount for _, amount in made.disbursement_fees)
    for row in made.rows:
        assert min(row.principal, row.interest, row.fees, row.penalties, row.outstanding) >= 0


@pytest.fixture
def lender(db: None) -> User:
    """A lending officer."""
    return make_user("lending@bank.example", Role.LENDING, name="Lea Lending")


@pytest.fixture
def second_lender(db: None) -> User:
    return make_user("lending2@bank.example", Role.LENDING, name="Lars Lending")
