"""What an account's movements say of somebody's means: pay that comes in each month, payments that go out each month."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

# Money that moves without being earned or owed: between own accounts, by mistake, or lent.
_IGNORED = frozenset({"own_transfer", "opening_deposit", "interest", "reversal"})
_LENDING = "loan_"
# A monthly movement comes in two months at least, seldom twice in one, and hardly changes.
_MONTHS, _PER_MONTH, _SPREAD_PERCENT = 2, 2, 20
_DIGITS = re.compile(r"[\d/.,-]+")


@dataclass(frozen=True, slots=True)
class Moved:
    """One posting on an account: positive comes in. Minor units of the account's currency."""

    on: date
    amount_minor: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Regular:
    """A monthly movement: its usual amount (positive), and in how many months it was seen."""

    text: str
    amount_minor: int
    months: int


@dataclass(frozen=True, slots=True)
class Means:
    """Regular income and regular payments, the largest first."""

    income: tuple[Regular, ...]
    payments: tuple[Regular, ...]

    @property
    def income_minor(self) -> int:
        return sum(found.amount_minor for found in self.income)

    @property
    def payments_minor(self) -> int:
        return sum(found.amount_minor for found in self.payments)

    @property
    def income_months(self) -> int:
        return max((found.months for found in self.income), default=0)


def means_of(moved: Iterable[Moved]) -> Means:
    """What comes and goes every month among these movements (of the last three months, say)."""
    groups: dict[tuple[bool, str], list[Moved]] = defaultdict(list)
    for each in moved:
        if each.kind not in _IGNORED and not each.kind.startswith(_LENDING):
            groups[each.amount_minor > 0, _name(each.text)].append(each)
    found: dict[bool, list[Regular]] = {True: [], False: []}
    for (comes_in, _), members in groups.items():
        if (regular := _regular(members)) is not None:
            found[comes_in].append(regular)
    return Means(income=_largest_first(found[True]), payments=_largest_first(found[False]))


def _name(text: str) -> str:
    return " ".join(_DIGITS.sub(" ", text).lower().split())


def _regular(members: Sequence[Moved]) -> Regular | None:
    months = {(each.on.year, each.on.month) for each in members}
    if len(months) < _MONTHS or len(members) > _PER_MONTH * len(months):
        return None
    amounts = [abs(each.amount_minor) for each in members]
    usual = int(statistics.median(amounts))
    if any(abs(amount - usual) * 100 > _SPREAD_PERCENT * usual for amount in amounts):
        return None
    return Regular(text=members[-1].text, amount_minor=usual * len(members) // len(months), months=len(months))


def _largest_first(found: list[Regular]) -> tuple[Regular, ...]:
    return tuple(sorted(found, key=lambda each: (-each.amount_minor, each.text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Affordability:
    """Monthly figures in minor units. Counted income is the lower of what is said and what is seen; obligations the higher."""

    declared_income_minor: int
    seen_income_minor: int
    declared_obligations_minor: int
    seen_obligations_minor: int
    loan_instalments_minor: int
    instalment_minor: int

    @property
    def income_minor(self) -> int:
        if not self.seen_income_minor:
            return self.declared_income_minor
        return min(self.declared_income_minor, self.seen_income_minor)

    @property
    def obligations_minor(self) -> int:
        """Without the new loan."""
        return max(self.declared_obligations_minor, self.seen_obligations_minor) + self.loan_instalments_minor

    @property
    def burden_percent(self) -> int:
        """Fixed obligations, the new instalment included, in whole per cent of income, rounded up; 999 where that is more."""
        if self.income_minor <= 0:
            return 999
        return min(-(-(self.obligations_minor + self.instalment_minor) * 100 // self.income_minor), 999)
