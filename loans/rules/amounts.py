"""Exact division, rounding by name, and the annuity. Amounts are integer minor units; no float anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum

# Far more digits than 360 periods can consume: what the annuity loses lies below the twentieth decimal.
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NOISE = Decimal(1).scaleb(-20)

# A share of a year times a yearly rate, as numerator and denominator: interest = balance * numerator / denominator.
Factor = tuple[int, int]


class Rounding(StrEnum):
    HALF_EVEN = "HALF_EVEN"
    HALF_UP = "HALF_UP"
    CEILING = "CEILING"


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """The quotient of two integers, neither negative, as an integer."""
    quotient, rest = divmod(numerator, denominator)
    if not rest:
        return quotient
    if rounding is Rounding.CEILING:
        return quotient + 1
    twice = 2 * rest
    if twice > denominator or (twice == denominator and (rounding is Rounding.HALF_UP or quotient & 1)):
        return quotient + 1
    return quotient


def divide_to(numerator: int, denominator: int, *, multiple: int, rounding: Rounding) -> int:
    """The quotient as a multiple of `multiple` minor units."""
    return divide(numerator, denominator * multiple, rounding) * multiple


def decimal_to(value: Decimal, *, multiple: int, rounding: Rounding) -> int:
    """A computed amount of minor units as a multiple of `multiple`.

    What is off by less than the computation's own error counts as exact, so that CEILING never lifts a whole amount.
    """
    numerator, denominator = EXACT.quantize(value, _NOISE).as_integer_ratio()
    return divide_to(numerator, denominator, multiple=multiple, rounding=rounding)


def annuity(balance_minor: int, factors: Sequence[Factor]) -> Decimal:
    """The unrounded equal payment at the end of each period that pays `balance_minor` off.

    With equal factors r it is P r / (1 - (1 + r)^-n); else P times the product of (1 + r_k) over the sum of the
    products of the factors that follow each payment, the same equation without equal periods.
    """
    first = factors[0]
    if factors.count(first) == len(factors):
        return _level_annuity(balance_minor, first, len(factors))
    growth, payments = Decimal(1), Decimal(0)
    for numerator, denominator in factors:
        step = EXACT.divide(Decimal(denominator + numerator), Decimal(denominator))
        growth = EXACT.multiply(growth, step)
        payments = EXACT.add(EXACT.multiply(payments, step), Decimal(1))
    return EXACT.divide(EXACT.multiply(Decimal(balance_minor), growth), payments)


def _level_annuity(balance_minor: int, factor: Factor, count: int) -> Decimal:
    numerator, denominator = factor
    if not numerator:
        return EXACT.divide(Decimal(balance_minor), Decimal(count))
    rate = EXACT.divide(Decimal(numerator), Decimal(denominator))
    growth = EXACT.power(EXACT.add(Decimal(1), rate), count)
    interest = EXACT.multiply(EXACT.multiply(Decimal(balance_minor), rate), growth)
    return EXACT.divide(interest, EXACT.subtract(growth, Decimal(1)))
