"""Live rules against one feature vector. Pure, so that a backtest gives the same answer as the live bank did."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fraud.rules.conditions import Node, evaluate
from fraud.rules.facts import Outcome, Reason
from fraud.rules.features import Vector
from fraud.rules.lists import NOTHING_SAID, Entry, Standing
from fraud.rules.wording import explain

UNKNOWN_AMOUNT = Reason(
    "UNKNOWN_AMOUNT",
    "We have no current exchange rate for this currency, so a person checks this payment.",
    "No reference rate: the amount in the base currency is not known.",
)
NOT_SCREENED = Reason(
    "NOT_SCREENED",
    "We could not check this payment right away, so a person does.",
    "The automatic check failed or took too long.",
)
BLOCK_LIST = "BLOCK_LIST"
BLOCK_LIST_TEXT = "We refused this payment to protect you. Please contact us if you expected it to go through."
# Safe below 0.5, suspicious below 0.8, critical from there. One soft rule is suspicious; more come close to critical.
FIRST_FLAG = 0.60
EACH_FURTHER_FLAG = 0.05
HIGHEST_FLAGGED = 0.79
BLOCKED_SCORE = 0.95


@dataclass(frozen=True, slots=True)
class LiveRule:
    """`node` is None when the stored condition cannot be read; such a rule holds every payment until it is mended."""

    code: str
    version: int
    blocks: bool
    customer_text: str
    sentence: str
    node: Node | None
    rule_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule that hit and decided nothing: why, and by which snooze or entry of a list (None in shadow)."""

    rule_id: uuid.UUID
    why: str
    by: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """`silent`: soft rules that hit and were quiet for this payment."""

    outcome: Outcome
    score: float
    reasons: tuple[Reason, ...]
    silent: tuple[Silent, ...] = ()


def judge(rules: Sequence[LiveRule], vector: Vector, *, currency: str, standing: Standing = NOTHING_SAID) -> Judgement:
    """Blocked by a block list or a hard rule, flagged by a soft one or an unknown amount, else approved.

    A snooze or an allow list makes soft rules quiet, never a hard one, one that cannot be read, or a block list.
    """
    hits = [rule for rule in rules if rule.node is None or evaluate(rule.node, vector) is True]
    silent = tuple(hit for rule in hits if (hit := _silent(rule, standing)) is not None)
    quiet = {hit.rule_id for hit in silent}
    hits = [rule for rule in hits if rule.rule_id is None or rule.rule_id not in quiet]
    blocking = [Reason(BLOCK_LIST, BLOCK_LIST_TEXT, _listed(entry)) for entry in standing.blocked]
    reasons = blocking + [Reason(rule.code, rule.customer_text, _detail(rule, vector, currency)) for rule in hits]
    if vector.get("amount_base") is None:
        reasons.append(UNKNOWN_AMOUNT)
    if blocking or any(rule.blocks and rule.node is not None for rule in hits):
        return Judgement(Outcome.BLOCKED, BLOCKED_SCORE, tuple(reasons), silent)
    if reasons:
        score = min(FIRST_FLAG + EACH_FURTHER_FLAG * (len(reasons) - 1), HIGHEST_FLAGGED)
        return Judgement(Outcome.FLAGGED, round(score, 2), tuple(reasons), silent)
    return Judgement(Outcome.APPROVED, 0.0, (), silent)


def _silent(rule: LiveRule, standing: Standing) -> Silent | None:
    if rule.blocks or rule.node is None or rule.rule_id is None or rule.code not in standing.silenced:
        return None
    why, by = standing.silenced[rule.code]
    return Silent(rule.rule_id, why, by)


def _listed(entry: Entry) -> str:
    return f"On the block list since {entry.from_at:%Y-%m-%d}: {entry.shown}. {entry.reason}"


def shadow_hits(rules: Sequence[LiveRule], vector: Vector) -> tuple[Silent, ...]:
    """The rules in shadow that would have hit; one that cannot be read says nothing."""
    return tuple(
        Silent(rule.rule_id, "SHADOW")
        for rule in rules
        if rule.rule_id is not None and rule.node is not None and evaluate(rule.node, vector) is True
    )


def _detail(rule: LiveRule, vector: Vector, currency: str) -> str:
    if rule.node is None:
        return "The stored condition of this rule cannot be read."
    figures = explain(rule.node, vector, currency=currency)
    return f"{rule.sentence}. {figures}" if figures else f"{rule.sentence}."
