"""Amounts in the base currency: the app that keeps exchange rates registers its function at start-up.

The call goes up while the import goes down, so this app knows nothing of accounts.
"""

from __future__ import annotations

from typing import Protocol

from common.money import Money


class ToBase(Protocol):
    """Minor units of the base currency, None where no rate is known."""

    def __call__(self, money: Money) -> int | None: ...


_registered: list[ToBase] = []


def register(to_base: ToBase) -> None:
    """Call once, from the owning app's `AppConfig.ready`."""
    _registered[:] = [to_base]


def to_base(money: Money) -> int | None:
    """The amount in the base currency; None, which holds a payment, where nobody knows the rate."""
    return _registered[0](money) if _registered else None
