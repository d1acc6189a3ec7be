"""In which order a payment is spent: past due, due and in advance by penalty, fee, interest and principal, twelve places."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from enum import StrEnum

from loans.rules.terms import DEFAULT_ALLOCATION, Bucket, Part, When

PLACES = len(DEFAULT_ALLOCATION)
_WHENS = {
    When.PAST_DUE: "what is past due",
    When.DUE: "what is due today",
    When.IN_ADVANCE: "what comes next",
}
_PARTS = {Part.PENALTY: "penalties", Part.FEE: "fees", Part.INTEREST: "interest", Part.PRINCIPAL: "principal"}
_SHORT = {When.PAST_DUE: "past due", When.DUE: "due today", When.IN_ADVANCE: "in advance"}


class Preset(StrEnum):
    """Orders that a product can take as they are. Three go by time first, the last by part first."""

    CHARGES_FIRST = "CHARGES_FIRST"
    INTEREST_FIRST = "INTEREST_FIRST"
    PRINCIPAL_FIRST = "PRINCIPAL_FIRST"
    BY_PART = "BY_PART"


def _by_time(*parts: Part) -> list[str]:
    return listed((when, part) for when in When for part in parts)


def listed(order: Iterable[Bucket]) -> list[str]:
    """As terms in JSON have it: "PAST_DUE:PENALTY" and so on."""
    return [f"{when}:{part}" for when, part in order]


PRESETS: dict[Preset, list[str]] = {
    Preset.CHARGES_FIRST: _by_time(Part.PENALTY, Part.FEE, Part.INTEREST, Part.PRINCIPAL),
    Preset.INTEREST_FIRST: _by_time(Part.INTEREST, Part.PRINCIPAL, Part.FEE, Part.PENALTY),
    Preset.PRINCIPAL_FIRST: _by_time(Part.PRINCIPAL, Part.INTEREST, Part.FEE, Part.PENALTY),
    Preset.BY_PART: listed((when, part) for part in _PARTS for when in When),
}


def default_order() -> list[str]:
    return listed(DEFAULT_ALLOCATION)


def is_order(value: object) -> bool:
    """Whether it is a list with each of the twelve exactly once."""
    return isinstance(value, list) and sorted(map(str, value)) == sorted(default_order())


def in_words(order: Sequence[Bucket]) -> str:
    """An order as people read it: short where it goes by time or by part throughout, in full otherwise."""
    whens, parts = list(dict.fromkeys(when for when, _ in order)), list(dict.fromkeys(part for _, part in order))
    times, kinds = _then([_WHENS[when] for when in whens]), _then([_PARTS[part] for part in parts])
    if list(order) == list(itertools.product(whens, parts)):
        return f"{times}; of each, {kinds}"
    if list(order) == [(when, part) for part in parts for when in whens]:
        return f"{kinds}; of each, {times}"
    return _then([f"{_PARTS[part]} {_SHORT[when]}" for when, part in order])


def _then(names: list[str]) -> str:
    return f"{', '.join(names[:-1])}, then {names[-1]}"
