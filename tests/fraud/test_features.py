"""Derived features: pure arithmetic over the facts and the customer's past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fraud.rules.facts import Facts
from fraud.rules.features import FEATURES, SCHEMA_HASH, VECTOR_FEATURES, Kind, Past, derive, numbers
from tests.fraud.conftest import NOON


def vector(facts: Facts, **past: Any) -> dict[str, Any]:
    return derive(facts=facts, past=Past(**past))


def test_the_vector_holds_exactly_the_table(facts: Callable[..., Facts]) -> None:
    assert set(vector(facts())) == set(FEATURES)
    assert len(SCHEMA_HASH) == 64


def test_every_feature_says_what_it_is() -> None:
    for feature in FEATURES.values():
        assert feature.label
        assert feature.unit
        assert feature.description.endswith(".")
        assert (feature.yes and feature.no) if feature.kind is Kind.FLAG else feature.noun


def test_counts_include_this_transfer(facts: Callable[..., Facts]) -> None:
    seen = vector(facts(), transfers_10min=4, transfers_1hour=14, transfers_24hour=20)
    assert (seen["txn_count_10min"], seen["txn_count_1hour"], seen["daily_count"]) == (5, 15, 21)


def test_a_withdrawal_is_no_transfer_but_is_sent(facts: Callable[..., Facts]) -> None:
    seen = vector(facts(transfer_type="WITHDRAWAL"), transfers_10min=4, sent_1hour_minor=500)
    assert seen["txn_count_10min"] == 4
    assert seen["hourly_total"] == 1500


def test_own_transfers_are_counted_but_not_sent_and_never_to_a_new_payee(facts: Callable[..., Facts]) -> None:
    seen = vector(facts(transfer_type="OWN"), sent_24hour_minor=500)
    assert seen["txn_count_10min"] == 1
    assert seen["daily_total"] == 500
    assert seen["is_new_beneficiary"] is False


@pytest.mark.parametrize(
    ("country", "home", "away"),
    [("DE", "DE", False), ("NG", "DE", True), ("", "DE", None), ("DE", "", None), ("", "", None)],
)
def test_away_from_home_needs_both_countries(
    facts: Callable[..., Facts], country: str, home: str, away: bool | None
) -> None:
    assert vector(facts(country=country, home_country=home))["away_from_home"] is away


def test_without_a_rate_amounts_are_unknown(facts: Callable[..., Facts]) -> None:
    seen = vector(facts(amount_base_minor=None))
    assert seen["amount_base"] is None
    assert seen["hourly_total"] is None


@pytest.mark.parametrize(("hour", "night"), [(22, False), (23, True), (0, True), (5, True), (6, False)])
def test_the_night_is_from_23_to_6(facts: Callable[..., Facts], hour: int, night: bool) -> None:
    assert vector(facts(at=NOON.replace(hour=hour)))["is_night"] is night


def test_the_weekend_is_saturday_and_sunday(facts: Callable[..., Facts]) -> None:
    days = [vector(facts(at=datetime(2026, 3, day, 12, tzinfo=UTC)))["is_weekend"] for day in range(16, 23)]
    assert days == [False] * 5 + [True] * 2


def test_time_since_last_is_in_seconds(facts: Callable[..., Facts]) -> None:
    assert vector(facts(), since_last_us=120_999_999)["time_since_last"] == 120
    assert vector(facts())["time_since_last"] is None


def test_a_stored_vector_becomes_the_models_row_with_gaps(facts: Callable[..., Facts]) -> None:
    row = numbers(vector(facts(amount_minor=250, amount_base_minor=None)))
    assert len(row) == len(VECTOR_FEATURES) == 59
    assert row[0] != row[0]
    assert row[VECTOR_FEATURES.index("is_new_beneficiary")] == 1.0


def test_spread_and_deviation_follow_their_formulas(facts: Callable[..., Facts]) -> None:
    seen = vector(
        facts(amount_minor=1000),
        settled_90d=2,
        settled_90d_minor=600,
        squares_90d=(0, 100**2 + 500**2),
        since_first_us=0,
    )
    assert (seen["user_avg_amount"], seen["user_std_amount"], seen["deviation_from_avg"]) == (300, 200, 3.5)
    assert seen["user_txn_frequency"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"at": datetime(2026, 3, 18, 12)},
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"transfer_type": "WIRE"},
        {"channel": "FAX"},
    ],
)
def test_facts_that_cannot_be_are_refused(facts: Callable[..., Facts], change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        facts(**change)
