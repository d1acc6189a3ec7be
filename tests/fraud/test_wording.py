from __future__ import annotations

from typing import Any

import pytest

from fraud.reference import SHIPPED
from fraud.rules.conditions import parse
from fraud.rules.wording import explain, sentence


def say(tree: Any) -> str:
    return sentence(parse(tree, currency="EUR"), currency="EUR")


def test_the_shipped_rules_read_as_sentences() -> None:
    assert {shipped.code: say(shipped.condition) for shipped in SHIPPED} == {
        "VELOCITY": "More than 5 transfers in 10 minutes, or more than 15 in an hour",
        "LARGE_AWAY_FROM_HOME": "Amount above €5,000.00 and away from home",
        "LARGE_TO_NEW_PAYEE": "Amount above 3 times the largest amount sent in 90 days and to a new payee",
        "VERY_LARGE_AWAY_TO_NEW_PAYEE": "Amount above €20,000.00, away from home and to a new payee",
    }


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"feature": "is_new_beneficiary", "op": "==", "value": False}, "To a known payee"),
        ({"feature": "country", "op": "in", "value": ["FR", "DE"]}, "Country of the request is France or Germany"),
        ({"feature": "country", "op": "not_in", "value": ["FR"]}, "Country of the request is not France"),
        ({"feature": "transfer_type", "op": "==", "value": "OWN"}, "Kind of payment is own accounts"),
        ({"feature": "hour", "op": ">=", "value": 22}, "Hour of the day at or above 22"),
        ({"feature": "daily_total", "op": ">", "value": "0"}, "Total sent in 24 hours above €0.00"),
        (
            {"feature": "amount_base", "op": ">=", "times": 1, "of": "daily_total"},
            "Amount of at least the total sent in 24 hours",
        ),
        (
            {
                "all": [
                    {"feature": "is_night", "op": "==", "value": True},
                    {
                        "any": [
                            {"feature": "daily_count", "op": ">", "value": 9},
                            {"feature": "amount_base", "op": ">", "value": "100"},
                        ]
                    },
                ]
            },
            "At night, and (more than 9 transfers in 24 hours or amount above €100.00)",
        ),
        ({"not": {"feature": "is_weekend", "op": "==", "value": True}}, "Not (at the weekend)"),
    ],
)
def test_conditions_read_as_english(tree: Any, text: str) -> None:
    assert say(tree) == text


def test_the_explanation_names_only_what_came_true() -> None:
    node = parse(
        {
            "any": [
                {"feature": "txn_count_10min", "op": ">", "value": 5},
                {"feature": "amount_base", "op": ">", "times": 3, "of": "max_amount_90d"},
            ]
        },
        currency="EUR",
    )
    vector = {"txn_count_10min": 2, "amount_base": 100_00, "max_amount_90d": 20_00}
    assert explain(node, vector, currency="EUR") == "Amount: €100.00; Largest amount in 90 days: €20.00"
