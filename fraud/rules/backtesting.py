"""What a condition would have done in the past, on the vectors that live decisions saw. Pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fraud.rules.conditions import Node, evaluate
from fraud.rules.features import Vector


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored decision: `codes` are the reasons it had, `is_fraud` its label, None without one."""

    vector: Vector
    customer_id: uuid.UUID
    amount_base_minor: int | None
    codes: tuple[str, ...]
    is_fraud: bool | None
    # A soft rule was quiet for this payment, by a snooze or an allow list of that moment.
    quiet: bool = False


@dataclass(slots=True)
class Tally:
    """Counts over decisions; `precision` and `recall` look only at those somebody labelled, None without any."""

    decisions: int = 0
    hits: int = 0
    hits_fraud: int = 0
    hits_honest: int = 0
    silenced: int = 0
    frauds: int = 0
    # Fraud that went through unhindered then and would have been stopped.
    saved_minor: int = 0
    bothered: set[uuid.UUID] = field(default_factory=set)
    overlap: Counter[str] = field(default_factory=Counter)

    def add(self, node: Node, seen: Seen) -> None:
        self.decisions += 1
        self.frauds += seen.is_fraud is True
        if evaluate(node, seen.vector) is not True:
            return
        if seen.quiet:
            self.silenced += 1
            return
        self.hits += 1
        self.overlap.update(set(seen.codes))
        if seen.is_fraud is True:
            self.hits_fraud += 1
            self.saved_minor += 0 if seen.codes else seen.amount_base_minor or 0
            return
        self.hits_honest += seen.is_fraud is False
        self.bothered.add(seen.customer_id)

    @property
    def precision(self) -> float | None:
        labelled = self.hits_fraud + self.hits_honest
        return self.hits_fraud / labelled if labelled else None

    @property
    def recall(self) -> float | None:
        return self.hits_fraud / self.frauds if self.frauds else None

    def report(self) -> dict[str, Any]:
        """Ready for JSON; `overlap` says in how many hits each reason of then was there too."""
        return {
            "decisions": self.decisions,
            "hits": self.hits,
            "hits_fraud": self.hits_fraud,
            "hits_honest": self.hits_honest,
            "silenced": self.silenced,
            "frauds": self.frauds,
            "precision": self.precision,
            "recall": self.recall,
            "saved_minor": self.saved_minor,
            "customers_bothered": len(self.bothered),
            "overlap": dict(self.overlap.most_common()),
        }


def backtest(node: Node, decisions: Iterable[Seen]) -> Tally:
    """Ask the condition about each decision, as the live engine would have."""
    tally = Tally()
    for seen in decisions:
        tally.add(node, seen)
    return tally
