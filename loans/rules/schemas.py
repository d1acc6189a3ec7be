"""JSON Schema (2020-12) of terms and events, for tools; `parsing` and `events` check the same and more, and say it better."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from loans.rules import terms as model
from loans.rules.amounts import Rounding
from loans.rules.calendar import DayCount, Frequency
from loans.rules.events import NEEDS, EventType
from loans.rules.parsing import INSTALMENT_ROUNDINGS
from loans.rules.terms import MAX_INSTALMENTS, MAX_RATE

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DAY = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_AMOUNT: dict[str, Any] = {
    "description": "Major units of the currency, above zero.",
    "oneOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?$"}, {"type": "number", "exclusiveMinimum": 0}],
}


def _decimal(low: int, high: int) -> dict[str, Any]:
    return {
        "description": f"Per cent, from {low} to {high}, at most twelve decimals.",
        "oneOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?$"}, {"type": "number", "minimum": low, "maximum": high}],
    }


_RATE = _decimal(0, int(MAX_RATE))


def _choice(kind: type[StrEnum], default: StrEnum | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"enum": [str(each) for each in kind]}
    return found if default is None else found | {"default": str(default)}


def _whole(low: int, high: int, default: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": high}
    return found if default is None else found | {"default": default}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def terms_schema() -> dict[str, Any]:
    """The object that `parsing.parse_terms` reads."""
    allocation = [f"{when}:{part}" for when in model.When for part in model.Part]
    properties: dict[str, Any] = {
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "EUR"},
        "principal": _AMOUNT,
        "start_date": _DAY,
        "disbursements": {
            "type": "array",
            "minItems": 1,
            "items": _object({"date": _DAY, "amount": _AMOUNT}, ["date", "amount"]),
        },
        "method": _choice(model.Method),
        "annual_rate": _RATE,
        "instalments": _whole(1, MAX_INSTALMENTS),
        "frequency": _choice(Frequency, Frequency.MONTHS),
        "every": _whole(1, 366, 1),
        "first_due_date": _DAY,
        "seed_day": _whole(1, 31),
        "day_count": _choice(DayCount, DayCount.THIRTY_360),
        "interest_rounding": {"enum": ["HALF_EVEN", "HALF_UP"], "default": str(Rounding.HALF_EVEN)},
        "segment_rounding": _choice(model.SegmentRounding, model.SegmentRounding.EACH),
        "amount_multiple": _AMOUNT,
        "instalment_multiple": _AMOUNT,
        "instalment_rounding": {"enum": list(INSTALMENT_ROUNDINGS), "default": "NEAREST"},
        "instalment_amount": _AMOUNT,
        "annuity_rate": _choice(model.AnnuityRate, model.AnnuityRate.TWELFTH),
        "principal_grace": _whole(0, MAX_INSTALMENTS - 1, 0),
        "interest_grace": _whole(0, MAX_INSTALMENTS - 1, 0),
        "fees": {"type": "array", "items": _fee()},
        "penalty": _object(
            {
                "basis": _choice(model.PenaltyBasis),
                "amount": _AMOUNT,
                "percent": _decimal(0, 100),
                "grace_days": _whole(0, 366, 0),
            },
            ["basis"],
        ),
        "prepayment": _choice(model.Prepayment, model.Prepayment.NEXT_INSTALMENTS),
        "interest_basis": _choice(model.InterestBasis, model.InterestBasis.PLANNED),
        "payoff_interest": _choice(model.PayoffInterest, model.PayoffInterest.TO_DATE),
        "allocation": {"type": "array", "items": {"enum": allocation}, "minItems": 12, "maxItems": 12},
    }
    return {
        "$schema": _DIALECT,
        "title": "Loan terms",
        **_object(properties, ["method", "annual_rate", "instalments"]),
        "oneOf": [{"required": ["principal", "start_date"]}, {"required": ["disbursements"]}],
    }


def _fee() -> dict[str, Any]:
    return _object(
        {
            "timing": _choice(model.FeeTiming),
            "basis": _choice(model.FeeBasis),
            "amount": _AMOUNT,
            "percent": _decimal(0, 100),
        },
        ["timing", "basis"],
    )


def events_schema() -> dict[str, Any]:
    """The list that `events.parse_events` reads."""
    fields: dict[str, Any] = {
        "amount": _AMOUNT,
        "part": {"enum": [str(model.Part.FEE), str(model.Part.PENALTY)]},
        "instalments": _whole(1, MAX_INSTALMENTS),
        "annual_rate": _RATE,
        "first_due_date": _DAY,
    }
    kinds = [_event(kind, fields, *NEEDS[kind]) for kind in EventType]
    return {"$schema": _DIALECT, "title": "Loan events", "type": "array", "items": {"oneOf": kinds}}


def _event(kind: EventType, fields: dict[str, Any], required: set[str], allowed: set[str]) -> dict[str, Any]:
    own = {name: fields[name] for name in fields if name in required | allowed}
    return _object({"date": _DAY, "type": {"const": str(kind)}, **own}, ["date", "type", *sorted(required)])
