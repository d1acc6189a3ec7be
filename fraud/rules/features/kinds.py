"""What a feature is, and short ways to write one down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = int | float | bool | str | None
Vector = Mapping[str, Value]


class Kind(StrEnum):
    """The type of a feature's value, and so what it can be compared with."""

    MONEY = "money"
    COUNT = "count"
    NUMBER = "number"
    RATIO = "ratio"
    FLAG = "flag"
    CHOICE = "choice"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Feature:
    """`noun` and `window` make sentences; `yes` and `no` are how a flag reads; unknown values are None."""

    name: str
    label: str
    kind: Kind
    unit: str
    window: str
    description: str
    noun: str = ""
    yes: str = ""
    no: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    maximum: int = 1_000_000


MINOR = "minor units of the base currency"
YES_NO = "yes or no"


def money(name: str, label: str, window: str, description: str, noun: str) -> Feature:
    return Feature(name, label, Kind.MONEY, MINOR, window, description, noun)


def count(name: str, label: str, window: str, description: str, noun: str = "payments") -> Feature:
    return Feature(name, label, Kind.COUNT, noun, window, description, noun)


def ratio(name: str, label: str, unit: str, window: str, description: str, noun: str) -> Feature:
    return Feature(name, label, Kind.RATIO, unit, window, description, noun)


def number(name: str, label: str, unit: str, window: str, description: str, noun: str, maximum: int) -> Feature:
    return Feature(name, label, Kind.NUMBER, unit, window, description, noun, maximum=maximum)


def flag(name: str, label: str, window: str, description: str, yes: str, no: str) -> Feature:
    return Feature(name, label, Kind.FLAG, YES_NO, window, description, yes=yes, no=no)
