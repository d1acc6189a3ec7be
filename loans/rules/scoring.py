"""The score card: points anybody can add up. A change of points or wording is a new VERSION."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loans.rules.income import Affordability

VERSION = "2026-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the card looks at. `worst_days_late` is the worst of all loans there were, None for nobody's first."""

    affordability: Affordability
    income_months: int
    employment: str
    months_with_us: int
    balance_minor: int
    overdrawn_days: int
    worst_days_late: int | None


@dataclass(frozen=True, slots=True)
class Points:
    """One line of the card. `adverse` is what the customer reads when the line cost them points."""

    code: str
    label: str
    points: int
    most: int
    adverse: str

    @property
    def is_adverse(self) -> bool:
        """Less than half of what there was to get."""
        return self.points * 2 < self.most


@dataclass(frozen=True, slots=True)
class Score:
    version: str
    lines: tuple[Points, ...]

    @property
    def total(self) -> int:
        """From 0 to 100."""
        return sum(line.points for line in self.lines)

    @property
    def adverse(self) -> tuple[Points, ...]:
        """What counted against the customer, the largest loss first."""
        lost = [line for line in self.lines if line.is_adverse]
        return tuple(sorted(lost, key=lambda line: line.points - line.most))


def _step(value: int, steps: Sequence[tuple[int, int]], otherwise: int = 0) -> int:
    """The points of the first step whose bound `value` does not exceed."""
    return next((points for bound, points in steps if value <= bound), otherwise)


def score(facts: Facts) -> Score:
    """Add the card up. Each line: what is counted, its points, the most it can give."""
    employment = {"EMPLOYED": 15, "RETIRED": 15, "SELF_EMPLOYED": 10, "STUDENT": 5}.get(facts.employment, 3)
    instalment = max(facts.affordability.instalment_minor, 1)
    cushion = facts.balance_minor // instalment
    late = facts.worst_days_late
    lines = (
        Points(
            "burden",
            f"Fixed payments take {facts.affordability.burden_percent} % of income",
            _step(facts.affordability.burden_percent, ((20, 30), (30, 24), (40, 16), (50, 6))),
            30,
            "Your fixed payments, this loan included, are high beside your income.",
        ),
        Points(
            "income",
            f"Regular income seen in {facts.income_months} months",
            _step(-facts.income_months, ((-3, 20), (-2, 12))),
            20,
            "We do not see a regular income on your accounts with us.",
        ),
        Points(
            "employment",
            f"Work: {facts.employment.lower().replace('_', ' ')}",
            employment,
            15,
            "Your income is less certain.",
        ),
        Points(
            "relation",
            f"With us for {facts.months_with_us} months",
            _step(-facts.months_with_us, ((-24, 10), (-12, 8), (-3, 6))),
            10,
            "Your accounts with us are new.",
        ),
        Points(
            "cushion",
            f"Balances pay the instalments of {cushion} months",
            _step(-cushion, ((-3, 10), (-1, 6))),
            10,
            "Your balances are low beside the instalment.",
        ),
        Points(
            "overdrawn",
            f"Overdrawn on {facts.overdrawn_days} of the last 90 days",
            _step(facts.overdrawn_days, ((0, 5), (10, 3))),
            5,
            "Your account was often overdrawn in the last three months.",
        ),
        Points(
            "history",
            "No loan before" if late is None else f"Loans were at worst {late} days late",
            6 if late is None else _step(late, ((0, 10), (29, 5))),
            10,
            "Instalments of a loan with us were late.",
        ),
    )
    return Score(version=VERSION, lines=lines)
