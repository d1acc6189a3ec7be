"""What the terms of a product mean in minor units."""

from __future__ import annotations


def floor_minor(*, min_balance_minor: int, overdraft_minor: int) -> int:
    """The lowest balance of an account: the minimum balance where there is one, else the overdraft below zero."""
    return min_balance_minor if min_balance_minor > 0 else -overdraft_minor
