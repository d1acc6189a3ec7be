"""Is a payment within the limits? Amounts are minor units of the base currency; None does not limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Window(StrEnum):
    PER_PAYMENT = "per_payment"
    DAILY = "daily"
    MONTHLY = "monthly"
    NEW_PAYEE = "new_payee"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    per_payment: int | None = None
    daily: int | None = None
    monthly: int | None = None
    new_payee: int | None = None

    def tightened_by(self, other: Limits) -> Limits:
        """The smaller of both in each window."""
        return Limits(**{window.value: _smaller(self[window], other[window]) for window in Window})

    def __getitem__(self, window: Window) -> int | None:
        value: int | None = getattr(self, window.value)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was sent or is reserved in each window. `new_payee` is None when the payee is well known."""

    daily: int
    monthly: int
    new_payee: int | None

    def __getitem__(self, window: Window) -> int | None:
        if window is Window.PER_PAYMENT:
            return 0
        value: int | None = getattr(self, window.value)
        return value


@dataclass(frozen=True, slots=True)
class Excess:
    """The limit that a payment breaks. `left` is what could still be sent."""

    window: Window
    limit: int
    left: int


def first_excess(*, amount: int, limits: Limits, used: Used) -> Excess | None:
    """The limit with the least left that `amount` breaks, or None when it keeps all of them."""
    broken = [
        Excess(window, limit, max(limit - already, 0))
        for window in Window
        if (limit := limits[window]) is not None and (already := used[window]) is not None and already + amount > limit
    ]
    return min(broken, key=lambda excess: excess.left, default=None)


def _smaller(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return min(known, default=None)
