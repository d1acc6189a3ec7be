"""What a loan costs a year, fees included, so that loans can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from loans.rules.amounts import EXACT
from loans.rules.schedule import Schedule

_DAYS = Decimal(365)
_PRECISION = Decimal(1).scaleb(-12)
_MOST = Decimal(10) ** 9

Flow = tuple[date, int]


def flows(schedule: Schedule) -> list[Flow]:
    """What the borrower gets (positive) and pays (negative), in minor units by date."""
    paid_out = [(part.on, part.amount_minor) for part in schedule.terms.disbursements]
    taken = [(on, -amount) for on, amount in schedule.disbursement_fees]
    return [*paid_out, *taken, *((row.due_date, -row.total) for row in schedule.rows)]


def effective_rate(schedule: Schedule) -> Decimal | None:
    """The yearly effective rate in per cent, two decimals, at which what is paid is worth what was paid out.

    Time is counted in days over 365. This is the APR of Directive 2008/48/EC, Annex I: the rate X with
    sum C_k (1 + X)^-t_k = sum D_l (1 + X)^-s_l. Fees count, penalties do not arise. None when the fees leave nothing to
    pay out, for no rate describes that.
    """
    found = yearly_rate(flows(schedule))
    return None if found is None else round(found * 100, 2)


def yearly_rate(moved: Sequence[Flow]) -> Decimal | None:
    """The same of any flows, as a ratio. Found by bisection: the worth of a loan falls as its rate rises."""
    start = min(on for on, _ in moved)
    timed = [(Decimal((on - start).days) / _DAYS, Decimal(amount)) for on, amount in moved]
    if sum(amount for years, amount in timed if not years) <= 0:
        return None
    low, high = Decimal(0), Decimal(1)
    if _worth(timed, low) >= 0:
        return Decimal(0)
    while _worth(timed, high) < 0:
        low, high = high, high * 4
        if high > _MOST:
            return None
    while high - low > _PRECISION * (1 + high):
        middle = (low + high) / 2
        if _worth(timed, middle) < 0:
            low = middle
        else:
            high = middle
    return high


def _worth(timed: Sequence[tuple[Decimal, Decimal]], rate: Decimal) -> Decimal:
    """The present worth to the borrower at a yearly rate."""
    growth = EXACT.ln(1 + rate)
    return sum((amount * EXACT.exp(-years * growth) for years, amount in timed), Decimal(0))
