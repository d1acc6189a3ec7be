"""The condition of a rule: a typed tree, read from JSON with every mistake named, and evaluated without surprises.

A comparison with an unknown value is neither true nor false (three-valued logic); a rule hits only when it is true.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from common.errors import Invalid
from common.money import Money
from fraud.errors import InvalidCondition
from fraud.rules.features import FEATURES, Feature, Kind, Vector

MAX_DEPTH = 4
MAX_PARTS = 40
MAX_CHOICES = 50
MAX_TIMES = Decimal(1000)

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "in": lambda value, members: value in members,
    "not_in": lambda value, members: value not in members,
}
_ORDER_OPERATORS = (">", ">=", "<", "<=", "==", "!=")
OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    Kind.MONEY: _ORDER_OPERATORS,
    Kind.COUNT: _ORDER_OPERATORS,
    Kind.NUMBER: _ORDER_OPERATORS,
    Kind.RATIO: (">", ">=", "<", "<="),
    Kind.FLAG: ("==",),
    Kind.CHOICE: ("==", "!=", "in", "not_in"),
    Kind.COUNTRY: ("==", "!=", "in", "not_in"),
}
COMPARABLE = (Kind.MONEY, Kind.COUNT, Kind.NUMBER, Kind.RATIO)
# What people try who expect a language: each has a way that is safe and fast.
_DIVIDING = frozenset({"/", "//", "%", "div", "mod", "divide", "divided_by", "over", "per", "ratio"})
_SEARCHING = frozenset(
    {"like", "ilike", "contains", "matches", "regex", "search", "starts_with", "ends_with", "where", "sql", "query"}
    | {"select", "sum", "count", "avg", "max", "min", "table", "from", "window", "days", "since"}
)
_NO_DIVISION = (
    "A rule does not divide, because what it divides by may be zero: use “times” another feature, or one of the shares."
)
_NO_SEARCH = "A rule does not search payments, because that would read them all: use a feature, each of which is found by an index."
_TIMES = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,2})?", re.ASCII)
_RATIO = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,4})?", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """`mode` is "all" or "any"."""

    mode: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """`value` is minor units for money, a frozenset for in/not_in. With `of` it is a factor on that feature instead."""

    feature: Feature
    op: str
    value: Any
    of: Feature | None = None


Node = Group | Not | Comparison


def parse(tree: object, *, currency: str) -> Node:
    """Read a JSON tree; money values are text in major units of `currency`, for example "5000.00".

    Raises InvalidCondition with the path of the first mistake.
    """
    return _Reader(currency).node(tree, path="condition", depth=1)


def evaluate(node: Node, vector: Vector) -> bool | None:
    """True, False, or None when the answer depends on something unknown."""
    if isinstance(node, Comparison):
        return _compare(node, vector)
    if isinstance(node, Not):
        inner = evaluate(node.part, vector)
        return None if inner is None else not inner
    deciding = node.mode == "any"
    unknown = False
    for part in node.parts:
        answer = evaluate(part, vector)
        if answer is deciding:
            return deciding
        unknown = unknown or answer is None
    return None if unknown else not deciding


def comparisons(node: Node) -> list[Comparison]:
    """Every comparison of the tree, in reading order."""
    if isinstance(node, Comparison):
        return [node]
    if isinstance(node, Not):
        return comparisons(node.part)
    return [found for part in node.parts for found in comparisons(part)]


def _compare(node: Comparison, vector: Vector) -> bool | None:
    value = vector.get(node.feature.name)
    if value is None:
        return None
    other = node.value
    if node.of is not None:
        base = vector.get(node.of.name)
        if base is None:
            return None
        other = node.value * Decimal(base)
    return _COMPARE[node.op](value, other)


class _Reader:
    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.count = 0

    def node(self, tree: object, *, path: str, depth: int) -> Node:
        self.count += 1
        if self.count > MAX_PARTS:
            raise InvalidCondition(f"A rule has {MAX_PARTS} parts at most.", path=path)
        if depth > MAX_DEPTH:
            raise InvalidCondition(f"Groups can be nested {MAX_DEPTH - 1} deep at most.", path=path)
        if not isinstance(tree, dict):
            raise InvalidCondition("Each part is a comparison or a group.", path=path)
        _need_a_plain_word(tree, path)
        if "feature" in tree:
            return self._comparison(tree, path)
        if len(tree) != 1:
            raise InvalidCondition("A group has exactly one of: all, any, not.", path=path)
        (mode, inner), *_ = tree.items()
        if mode == "not":
            return Not(self.node(inner, path=f"{path}.not", depth=depth + 1))
        if mode not in ("all", "any"):
            raise InvalidCondition(f"“{_shown(mode)}” is not a group; use all, any or not.", path=path)
        if not isinstance(inner, list) or not inner:
            raise InvalidCondition("A group needs at least one part.", path=f"{path}.{mode}")
        if len(inner) > MAX_PARTS:
            raise InvalidCondition(f"A rule has {MAX_PARTS} parts at most.", path=f"{path}.{mode}")
        parts = [self.node(part, path=f"{path}.{mode}[{index}]", depth=depth + 1) for index, part in enumerate(inner)]
        return Group(mode, tuple(parts))

    def _comparison(self, tree: Mapping[Any, Any], path: str) -> Comparison:
        keys = {"feature", "op", "times", "of"} if "of" in tree or "times" in tree else {"feature", "op", "value"}
        if set(tree) != keys:
            wanted = ", ".join(sorted(keys))
            raise InvalidCondition(f"A comparison has exactly: {wanted}.", path=path)
        feature = self._feature(tree["feature"], f"{path}.feature")
        op = tree["op"]
        if not isinstance(op, str) or op not in OPERATORS[feature.kind]:
            allowed = ", ".join(OPERATORS[feature.kind])
            raise InvalidCondition(f"“{feature.label}” can be compared with: {allowed}.", path=f"{path}.op")
        if "of" in keys:
            of = self._feature(tree["of"], f"{path}.of")
            if feature.kind not in COMPARABLE or of.kind is not feature.kind or of is feature:
                raise InvalidCondition(f"“{feature.label}” cannot be compared with “{of.label}”.", path=f"{path}.of")
            return Comparison(feature, op, _times(tree["times"], f"{path}.times"), of)
        return Comparison(feature, op, self._value(feature, op, tree["value"], f"{path}.value"))

    def _feature(self, name: object, path: str) -> Feature:
        if not isinstance(name, str) or name not in FEATURES:
            raise InvalidCondition(f"“{_shown(name)}” is not a known feature.", path=path)
        return FEATURES[name]

    def _value(self, feature: Feature, op: str, value: object, path: str) -> Any:
        if op in ("in", "not_in"):
            if not isinstance(value, list) or not 1 <= len(value) <= MAX_CHOICES:
                raise InvalidCondition(f"Give a list of 1 to {MAX_CHOICES} values.", path=path)
            return frozenset(_choice(feature, member, path) for member in value)
        if feature.kind is Kind.FLAG:
            if not isinstance(value, bool):
                raise InvalidCondition("Choose yes or no.", path=path)
            return value
        if feature.kind is Kind.MONEY:
            return self._money(value, path)
        if feature.kind in (Kind.CHOICE, Kind.COUNTRY):
            return _choice(feature, value, path)
        if feature.kind is Kind.RATIO:
            if not isinstance(value, str) or not _RATIO.fullmatch(value):
                raise InvalidCondition("Give a number as text, such as 0.25 or 3.", path=path)
            return Decimal(value)
        if type(value) is not int or not 0 <= value <= feature.maximum:
            raise InvalidCondition(f"Give a whole number from 0 to {feature.maximum}.", path=path)
        return value

    def _money(self, value: object, path: str) -> int:
        if not isinstance(value, str):
            raise InvalidCondition("Write the amount as text, such as 5000.00.", path=path)
        if re.fullmatch(r"0+(\.0+)?", value[:24], re.ASCII):
            return 0
        try:
            return Money.parse(value[:40], self.currency).amount_minor
        except Invalid as error:
            raise InvalidCondition(error.text, path=path) from error


def _need_a_plain_word(tree: Mapping[Any, Any], path: str) -> None:
    """Name what cannot be asked, instead of only refusing its form."""
    words = {key.lower() for key in tree if isinstance(key, str)}
    op = tree.get("op")
    if isinstance(op, str):
        words.add(op.lower())
    if words & _DIVIDING:
        raise InvalidCondition(_NO_DIVISION, path=path)
    if words & _SEARCHING:
        raise InvalidCondition(_NO_SEARCH, path=path)


def _choice(feature: Feature, value: object, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidCondition("Choose one of the list.", path=path)
    if feature.kind is Kind.COUNTRY:
        if not _COUNTRY.fullmatch(value):
            raise InvalidCondition("Give a country as two capital letters, such as DE.", path=path)
    elif value not in feature.choices:
        raise InvalidCondition(f"Choose one of: {', '.join(feature.choices)}.", path=path)
    return value


def _times(value: object, path: str) -> Decimal:
    plain = str(value) if type(value) is int or isinstance(value, str) else ""
    if not _TIMES.fullmatch(plain) or not 0 < Decimal(plain) <= MAX_TIMES:
        raise InvalidCondition(f"Give a factor above 0 and up to {MAX_TIMES}, such as 3 or 2.5.", path=path)
    return Decimal(plain)


def _shown(value: object) -> str:
    return str(value)[:40] if isinstance(value, str | int | float | bool) or value is None else type(value).__name__
