"""Schedules of public test suites, to the cent. The file names the source of each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loans.rules import calendar
from loans.rules.amounts import EXACT, annuity
from loans.rules.calendar import Frequency
from loans.rules.parsing import parse_terms
from loans.rules.schedule import make_schedule
from tests.loans.conftest import WORKED, assert_ends_at_zero, assert_rows, cents

PLANS = [case for case in WORKED.values() if "events" not in case]


@pytest.mark.parametrize("case", PLANS, ids=[case["id"] for case in PLANS])
def test_reproduces_a_published_schedule(case: dict[str, Any]) -> None:
    made = make_schedule(terms=parse_terms(case["terms"]))

    assert_rows(case["rows"], made.rows)
    assert_ends_at_zero(made)
    for name, amount in case["totals"].items():
        assert getattr(made, name) == cents(amount)


def test_reproduces_the_published_points_of_a_loan_in_rupees() -> None:
    made = make_schedule(terms=parse_terms(WORKED["FRAPPE-280K-20"]["terms"]))

    assert [round(Decimal(amount) / 100) for amount in (made.interest, made.total)] == [20970, 300970]
    points = {number: made.rows[number - 1] for number in (4, 18, 20)}
    assert {n: (round(row.principal / 100), round(row.interest / 100)) for n, row in points.items()} == {
        4: (13392, 1660),
        18: (14745, 307),
        20: (14875, 106),
    }


@pytest.mark.parametrize(
    ("principal", "factor", "count", "payment"),
    [
        (15000, (8, 1200), 60, "304.1459143262052370338701"),
        (2000, (3, 10), 12, "626.9081401700757748402586"),
        # Of 55000 and 2000 at 10 % a year: the first principal parts 710.25... and 75.62... plus the first interest.
        (55000, (10, 1200), 60, "1168.58745911975509458231"),
        (2000, (10, 1200), 24, "92.289852675033006905709"),
    ],
)
def test_computes_the_annuity_of_numpy_financial(
    principal: int, factor: tuple[int, int], count: int, payment: str
) -> None:
    assert str(annuity(principal, [factor] * count)).startswith(payment)


def test_splits_an_unrounded_payment_as_numpy_financial_does() -> None:
    rate = EXACT.divide(Decimal(10), Decimal(1200))
    first = annuity(2000, [(10, 1200)] * 24) - 2000 * rate

    parts = [first * (1 + rate) ** (number - 1) for number in range(1, 5)]

    assert [str(round(part, 8)) for part in parts] == ["75.62318601", "76.25337923", "76.88882405", "77.52956425"]


def test_an_annuity_of_unlike_periods_is_the_level_one_when_they_are_alike() -> None:
    level = annuity(10_000_00, [(1, 100)] * 24)
    unlike = annuity(10_000_00, [(1, 100)] * 23 + [(2, 200)])

    assert abs(level - unlike) < Decimal("1e-40")


@pytest.mark.parametrize(
    ("seed", "days"),
    [
        (31, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29]),
        (30, [30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 29]),
        (28, [28] * 14),
    ],
)
def test_month_ends_keep_the_seed_day(seed: int, days: list[int]) -> None:
    dues = calendar.due_dates(
        start=date(2022, 12, seed), first_due=None, seed_day=None, frequency=Frequency.MONTHS, every=1, count=14
    )

    assert dues == tuple(date(2023 + index // 12, index % 12 + 1, day) for index, day in enumerate(days))
