"""Random terms against the slow reference, and what every schedule promises."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loans.rules.parsing import parse_terms
from loans.rules.schedule import make_schedule
from tests.loans.conftest import assert_ends_at_zero
from tests.loans.reference import Loan

# Most schedules are short; a few are long enough for what rounding adds up to.
LENGTHS = st.one_of(st.integers(1, 8), st.integers(1, 8), st.integers(1, 24))
MONEY = st.integers(1, 5_000_000).map(lambda amount: f"{amount // 100}.{amount % 100:02}")
PERCENT = st.integers(0, 600_000).map(lambda rate: f"{rate // 10_000}.{rate % 10_000:04}")


@st.composite
def loans(draw: st.DrawFn) -> dict[str, Any]:
    method = draw(
        st.sampled_from(["FLAT", "EQUAL_INSTALMENT", "EQUAL_INSTALMENT", "EQUAL_PRINCIPAL", "FIXED_INSTALMENT"])
    )
    count = draw(LENGTHS)
    start = draw(st.dates(date(2019, 1, 1), date(2028, 12, 31)))
    values: dict[str, Any] = {
        "method": method,
        "annual_rate": draw(PERCENT),
        "instalments": count,
        "frequency": draw(st.sampled_from(["MONTHS", "MONTHS", "WEEKS", "DAYS"])),
        "every": draw(st.integers(1, 3)),
        "day_count": draw(st.sampled_from(["30/360", "ACTUAL/365", "ACTUAL/360", "ACTUAL/364", "ACTUAL/ACTUAL"])),
        "interest_rounding": draw(st.sampled_from(["HALF_EVEN", "HALF_UP"])),
        "annuity_rate": draw(st.sampled_from(["TWELFTH", "NOMINAL_DAYS", "ACTUAL_PERIODS"])),
        "principal_grace": draw(st.integers(0, max(min(count - 1, 4), 0))),
        "interest_grace": draw(st.one_of(st.just(0), st.integers(0, max(min(count - 1, 4), 0)))),
        "disbursements": [{"date": start.isoformat(), "amount": draw(MONEY)}],
    }
    if method == "FIXED_INSTALMENT":
        values["instalment_amount"] = draw(MONEY)
    elif draw(st.booleans()):
        values["instalment_multiple"] = str(draw(st.sampled_from([1, 5, 10])))
        values["instalment_rounding"] = draw(st.sampled_from(["NEAREST", "HALF_UP", "CEILING"]))
    if draw(st.booleans()):
        values["first_due_date"] = (start + timedelta(days=draw(st.integers(1, 70)))).isoformat()
    if method != "FLAT" and draw(st.booleans()):
        later = start + timedelta(days=draw(st.integers(0, 90)))
        if later < Loan(values).dues[-1]:
            values["disbursements"].append({"date": later.isoformat(), "amount": draw(MONEY)})
    return values


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(loans())
def test_a_schedule_is_what_the_slow_reference_gives(values: dict[str, Any]) -> None:
    made = make_schedule(terms=parse_terms(values))

    assert [(row.due_date, row.principal, row.interest) for row in made.rows] == Loan(values).rows()
    assert_ends_at_zero(made)


def test_the_reference_knows_a_wrong_schedule() -> None:
    """A control: were the engine to round the other way, the comparison would see it."""
    values = {
        "method": "EQUAL_INSTALMENT", "annual_rate": "15", "instalments": 4, "frequency": "MONTHS", "every": 1,
        "day_count": "30/360", "interest_rounding": "HALF_EVEN", "annuity_rate": "TWELFTH", "principal_grace": 0,
        "interest_grace": 0, "disbursements": [{"date": "2023-09-01", "amount": "1250"}],
    }  # fmt: skip
    other = make_schedule(terms=parse_terms(values | {"interest_rounding": "HALF_UP"}))

    assert Loan(values).rows()[0][2] == 15_62
    assert [(row.due_date, row.principal, row.interest) for row in other.rows] != Loan(values).rows()
