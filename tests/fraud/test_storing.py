"""Vectors come back from the database by the names of their features, whatever table they were made with."""

from __future__ import annotations

import pytest
from django.db import connection

from common.db import use_case
from fraud import services as fraud
from fraud.models import Decision
from fraud.rules.features import FEATURES, Value
from fraud.rules.features.storing import FORMER_ORDERS, ORDER, UnknownOrder, from_stored, order_of, to_stored
from tests.fraud.conftest import make_facts


def test_the_order_is_known_by_its_name() -> None:
    """When this fails, features were added, taken away or moved: keep the names of before in FORMER_ORDERS."""
    assert ORDER == "53df3677"
    assert all(order == order_of(names) for order, names in FORMER_ORDERS.items())


def test_a_vector_comes_back_as_it_was() -> None:
    vector: dict[str, Value] = {name: place for place, name in enumerate(FEATURES)}
    vector |= {"country": None, "away_from_home": True, "transfer_type": "INTERNAL"}
    stored = to_stored(vector)
    assert isinstance(stored, list)
    assert from_stored(stored) == vector


def test_what_is_not_a_whole_vector_keeps_its_names() -> None:
    assert to_stored({}) == {}
    assert from_stored({"amount_base": 5}) == {"amount_base": 5}


def test_a_vector_of_an_unknown_table_is_refused() -> None:
    with pytest.raises(UnknownOrder):
        from_stored(["00000000", 1, 2])


@pytest.mark.django_db
def test_a_decision_writes_values_and_reads_names() -> None:
    with use_case():
        verdict = fraud.screen(facts=make_facts(amount_base_minor=12_34))
    with connection.cursor() as cursor:
        cursor.execute("SELECT features ->> 0, features ->> 1 FROM fraud_decision WHERE id = %s", [verdict.decision_id])
        assert cursor.fetchone() == (ORDER, "1234")
    decision = Decision.objects.get(pk=verdict.decision_id)
    assert list(decision.features) == list(FEATURES)
    assert decision.features["amount_base"] == 12_34
    assert Decision.objects.values_list("features", flat=True).get(pk=decision.pk) == decision.features
    again = Decision.objects.create(**{**_values(decision), "features": {**decision.features, "hour": 23}})
    assert Decision.objects.get(pk=again.pk).features["hour"] == 23


def _values(decision: Decision) -> dict[str, object]:
    return {field.attname: getattr(decision, field.attname) for field in Decision._meta.concrete_fields[1:]}
