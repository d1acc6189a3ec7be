"""Which ledger accounts an event of a loan touches. Amounts are minor units; credits positive, debits negative, as the ledger has it.

The worked examples in docs/loans.md show each of these in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loans.rules.servicing import Amounts

PRINCIPAL, INTEREST, CHARGES, ALLOWANCE = "1200", "1210", "1220", "1290"
IN_SUSPENSE = "2310"
FEE_INCOME, PENALTY_INCOME, INTEREST_INCOME, RECOVERED = "4110", "4120", "4210", "4290"
PROVISIONS, WRITTEN_OFF = "5200", "5210"

Legs = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Booking:
    """Legs by code, and what they change of the loan: its parts owed, its suspended interest, its allowance."""

    legs: Legs
    parts: Amounts
    suspended: int = 0
    allowance: int = 0


def _legs(**amounts: int) -> Legs:
    return {code.removeprefix("_"): amount for code, amount in amounts.items() if amount}


def accrue(delta: Amounts, *, suspended: int, non_performing: bool) -> Booking:
    """More (or less) is owed since the last booking. Interest of a non-performing loan waits in suspense, other interest is income.

    `suspended` is what waits already: a correction downwards takes from it first when the loan is non-performing.
    """
    held = max(delta.interest, -suspended) if non_performing else 0
    return Booking(
        legs=_legs(
            _1210=-delta.interest,
            _1220=-delta.fees - delta.penalties,
            _2310=held,
            _4110=delta.fees,
            _4120=delta.penalties,
            _4210=delta.interest - held,
        ),
        parts=delta,
        suspended=held,
    )


def repay(paid: Amounts, *, suspended: int) -> Booking:
    """What a payment was spent on; the customer's side is the caller's. Suspended interest that is paid becomes income."""
    released = min(paid.interest, suspended)
    return Booking(
        legs=_legs(
            _1200=paid.principal,
            _1210=paid.interest,
            _1220=paid.fees + paid.penalties,
            _2310=-released,
            _4210=released,
        ),
        parts=Amounts(*(-amount for amount in paid)),
        suspended=-released,
    )


def suspend(*, interest: int, suspended: int) -> Booking:
    """The loan became non-performing: its unpaid interest is no income any more."""
    moved = interest - suspended
    return Booking(legs=_legs(_4210=-moved, _2310=moved), parts=Amounts(), suspended=moved)


def resume(*, suspended: int) -> Booking:
    """The loan performs again: what waited is income."""
    return Booking(legs=_legs(_4210=suspended, _2310=-suspended), parts=Amounts(), suspended=-suspended)


def provide(delta: int) -> Booking:
    """Set more (or less) aside."""
    return Booking(legs=_legs(_5200=-delta, _1290=delta), parts=Amounts(), allowance=delta)


def write_off(owed: Amounts, *, suspended: int, allowance: int) -> Booking:
    """End what is owed: from suspense, then from what was set aside, the rest is a loss; what was set aside beyond comes back."""
    lost = owed.total - suspended
    used = min(allowance, lost)
    return Booking(
        legs=_legs(
            _1200=owed.principal,
            _1210=owed.interest,
            _1220=owed.fees + owed.penalties,
            _2310=-suspended,
            _1290=-allowance,
            _5200=allowance - used,
            _5210=used - lost,
        ),
        parts=Amounts(*(-amount for amount in owed)),
        suspended=-suspended,
        allowance=-allowance,
    )
