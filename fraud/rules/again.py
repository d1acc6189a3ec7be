"""What another engine would have decided, beside what was decided. Pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fraud.rules.facts import Outcome

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Again:
    """One stored decision and what would become of it now; `is_fraud` is its label, None without one."""

    decision_id: uuid.UUID
    customer_id: uuid.UUID
    amount_base_minor: int | None
    then: Outcome
    now: Outcome
    is_fraud: bool | None
    codes: Sequence[str] = ()


@dataclass(slots=True)
class Side:
    """What was stopped, and how much of it was fraud as far as people know."""

    alerts: int = 0
    blocked: int = 0
    fraud: int = 0
    honest: int = 0

    def add(self, outcome: Outcome, is_fraud: bool | None) -> None:
        if outcome is Outcome.APPROVED:
            return
        self.alerts += 1
        self.blocked += outcome is Outcome.BLOCKED
        self.fraud += is_fraud is True
        self.honest += is_fraud is False

    def report(self, frauds: int) -> dict[str, Any]:
        labelled = self.fraud + self.honest
        return {
            "alerts": self.alerts,
            "blocked": self.blocked,
            "labelled": labelled,
            "precision": self.fraud / labelled if labelled else None,
            "recall": self.fraud / frauds if frauds else None,
        }


@dataclass(slots=True)
class Comparison:
    """Both sides, and what lies between them; money in minor units of the base currency."""

    decisions: int = 0
    frauds: int = 0
    then: Side = field(default_factory=Side)
    now: Side = field(default_factory=Side)
    saved_minor: int = 0
    lost_minor: int = 0
    bothered: set[uuid.UUID] = field(default_factory=set)
    spared: set[uuid.UUID] = field(default_factory=set)
    moves: Counter[str] = field(default_factory=Counter)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def add(self, again: Again) -> None:
        self.decisions += 1
        self.frauds += again.is_fraud is True
        self.then.add(again.then, again.is_fraud)
        self.now.add(again.now, again.is_fraud)
        if again.then is again.now:
            return
        self.moves[f"{again.then} {again.now}"] += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(
                {
                    "decision": str(again.decision_id),
                    "then": again.then.value,
                    "now": again.now.value,
                    "codes": list(again.codes),
                }
            )
        self._weigh(again, again.amount_base_minor or 0)

    def _weigh(self, again: Again, minor: int) -> None:
        """Only what begins or ends to go through touches money and customers."""
        if again.then is Outcome.APPROVED:
            if again.is_fraud is True:
                self.saved_minor += minor
            else:
                self.bothered.add(again.customer_id)
        elif again.now is Outcome.APPROVED:
            if again.is_fraud is True:
                self.lost_minor += minor
            else:
                self.spared.add(again.customer_id)

    def report(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "decisions": self.decisions,
            "frauds": self.frauds,
            "then": self.then.report(self.frauds),
            "now": self.now.report(self.frauds),
            "saved_minor": self.saved_minor,
            "lost_minor": self.lost_minor,
            "customers_bothered": len(self.bothered),
            "customers_spared": len(self.spared),
            "moves": dict(sorted(self.moves.items())),
            "shown": self.shown,
        }
