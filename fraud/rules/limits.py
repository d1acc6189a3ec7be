"""Limits as conditions: for one kind of payment, fixed or by the customer's own history. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.errors import Invalid
from fraud.rules.conditions import OPERATORS
from fraud.rules.facts import TransferType
from fraud.rules.features import FEATURES, Kind

# What a limit measures, and what of the customer's own history an amount can be measured by.
MEASURES: Mapping[str, str] = {
    "amount_base": "The amount of one payment",
    "hourly_total": "The total sent in an hour, this payment included",
    "daily_total": "The total sent in 24 hours, this payment included",
    "txn_count_10min": "The number of transfers in 10 minutes",
    "txn_count_1hour": "The number of transfers in an hour",
    "daily_count": "The number of transfers in 24 hours",
}
HISTORY: Mapping[str, str] = {
    "user_avg_amount": "times the customer's average amount of 90 days",
    "max_amount_90d": "times the customer's largest amount of 90 days",
    "monthly_avg_amount": "times the customer's average amount of 30 days",
    "weekly_avg_amount": "times the customer's average amount of 7 days",
}


def limit_condition(*, transfer_type: str, measure: str, bound: str, history: str) -> dict[str, Any]:
    """The tree of a limit: hits above `bound`, or above `bound` times a figure of the customer's own history.

    `transfer_type` is empty for every kind. Raises Invalid at its field; whether `bound` fits is the parser's word.
    """
    if measure not in MEASURES:
        raise Invalid("Choose what is limited.", field="measure")
    if transfer_type and transfer_type not in set(TransferType):
        raise Invalid("Choose a kind of payment.", field="transfer_type")
    feature = FEATURES[measure]
    assert ">" in OPERATORS[feature.kind]
    if history:
        if history not in HISTORY or feature.kind is not Kind.MONEY:
            raise Invalid("Only amounts can be measured by the customer's own amounts.", field="history")
        above: dict[str, Any] = {"feature": measure, "op": ">", "times": bound.strip(), "of": history}
    else:
        value: Any = bound.strip()
        if feature.kind is Kind.COUNT and value.isascii() and value.isdigit() and len(value) <= 9:
            value = int(value)
        above = {"feature": measure, "op": ">", "value": value}
    if not transfer_type:
        return {"all": [above]}
    return {"all": [{"feature": "transfer_type", "op": "==", "value": transfer_type}, above]}
