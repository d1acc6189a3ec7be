"""The schedule: from terms to rows that end at exactly zero."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

from loans.rules import fees, flat, instalments
from loans.rules.instalments import Parts
from loans.rules.periods import Periods, periods_of, tranche_periods
from loans.rules.terms import Disbursement, Method, Terms


class Row(NamedTuple):
    """One instalment; amounts in minor units. `outstanding` is the principal owed after it."""

    number: int
    from_date: date
    due_date: date
    days: int
    principal: int
    interest: int
    fees: int
    penalties: int
    outstanding: int

    @property
    def total(self) -> int:
        return self.principal + self.interest + self.fees + self.penalties


@dataclass(frozen=True, slots=True)
class Schedule:
    terms: Terms
    rows: tuple[Row, ...]
    disbursement_fees: tuple[tuple[date, int], ...] = ()

    @property
    def principal(self) -> int:
        return sum(row.principal for row in self.rows)

    @property
    def interest(self) -> int:
        return sum(row.interest for row in self.rows)

    @property
    def fees(self) -> int:
        """What the instalments carry and what is taken at disbursement."""
        return sum(row.fees for row in self.rows) + sum(amount for _, amount in self.disbursement_fees)

    @property
    def penalties(self) -> int:
        return sum(row.penalties for row in self.rows)

    @property
    def total(self) -> int:
        return self.principal + self.interest + self.fees + self.penalties


def make_schedule(*, terms: Terms) -> Schedule:
    """The rows that pay the loan off as agreed. Trailing rows with nothing left to pay are dropped.
    The last row takes the residual, also where a fixed instalment is too small to pay the loan off in its term.
    """
    periods = periods_of(terms)
    tranches = tranche_periods(terms, periods)
    parts, _ = plan_parts(terms=terms, periods=periods, tranches=tranches)
    return Schedule(
        terms=terms,
        rows=_rows(terms, periods, tranches, parts),
        disbursement_fees=_disbursement_fees(terms),
    )


def _disbursement_fees(terms: Terms) -> tuple[tuple[date, int], ...]:
    charged = ((part.on, fees.at_disbursement(terms, part)) for part in terms.disbursements)
    return tuple((on, amount) for on, amount in charged if amount)


def plan_parts(
    *, terms: Terms, periods: Periods, tranches: dict[int, tuple[Disbursement, ...]]
) -> tuple[Parts, list[int]]:
    """Principal and interest of each row, and the instalment (or share of principal) behind it."""
    if terms.method is Method.FLAT:
        parts = flat.parts(terms, periods)
        return parts, [parts.target] * terms.instalments
    return _declining(terms, periods, tranches)


def _declining(
    terms: Terms, periods: Periods, tranches: dict[int, tuple[Disbursement, ...]]
) -> tuple[Parts, list[int]]:
    """Interest on what is owed; each new disbursement sets the instalments anew from its period on."""
    principal: list[int] = []
    interest: list[int] = []
    targets: list[int] = []
    balance = carried = 0
    turns = [*sorted(tranches), len(periods.dues)]
    for here, there in itertools.pairwise(turns):
        tail = instalments.plan(terms, periods, first=here, balance=balance, tranches=tranches[here], carried=carried)
        length = there - here
        principal += tail.principal[:length]
        interest += tail.interest[:length]
        targets += [tail.target] * length
        carried = tail.carried_after(length)
        balance += sum(part.amount_minor for part in tranches[here]) - sum(tail.principal[:length])
    return Parts(principal, interest), targets


def _rows(
    terms: Terms, periods: Periods, tranches: dict[int, tuple[Disbursement, ...]], parts: Parts
) -> tuple[Row, ...]:
    count = len(parts.principal)
    while count > 1 and not parts.principal[count - 1] and not parts.interest[count - 1]:
        count -= 1
    charges: Sequence[int] = fees.per_instalment(terms, parts.principal, parts.interest)
    changes = list(map(operator.neg, parts.principal))
    for index, paid_out in tranches.items():
        changes[index] += sum(part.amount_minor for part in paid_out)
    outstanding = list(itertools.accumulate(changes))
    assert outstanding[-1] == 0, "a schedule ends at exactly zero"
    columns = zip(
        range(1, count + 1),
        periods.starts,
        periods.dues,
        periods.days,
        parts.principal,
        parts.interest,
        charges,
        itertools.repeat(0),
        outstanding,
        strict=False,  # The shortest column is the first: trailing rows are left out.
    )
    # As `Row._make`, without its Python frame for each row.
    return tuple(map(partial(tuple.__new__, Row), columns))
