"""The JSON Schemas of terms and events say what the parsers take."""

from __future__ import annotations

import io
import json

import jsonschema
import pytest
from django.core.management import call_command

from loans.errors import InvalidEvent, InvalidTerms
from loans.rules import events, parsing, schemas
from tests.loans.conftest import WORKED, fields

TERMS = jsonschema.Draft202012Validator(schemas.terms_schema())
EVENTS = jsonschema.Draft202012Validator(schemas.events_schema())


@pytest.mark.parametrize("case", WORKED.values(), ids=WORKED.keys())
def test_takes_every_worked_case(case: dict[str, object]) -> None:
    TERMS.validate(case["terms"])
    EVENTS.validate(case.get("events", []))


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "BALLOON"},
        {"instalments": 0},
        {"instalments": None},
        {"every": 367},
        {"misspelt": 1},
        {"principal": "-1"},
        {"principal": "1,000"},
        {"disbursements": [{"date": "2026-01-31", "amount": "5"}]},
        {"fees": [{"timing": "INSTALMENT"}]},
        {"penalty": {"percent": "2"}},
        {"interest_rounding": "CEILING"},
        {"allocation": ["DUE:FEE"]},
        {"start_date": "tomorrow"},
    ],
)
def test_refuses_what_the_parser_refuses(changed: dict[str, object]) -> None:
    values = fields(**changed)

    assert not TERMS.is_valid(values)
    with pytest.raises(InvalidTerms):
        parsing.parse_terms(values)


@pytest.mark.parametrize(
    "event",
    [
        {"date": "2026-03-01", "type": "REPAYMENT"},
        {"date": "2026-03-01", "type": "REPAYMENT", "amount": "5", "part": "FEE"},
        {"date": "2026-03-01", "type": "CHARGE", "amount": "5", "part": "INTEREST"},
        {"date": "2026-03-01", "type": "MORATORIUM", "instalments": 0},
        {"date": "2026-03-01", "type": "GIFT"},
        {"type": "WRITE_OFF"},
    ],
)
def test_refuses_events_that_the_parser_refuses(event: dict[str, object]) -> None:
    assert not EVENTS.is_valid([event])
    with pytest.raises(InvalidEvent):
        events.parse_events([event], currency="EUR")


@pytest.mark.parametrize("which", ["terms", "events"])
def test_the_command_prints_a_valid_schema(which: str) -> None:
    out = io.StringIO()
    call_command("loan_schedule", "--schema", which, stdout=out)

    jsonschema.Draft202012Validator.check_schema(json.loads(out.getvalue()))
