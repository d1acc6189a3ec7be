"""Instalments on a declining balance: equal, fixed, or of equal principal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loans.rules.amounts import Factor, Rounding, annuity, decimal_to, divide_to
from loans.rules.periods import Periods, annuity_factors, interest_of, span_factor
from loans.rules.terms import AnnuityRate, Disbursement, Method, Terms

# Fineract's progressive engine tries three times to bring the last instalment nearer to the others.
SMOOTHING_ROUNDS = 3


@dataclass(slots=True)
class Parts:
    """Principal and interest of each row, in minor units.

    `target` is what each row was made from: its instalment, or its share of principal under FLAT and EQUAL_PRINCIPAL.
    """

    principal: list[int]
    interest: list[int]
    deferred: list[int] = field(default_factory=list)
    target: int = 0

    def carried_after(self, length: int) -> int:
        """Interest that the grace holds back after `length` rows."""
        return self.deferred[length - 1] if self.deferred and length else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The rows from `first` on: what is owed when they begin, and what is paid out while the first of them runs."""

    terms: Terms
    periods: Periods
    first: int
    balance: int
    tranches: Sequence[Disbursement]
    carried: int

    @property
    def owed(self) -> int:
        return self.balance + sum(part.amount_minor for part in self.tranches)

    @property
    def grace(self) -> int:
        """Rows of the tail that pay no principal."""
        return max(self.terms.principal_grace - self.first, 0)

    @property
    def length(self) -> int:
        return len(self.periods.dues) - self.first


def plan(
    terms: Terms, periods: Periods, *, first: int, balance: int, tranches: Sequence[Disbursement], carried: int
) -> Parts:
    """Principal and interest of the rows from `first` to the last, which takes the residual."""
    tail = Tail(terms=terms, periods=periods, first=first, balance=balance, tranches=tranches, carried=carried)
    if terms.method is Method.EQUAL_PRINCIPAL:
        share = divide_to(
            tail.owed,
            tail.length - tail.grace,
            multiple=terms.amount_multiple_minor,
            rounding=terms.interest_rounding,
        )
        return _walk(tail, instalment=None, share=share)
    if terms.method is Method.FIXED_INSTALMENT:
        return _walk(tail, instalment=terms.instalment_amount_minor, share=0)
    instalment = equal_instalment(terms, periods.factors[first + tail.grace :], tail.owed)
    rows = _walk(tail, instalment=instalment, share=0)
    return _smoothed(tail, rows, instalment) if terms.annuity_rate is AnnuityRate.ACTUAL_PERIODS else rows


def equal_instalment(terms: Terms, factors: Sequence[Factor], owed: int) -> int:
    """The instalment that pays `owed` off over periods of these factors, rounded as the terms say."""
    return instalment_for(terms, annuity_factors(terms, factors), owed)


def instalment_for(terms: Terms, factors: Sequence[Factor], owed: int) -> int:
    """The same at these very period rates."""
    exact = annuity(owed, factors)
    multiple, rounding = _instalment_rounding(terms)
    return decimal_to(exact, multiple=multiple, rounding=rounding)


def _instalment_rounding(terms: Terms) -> tuple[int, Rounding]:
    if terms.instalment_multiple_minor is None:
        return terms.amount_multiple_minor, terms.interest_rounding
    return terms.instalment_multiple_minor, terms.instalment_rounding


def _first_interest(tail: Tail) -> int:
    """Interest of the first row of the tail, on a balance that grows with each disbursement in it."""
    start, due = tail.periods.starts[tail.first], tail.periods.dues[tail.first]
    spans: list[tuple[int, Factor]] = []
    balance, since = tail.balance, start
    for part in tail.tranches:
        if part.on > since:
            spans.append((balance, span_factor(tail.terms, tail.periods, tail.first, since, part.on)))
        balance, since = balance + part.amount_minor, part.on
    if since == start:
        spans = [(balance, tail.periods.factors[tail.first])]
    else:
        spans.append((balance, span_factor(tail.terms, tail.periods, tail.first, since, due)))
    return interest_of(tail.terms, spans)


def _walk(tail: Tail, *, instalment: int | None, share: int) -> Parts:
    """Row by row: interest on the balance, then principal: the instalment less it, or an equal share of the loan.

    This loop is where a schedule of 360 rows spends its time, so `amounts.divide_to` is written out in it: adding half
    the denominator and dividing rounds half up, and a quotient without a rest was a tie.
    """
    terms, factors = tail.terms, tail.periods.factors
    multiple, half_up = terms.amount_multiple_minor, terms.interest_rounding is Rounding.HALF_UP
    principals: list[int] = []
    interests: list[int] = []
    balance, interest, grace = tail.owed, _first_interest(tail), tail.grace
    known, twice, half, whole = None, 0, 1, 2
    for factor in (
        *factors[tail.first + 1 :],
        (0, 1),
    ):  # Each row ends with the next one's interest; none follows the last.
        principal = share if instalment is None else instalment - interest
        if grace:
            grace -= 1
            principal = 0
        elif principal > balance:
            principal = balance
        elif principal < 0:
            principal = 0
        principals.append(principal)
        interests.append(interest)
        balance -= principal
        if factor is not known:
            known, twice, half = factor, 2 * factor[0], factor[1] * multiple
            whole = 2 * half
        raised = balance * twice + half
        interest = raised // whole
        if interest * whole == raised and interest & 1 and not half_up:
            interest -= 1
        interest *= multiple
    principals[-1] += balance
    rows = Parts(principals, interests, target=share if instalment is None else instalment)
    return _deferred(tail, rows) if terms.interest_grace > tail.first or tail.carried else rows


def _deferred(tail: Tail, rows: Parts) -> Parts:
    """Hold the interest of the grace back until the first row after it."""
    carried = tail.carried
    for offset, interest in enumerate(rows.interest):
        if tail.first + offset < tail.terms.interest_grace:
            carried += interest
            rows.interest[offset] = 0
        else:
            rows.interest[offset] += carried
            carried = 0
        rows.deferred.append(carried)
    return rows


def _smoothed(tail: Tail, rows: Parts, instalment: int) -> Parts:
    """Spread a last instalment that is far off over all of them, as long as that brings it nearer.

    Far off is more than half a minor unit for each instalment (Fineract's EmiAdjustment).
    """
    for _ in range(SMOOTHING_ROUNDS):
        off = _last_difference(tail, rows, instalment)
        tried = nearer(tail.terms, instalment, off, tail.length - tail.grace)
        if tried is None:
            break
        attempt = _walk(tail, instalment=tried, share=0)
        if abs(_last_difference(tail, attempt, tried)) >= abs(off):
            break
        rows, instalment = attempt, tried
    return rows


def nearer(terms: Terms, instalment: int, off: int, count: int) -> int | None:
    """The instalment with its share of what the last of `count` is off by; None when that is little or changes nothing."""
    if abs(off) <= count // 2 or count < 2:
        return None
    multiple, rounding = _instalment_rounding(terms)
    tried = divide_to(max(instalment * count + off, 0), count, multiple=multiple, rounding=rounding)
    return None if tried == instalment else tried


def _last_difference(tail: Tail, rows: Parts, instalment: int) -> int:
    carried_into_last = tail.terms.interest_grace == len(tail.periods.dues) - 1
    if carried_into_last:
        return 0
    return rows.principal[-1] + rows.interest[-1] - instalment
