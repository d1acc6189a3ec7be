"""Conditions: what is accepted, what is refused and where, and what they answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.errors import InvalidCondition
from fraud.forms import to_comparison
from fraud.rules.conditions import MAX_DEPTH, MAX_PARTS, OPERATORS, evaluate, parse
from fraud.rules.features import FEATURES, Feature, Kind
from fraud.rules.wording import explain, sentence


def read(tree: Any) -> Any:
    return parse(tree, currency="EUR")


def compare(feature: str, op: str, value: Any) -> dict[str, Any]:
    return {"feature": feature, "op": op, "value": value}


YES = compare("is_weekend", "==", True)
NO = compare("is_night", "==", True)
UNKNOWN = compare("away_from_home", "==", True)
VECTOR = {"is_weekend": True, "is_night": False, "away_from_home": None}


@pytest.mark.parametrize(
    ("tree", "answer"),
    [
        (YES, True),
        (NO, False),
        (UNKNOWN, None),
        ({"not": YES}, False),
        ({"not": NO}, True),
        ({"not": UNKNOWN}, None),
        ({"all": [YES, YES]}, True),
        ({"all": [YES, NO]}, False),
        ({"all": [YES, UNKNOWN]}, None),
        ({"all": [NO, UNKNOWN]}, False),
        ({"any": [NO, NO]}, False),
        ({"any": [YES, NO]}, True),
        ({"any": [YES, UNKNOWN]}, True),
        ({"any": [NO, UNKNOWN]}, None),
    ],
)
def test_groups_follow_three_valued_logic(tree: Any, answer: bool | None) -> None:
    assert evaluate(read(tree), VECTOR) is answer


@pytest.mark.parametrize(
    ("op", "below", "equal", "above"),
    [
        (">", False, False, True),
        (">=", False, True, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_each_comparison_at_its_boundary(op: str, below: bool, equal: bool, above: bool) -> None:
    node = read(compare("amount_base", op, "5000.00"))
    answers = [evaluate(node, {"amount_base": minor}) for minor in (4999_99, 5000_00, 5000_01)]
    assert answers == [below, equal, above]


@pytest.mark.parametrize(
    ("times", "amount", "largest", "answer"),
    [(3, 300, 100, False), (3, 301, 100, True), ("2.5", 250, 100, False), ("2.5", 251, 100, True), (3, 1, 0, True)],
)
def test_a_factor_on_another_feature_is_exact(times: Any, amount: int, largest: int, answer: bool) -> None:
    node = read({"feature": "amount_base", "op": ">", "times": times, "of": "max_amount_90d"})
    assert evaluate(node, {"amount_base": amount, "max_amount_90d": largest}) is answer


def test_a_factor_on_something_unknown_is_unknown() -> None:
    node = read({"feature": "amount_base", "op": ">", "times": 3, "of": "max_amount_90d"})
    assert evaluate(node, {"amount_base": 1000, "max_amount_90d": None}) is None


@pytest.mark.parametrize(
    ("op", "value", "answer"),
    [("in", ["DE", "FR"], True), ("not_in", ["DE"], False), ("==", "DE", True), ("!=", "DE", False)],
)
def test_countries_are_looked_up_in_lists(op: str, value: Any, answer: bool) -> None:
    assert evaluate(read(compare("country", op, value)), {"country": "DE"}) is answer


def nested(depth: int) -> Any:
    tree: Any = YES
    for _ in range(depth - 1):
        tree = {"not": tree}
    return tree


def test_groups_may_be_nested_up_to_the_limit() -> None:
    assert evaluate(read(nested(MAX_DEPTH)), VECTOR) is not None
    with pytest.raises(InvalidCondition):
        read(nested(MAX_DEPTH + 1))


def test_very_deep_nesting_is_refused_without_exhausting_the_stack() -> None:
    with pytest.raises(InvalidCondition):
        read(nested(100_000))


def test_a_huge_tree_is_refused() -> None:
    with pytest.raises(InvalidCondition):
        read({"any": [YES] * 100_000})
    with pytest.raises(InvalidCondition):
        read({"all": [{"any": [YES] * 10}] * (MAX_PARTS // 10)})


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (None, "condition"),
        ([], "condition"),
        ("amount_base > 1", "condition"),
        ({}, "condition"),
        ({"all": []}, "condition.all"),
        ({"all": YES}, "condition.all"),
        ({"xor": [YES]}, "condition"),
        ({1: [YES]}, "condition"),
        ({"all": [YES], "any": [NO]}, "condition"),
        ({"all": [YES, {"any": [compare("salary", ">", 1)]}]}, "condition.all[1].any[0].feature"),
        (compare("__class__", "==", True), "condition.feature"),
        (compare(["amount_base"], ">", "1"), "condition.feature"),  # type: ignore[arg-type]
        (compare("amount_base", "eval", "1"), "condition.op"),
        (compare("amount_base", None, "1"), "condition.op"),  # type: ignore[arg-type]
        (compare("amount_base", ["=="], "1"), "condition.op"),  # type: ignore[arg-type]
        (compare("is_night", ">", True), "condition.op"),
        (compare("country", ">", "DE"), "condition.op"),
        (compare("amount_base", ">", 5000), "condition.value"),
        (compare("amount_base", ">", "5e3"), "condition.value"),
        (compare("amount_base", ">", "NaN"), "condition.value"),
        (compare("amount_base", ">", "-1"), "condition.value"),
        (compare("amount_base", ">", "1.001"), "condition.value"),
        (compare("amount_base", ">", "9" * 400), "condition.value"),
        (compare("txn_count_10min", ">", "5"), "condition.value"),
        (compare("txn_count_10min", ">", 5.5), "condition.value"),
        (compare("txn_count_10min", ">", -1), "condition.value"),
        (compare("txn_count_10min", ">", True), "condition.value"),
        (compare("txn_count_10min", ">", 10**30), "condition.value"),
        (compare("hour", ">", 24), "condition.value"),
        (compare("is_night", "==", 1), "condition.value"),
        (compare("is_night", "==", "yes"), "condition.value"),
        (compare("transfer_type", "==", "WIRE"), "condition.value"),
        (compare("country", "==", "Germany"), "condition.value"),
        (compare("country", "in", "DE"), "condition.value"),
        (compare("country", "in", []), "condition.value"),
        (compare("country", "in", ["DE"] * 51), "condition.value"),
        (compare("country", "in", ["DE", 5]), "condition.value"),
        ({"feature": "amount_base", "op": ">"}, "condition"),
        ({**YES, "extra": 1}, "condition"),
        ({"feature": "amount_base", "op": ">", "times": 3}, "condition"),
        ({"feature": "amount_base", "op": ">", "times": 0, "of": "max_amount_90d"}, "condition.times"),
        ({"feature": "amount_base", "op": ">", "times": 3.5, "of": "max_amount_90d"}, "condition.times"),
        ({"feature": "amount_base", "op": ">", "times": "1e9", "of": "max_amount_90d"}, "condition.times"),
        ({"feature": "amount_base", "op": ">", "times": 3, "of": "txn_count_10min"}, "condition.of"),
        ({"feature": "amount_base", "op": ">", "times": 3, "of": "amount_base"}, "condition.of"),
        ({"feature": "is_night", "op": "==", "times": 3, "of": "is_weekend"}, "condition.of"),
    ],
)
def test_a_mistake_is_named_with_its_place(tree: Any, path: str) -> None:
    with pytest.raises(InvalidCondition) as caught:
        read(tree)
    assert caught.value.data["path"] == path
    assert caught.value.field == "condition"
    assert caught.value.text.endswith(".")


def values_of(kind: Kind, name: str) -> st.SearchStrategy[Any]:
    feature = FEATURES[name]
    if kind is Kind.MONEY:
        return st.integers(0, 10**9).map(lambda minor: f"{Decimal(minor) / 100:.2f}")
    if kind is Kind.RATIO:
        return st.decimals(-9999, 9999, places=2).map(str)
    if kind is Kind.FLAG:
        return st.booleans()
    if kind is Kind.CHOICE:
        return st.sampled_from(sorted(feature.choices))
    if kind is Kind.COUNTRY:
        return st.sampled_from(["DE", "FR", "NG", "XQ"])
    return st.integers(0, feature.maximum)


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(FEATURES)))
    kind = FEATURES[name].kind
    op = draw(st.sampled_from(OPERATORS[kind]))
    value = values_of(kind, name)
    if op in ("in", "not_in"):
        return compare(name, op, draw(st.lists(value, min_size=1, max_size=4)))
    return compare(name, op, draw(value))


TREES = st.recursive(
    comparisons(),
    lambda inner: (
        st.builds(
            lambda mode, parts: {mode: parts}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
        )
        | inner.map(lambda part: {"not": part})
    ),
    max_leaves=6,
)


def vectors() -> st.SearchStrategy[dict[str, Any]]:
    plain: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.FLAG: st.booleans(),
        Kind.RATIO: st.floats(-1e6, 1e6),
        Kind.MONEY: st.integers(0, 10**9) | st.floats(0, 1e9),
        Kind.CHOICE: st.sampled_from(["OWN", "INTERNAL", "PORTAL"]),
        Kind.COUNTRY: st.sampled_from(["DE", "NG"]),
    }
    return st.fixed_dictionaries(
        {name: st.none() | plain.get(feature.kind, st.integers(0, 10**9)) for name, feature in FEATURES.items()}
    )


# A vector has a value for each of the features: on a busy machine making one takes longer than Hypothesis likes.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(tree=TREES, vector=vectors())
def test_whatever_is_accepted_can_be_evaluated_explained_and_read(tree: Any, vector: dict[str, Any]) -> None:
    try:
        node = read(tree)
    except InvalidCondition:
        return
    answer = evaluate(node, vector)
    assert answer in (True, False, None)
    opposite = evaluate(type(read({"not": YES}))(node), vector)
    assert opposite is (None if answer is None else not answer)
    text = sentence(node, currency="EUR")
    assert text
    assert text[0] == text[0].upper()
    assert (explain(node, vector, currency="EUR") == "") or answer is True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "feature", "op", "value", "times", "of"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(tree=JSON)
def test_any_json_is_either_read_or_refused_by_name(tree: Any) -> None:
    try:
        accepted = read(tree)
    except InvalidCondition:
        return
    assert sentence(accepted, currency="EUR")


@pytest.mark.parametrize(
    "tree",
    [
        {"feature": "amount_base", "op": "/", "value": "0"},
        {"feature": "amount_base", "op": ">", "value": "3", "divided_by": "max_amount_90d"},
        {"all": [YES, {"divide": ["amount_base", "max_amount_90d"]}]},
    ],
)
def test_a_rule_that_divides_is_told_what_to_do_instead(tree: Any) -> None:
    with pytest.raises(InvalidCondition, match="may be zero: use “times” another feature"):
        read(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {"feature": "country", "op": "like", "value": "D%"},
        {"feature": "amount_base", "op": ">", "value": "3", "where": "1 = 1"},
        {"any": [{"sum": "amount", "days": 365, "op": ">", "value": 5}]},
        {"sql": "SELECT 1"},
    ],
)
def test_a_rule_that_would_search_payments_is_told_why_it_cannot(tree: Any) -> None:
    with pytest.raises(InvalidCondition, match="each of which is found by an index"):
        read(tree)


@pytest.mark.parametrize("feature", FEATURES.values(), ids=lambda feature: feature.name)
def test_each_feature_can_be_asked_for_in_a_row_of_the_form_and_read(feature: Feature) -> None:
    text = {
        Kind.MONEY: "12.50",
        Kind.COUNT: "3",
        Kind.NUMBER: "1",
        Kind.RATIO: "0.5",
        Kind.FLAG: "yes",
        Kind.CHOICE: next(iter(feature.choices), ""),
        Kind.COUNTRY: "DE",
    }[feature.kind]
    op = "==" if feature.kind in (Kind.FLAG, Kind.CHOICE, Kind.COUNTRY) else ">"
    node = read(to_comparison(feature, op=op, text=text, of=""))
    words = sentence(node, currency="EUR")
    assert len(words) > 3
    assert feature.name not in words
    assert feature.unit
