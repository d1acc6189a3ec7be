"""Bad terms get one clear answer that names the field."""

from __future__ import annotations

from typing import Any

import pytest

from loans.errors import InvalidTerms
from loans.rules.parsing import load_json, parse_terms
from tests.loans.conftest import fields

FEE = {"timing": "INSTALMENT", "basis": "FLAT", "amount": "1"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("principal", {"principal": None}),
        ("principal", {"principal": "0"}),
        ("principal", {"principal": "-5"}),
        ("principal", {"principal": "1.005"}),
        ("principal", {"principal": True}),
        ("principal", {"principal": "1e3"}),
        ("start_date", {"start_date": None}),
        ("start_date", {"start_date": "2026-02-29"}),
        ("start_date", {"start_date": "20260228"}),
        ("start_date", {"start_date": 20260228}),
        ("principal", {"disbursements": [{"date": "2026-01-01", "amount": "1"}]}),
        ("disbursements", {"disbursements": [], "principal": None, "start_date": None}),
        ("disbursements", {"disbursements": {}, "principal": None, "start_date": None}),
        ("disbursements[0].amount", {"disbursements": [{"date": "2026-01-01"}], "principal": None, "start_date": None}),
        ("method", {"method": None}),
        ("method", {"method": "BALLOON"}),
        ("method", {"method": ["FLAT"]}),
        ("annual_rate", {"annual_rate": None}),
        ("annual_rate", {"annual_rate": "-1"}),
        ("annual_rate", {"annual_rate": "1001"}),
        ("annual_rate", {"annual_rate": "NaN"}),
        ("annual_rate", {"annual_rate": "much"}),
        ("annual_rate", {"annual_rate": True}),
        ("instalments", {"instalments": None}),
        ("instalments", {"instalments": 0}),
        ("instalments", {"instalments": -1}),
        ("instalments", {"instalments": 1201}),
        ("instalments", {"instalments": "12"}),
        ("instalments", {"instalments": True}),
        ("instalments", {"start_date": "9999-06-01"}),
        ("every", {"every": 0}),
        ("first_due_date", {"first_due_date": "2026-01-31"}),
        ("first_due_date", {"first_due_date": "2026-01-01"}),
        ("first_due_date", {"first_due_date": "2026-02-29"}),
        ("seed_day", {"seed_day": 32}),
        ("seed_day", {"seed_day": 3, "frequency": "WEEKS"}),
        ("day_count", {"day_count": "ACTUAL"}),
        ("interest_rounding", {"interest_rounding": "CEILING"}),
        ("instalment_rounding", {"instalment_rounding": "FLOOR"}),
        ("instalment_multiple", {"instalment_multiple": "0"}),
        ("instalment_amount", {"method": "FIXED_INSTALMENT"}),
        ("instalment_amount", {"instalment_amount": "10"}),
        ("principal_grace", {"principal_grace": 12}),
        ("interest_grace", {"interest_grace": -1}),
        ("fees", {"fees": FEE}),
        ("fees[0].basis", {"fees": [{"timing": "INSTALMENT", "amount": "1"}]}),
        ("fees[0].basis", {"fees": [{"timing": "DISBURSEMENT", "basis": "INSTALMENT", "percent": "1"}]}),
        ("fees[0].amount", {"fees": [{"timing": "INSTALMENT", "basis": "FLAT"}]}),
        ("fees[1].percent", {"fees": [FEE, {"timing": "INSTALMENT", "basis": "PRINCIPAL", "percent": "101"}]}),
        ("fees[0].colour", {"fees": [FEE | {"colour": "red"}]}),
        ("penalty.grace_days", {"penalty": {"basis": "FLAT", "amount": "1", "grace_days": -1}}),
        ("penalty", {"penalty": "high"}),
        ("allocation", {"allocation": ["PAST_DUE:PENALTY"]}),
        ("allocation", {"allocation": ["SOON:PENALTY"]}),
        ("currency", {"currency": "XXY"}),
        ("currency", {"currency": 5}),
        ("intrest_rounding", {"intrest_rounding": "HALF_UP"}),
    ],
)
def test_names_the_field_at_fault(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidTerms) as refused:
        parse_terms(fields(**changes))

    assert refused.value.field == field
    assert refused.value.text.endswith(".")


def test_disbursements_come_in_order_and_before_the_end() -> None:
    unordered = [{"date": "2026-02-01", "amount": "1"}, {"date": "2026-01-01", "amount": "1"}]
    late = [{"date": "2026-01-01", "amount": "1"}, {"date": "2027-01-01", "amount": "1"}]
    flat = [{"date": "2026-01-01", "amount": "1"}, {"date": "2026-02-01", "amount": "1"}]

    for parts, method in ((unordered, "EQUAL_PRINCIPAL"), (late, "EQUAL_PRINCIPAL"), (flat, "FLAT")):
        with pytest.raises(InvalidTerms) as refused:
            parse_terms(fields(principal=None, start_date=None, disbursements=parts, method=method))
        assert refused.value.field == "disbursements"


@pytest.mark.parametrize("text", ["", "[]", "nul", '{"a": 1, "a": 2}', '{"annual_rate": NaN}', "[" * 100_000])
def test_refuses_what_is_no_json_object(text: str) -> None:
    with pytest.raises(InvalidTerms):
        load_json(text)


def test_numbers_in_json_stay_exact() -> None:
    assert str(parse_terms(fields() | load_json('{"annual_rate": 9.4822}')).annual_rate) == "9.4822"
