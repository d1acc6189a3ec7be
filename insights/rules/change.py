"""How one figure compares with another, in words."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal


def percent(now_minor: int, before_minor: int) -> str:
    """`+4.2%`, with a true minus sign; empty when there is nothing to compare with."""
    if before_minor <= 0:
        return ""
    change = (Decimal(now_minor - before_minor) * 100 / before_minor).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    if abs(change) >= 1000:
        return ""
    sign = "+" if change > 0 else "\u2212" if change < 0 else "\u00b1"
    return f"{sign}{abs(change)}%"
