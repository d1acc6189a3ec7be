"""What belongs together: outside lines and our postings with the same sum, in one currency.

Only what is beyond doubt is proposed. Where two answers are possible, people decide.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

WINDOW_DAYS = 5
# A group is looked for among few candidates only: the number of combinations doubles with each.
MOST_CANDIDATES = 14
LARGEST_GROUP = 5
MOST_WHOLES = 500
# What names a payment has a digit somewhere; a plain word names nothing.
_TOKEN = re.compile(r"(?=[a-z-]{0,63}[0-9])[a-z0-9][a-z0-9-]{5,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Item:
    """One side's booking; amounts of both sides have the same sign for the same movement, in minor units."""

    key: Hashable
    amount: int
    day: date
    text: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`rule` says why: REFERENCE, AMOUNT or SUM."""

    lines: tuple[Hashable, ...]
    postings: tuple[Hashable, ...]
    rule: str


def propose(lines: Sequence[Item], postings: Sequence[Item]) -> list[Proposal]:
    """Proposals that do not overlap: by reference, then by amount and day, then by sum."""
    open_lines = {line.key: line for line in lines}
    open_postings = {posting.key: posting for posting in postings}
    found: list[Proposal] = []
    for step in (_by_reference, _by_amount_and_day, _by_amount, _by_sum):
        for proposal in step(list(open_lines.values()), list(open_postings.values())):
            if all(key in open_lines for key in proposal.lines) and all(
                key in open_postings for key in proposal.postings
            ):
                found.append(proposal)
                for key in proposal.lines:
                    del open_lines[key]
                for key in proposal.postings:
                    del open_postings[key]
    return found


def _by_reference(lines: list[Item], postings: list[Item]) -> Iterable[Proposal]:
    """The line names the posting, and the amounts agree; one answer only."""
    named: dict[str, list[Item]] = defaultdict(list)
    for posting in postings:
        for token in set(_TOKEN.findall(posting.text.lower())):
            named[token].append(posting)
    for line in lines:
        tokens = set(_TOKEN.findall(line.text.lower()))
        agreeing = {
            posting.key
            for token in tokens
            for posting in named.get(token, [])
            if posting.amount == line.amount and _near(line, posting)
        }
        if len(agreeing) == 1:
            yield Proposal((line.key,), (agreeing.pop(),), "REFERENCE")


def _by_amount_and_day(lines: list[Item], postings: list[Item]) -> Iterable[Proposal]:
    """As many lines as postings of one amount on one day: which is which makes no difference."""
    theirs, ours = _grouped(lines), _grouped(postings)
    for place, group in theirs.items():
        if len(group) == len(ours.get(place, [])):
            for line, posting in zip(group, ours[place], strict=True):
                yield Proposal((line.key,), (posting.key,), "AMOUNT")


def _by_amount(lines: list[Item], postings: list[Item]) -> Iterable[Proposal]:
    """The only posting of this amount within the window, whose only line this is."""
    their_amounts, our_amounts = _by(lines), _by(postings)
    for line in lines:
        ours = [posting for posting in our_amounts.get(line.amount, []) if _near(line, posting)]
        if len(ours) != 1:
            continue
        theirs = [other for other in their_amounts[line.amount] if _near(other, ours[0])]
        if len(theirs) == 1:
            yield Proposal((line.key,), (ours[0].key,), "AMOUNT")


def _by_sum(lines: list[Item], postings: list[Item]) -> Iterable[Proposal]:
    """One line for several postings, then one posting for several lines, when exactly one group fits."""
    for line in lines[:MOST_WHOLES]:
        if group := _only_group(line, postings):
            yield Proposal((line.key,), group, "SUM")
    for posting in postings[:MOST_WHOLES]:
        if group := _only_group(posting, lines):
            yield Proposal(group, (posting.key,), "SUM")


def _only_group(whole: Item, parts: list[Item]) -> tuple[Hashable, ...]:
    """The keys of the one group of parts with the whole's sum; empty when there is none, or more than one."""
    same_side = [part for part in parts if (part.amount > 0) == (whole.amount > 0) and _near(whole, part)]
    day = [part for part in same_side if part.day == whole.day]
    if len(day) > 1 and sum(part.amount for part in day) == whole.amount:
        return tuple(part.key for part in day)
    candidates = [part for part in same_side if abs(part.amount) < abs(whole.amount)]
    if len(candidates) > MOST_CANDIDATES:
        return ()
    fitting = [
        group
        for size in range(2, LARGEST_GROUP + 1)
        for group in combinations(candidates, size)
        if sum(part.amount for part in group) == whole.amount
    ]
    return tuple(part.key for part in fitting[0]) if len(fitting) == 1 else ()


def _by(items: list[Item]) -> dict[int, list[Item]]:
    groups: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        groups[item.amount].append(item)
    return groups


def _grouped(items: list[Item]) -> dict[tuple[int, date], list[Item]]:
    groups: dict[tuple[int, date], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.amount, item.day].append(item)
    return groups


def _near(first: Item, second: Item) -> bool:
    return abs((first.day - second.day).days) <= WINDOW_DAYS
