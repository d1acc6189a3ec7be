"""Conditions as sentences a person reads."""

from __future__ import annotations

from decimal import Decimal

from common import geography
from common.money import Money, display
from fraud.rules.conditions import Comparison, Group, Node, Not, evaluate
from fraud.rules.features import Feature, Kind, Value, Vector

_MORE_OR_LESS = {
    Kind.COUNT: {
        ">": "more than {}",
        ">=": "at least {}",
        "<": "fewer than {}",
        "<=": "at most {}",
        "==": "exactly {}",
        "!=": "any number but {}",
    },
    Kind.MONEY: {
        ">": "above {}",
        ">=": "of at least {}",
        "<": "below {}",
        "<=": "of at most {}",
        "==": "of exactly {}",
        "!=": "other than {}",
    },
    Kind.NUMBER: {
        ">": "above {}",
        ">=": "at or above {}",
        "<": "below {}",
        "<=": "at or below {}",
        "==": "{}",
        "!=": "other than {}",
    },
}
_MORE_OR_LESS[Kind.RATIO] = _MORE_OR_LESS[Kind.NUMBER]


def sentence(node: Node, *, currency: str) -> str:
    """The whole condition, for example "More than 5 transfers in 10 minutes, or more than 15 in an hour"."""
    text = _phrase(node, currency, nested=False)
    return text[:1].upper() + text[1:]


def explain(node: Node, vector: Vector, *, currency: str) -> str:
    """The figures behind a hit: each comparison that came true, with the value it saw."""
    seen: dict[str, str] = {}
    for comparison in _true_comparisons(node, vector):
        for feature in (comparison.feature, comparison.of):
            if feature is not None:
                seen.setdefault(feature.name, f"{feature.label}: {show(feature, vector[feature.name], currency)}")
    return "; ".join(seen.values())


def show(feature: Feature, value: Value, currency: str) -> str:
    """A feature's value for people."""
    if value is None:
        return "not known"
    if feature.kind is Kind.FLAG:
        return "yes" if value else "no"
    if feature.kind is Kind.MONEY:
        return display(Money(round(float(value)), currency))
    if feature.kind is Kind.RATIO:
        return _plain(round(Decimal(value), 4))
    return _name(feature, str(value))


def _true_comparisons(node: Node, vector: Vector) -> list[Comparison]:
    if evaluate(node, vector) is not True:
        return []
    if isinstance(node, Comparison):
        return [node]
    if isinstance(node, Not):
        return []
    return [found for part in node.parts for found in _true_comparisons(part, vector)]


def _phrase(node: Node, currency: str, *, nested: bool) -> str:
    if isinstance(node, Comparison):
        return _comparison(node, currency, noun=True)
    if isinstance(node, Not):
        return f"not ({_phrase(node.part, currency, nested=False)})"
    parts = _parts(node, currency)
    if len(parts) == 1:
        return parts[0]
    word = "or" if node.mode == "any" else "and"
    if not nested:
        comma = "," if node.mode == "any" or any(isinstance(part, Group) for part in node.parts) else ""
        return f"{', '.join(parts[:-1])}{comma} {word} {parts[-1]}"
    return f"({', '.join(parts[:-1])} {word} {parts[-1]})"


def _parts(group: Group, currency: str) -> list[str]:
    """Each part as a phrase; a noun is not repeated when the part before it counted the same thing."""
    parts: list[str] = []
    before = ""
    for part in group.parts:
        if isinstance(part, Comparison):
            noun = part.feature.noun if part.feature.kind is Kind.COUNT else ""
            parts.append(_comparison(part, currency, noun=not noun or noun != before))
            before = noun
        else:
            parts.append(_phrase(part, currency, nested=True))
            before = ""
    return parts


def _comparison(node: Comparison, currency: str, *, noun: bool) -> str:
    feature = node.feature
    if feature.kind is Kind.FLAG:
        return feature.yes if node.value else feature.no
    within = f" in {feature.window}" if feature.window and feature.kind not in (Kind.NUMBER, Kind.RATIO) else ""
    if feature.kind in (Kind.CHOICE, Kind.COUNTRY):
        return f"{feature.noun} {_membership(node)}"
    amount = _MORE_OR_LESS[feature.kind][node.op].format(_other(node, currency))
    if feature.kind is Kind.COUNT:
        return f"{amount} {feature.noun}{within}" if noun else f"{amount}{within}"
    if feature.kind is Kind.MONEY:
        return f"{feature.noun}{within} {amount}"
    return f"{feature.noun} {amount}"


def _other(node: Comparison, currency: str) -> str:
    if node.of is not None:
        times = "" if node.value == 1 else f"{_plain(node.value)} times "
        within = f" in {node.of.window}" if node.of.window else ""
        return f"{times}the {node.of.noun}{within}"
    return show(node.feature, node.value, currency)


def _membership(node: Comparison) -> str:
    if node.op in ("==", "!="):
        return f"is {'not ' if node.op == '!=' else ''}{_name(node.feature, node.value)}"
    names = sorted(_name(node.feature, value) for value in node.value)
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return f"is {'not ' if node.op == 'not_in' else ''}{listed}"


def _name(feature: Feature, value: str) -> str:
    if feature.kind is Kind.COUNTRY:
        return geography.country_name(value)
    return feature.choices.get(value, value)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
