"""What an operation costs: bands of amounts, each with a fixed part, a percentage, or both.

The band that an amount falls into prices all of it, so a flat fee is one band with a fixed part, a percentage is one band
with a rate, and a tiered fee has several. The least and the most hold where a band has a rate: a free band stays free.
The one rounding is half to even, to the minor unit, of fixed part and percentage together.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from common.money import Money, display

MOST_BANDS = 4


class Operation(StrEnum):
    """What can cost something. Paying in and moving money between own accounts never does."""

    TRANSFER = "TRANSFER"
    WITHDRAWAL = "WITHDRAWAL"
    CASH_WITHDRAWAL = "CASH_WITHDRAWAL"
    STANDING_ORDER = "STANDING_ORDER"
    MONTHLY = "MONTHLY"


LABELS: dict[Operation, str] = {
    Operation.TRANSFER: "Transfer to others",
    Operation.WITHDRAWAL: "Withdrawal to another bank",
    Operation.CASH_WITHDRAWAL: "Cash at the counter",
    Operation.STANDING_ORDER: "Payment by standing order",
    Operation.MONTHLY: "Account, a month",
}


@dataclass(frozen=True, slots=True)
class Band:
    """Amounts from `from_minor` (minor units) up to the next band. `rate`: per cent of the amount."""

    from_minor: int
    fixed_minor: int
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Tariff:
    """Bands in rising order, the first from zero; `least_minor` and `most_minor` bound what a rate comes to."""

    bands: tuple[Band, ...]
    least_minor: int | None = None
    most_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """`note` says how the fee was made up; empty when there is none."""

    fee: Money
    note: str


def flat(minor: int) -> Tariff:
    """The same for every amount."""
    return Tariff((Band(0, minor, Decimal(0)),))


def flaw(tariff: Tariff) -> str:
    """What is wrong with a tariff, in words; empty when nothing is."""
    starts = [band.from_minor for band in tariff.bands]
    if not 1 <= len(starts) <= MOST_BANDS or starts[0] != 0:
        return f"Give one to {MOST_BANDS} bands, the first from zero."
    if starts != sorted(set(starts)):
        return "Each band starts above the one before."
    if any(band.fixed_minor < 0 or not 0 <= band.rate <= 100 for band in tariff.bands):
        return "A fixed part is zero or more, a percentage from 0 to 100."
    least, most = tariff.least_minor, tariff.most_minor
    if any(bound is not None and bound < 0 for bound in (least, most)):
        return "The least and the most are zero or more."
    if least is not None and most is not None and most < least:
        return "The most is not below the least."
    if (least is not None or most is not None) and not any(band.rate for band in tariff.bands):
        return "The least and the most are for fees with a percentage."
    return ""


def charge(tariff: Tariff, amount: Money) -> Charge:
    """The fee for an amount (zero or more), in its currency."""
    if amount.amount_minor < 0:
        raise ValueError("a fee is asked for an amount of zero or more")
    band = band_of(tariff, amount.amount_minor)
    exact = band.fixed_minor + Fraction(amount.amount_minor) * Fraction(band.rate) / 100
    minor = round(exact)
    bound = ""
    if band.rate and tariff.least_minor is not None and minor < tariff.least_minor:
        minor, bound = tariff.least_minor, "at least "
    elif band.rate and tariff.most_minor is not None and minor > tariff.most_minor:
        minor, bound = tariff.most_minor, "at most "
    fee = Money(minor, amount.currency)
    if not minor:
        return Charge(fee, "")
    note = _parts(band, amount.currency, of=f" of {display(amount)}")
    if len(tariff.bands) > 1:
        note += f", for amounts {_reach(tariff, band, amount.currency)}"
    if bound:
        note += f", {bound}{display(fee)}"
    return Charge(fee, note)


def band_of(tariff: Tariff, amount_minor: int) -> Band:
    """The band that an amount (minor units, zero or more) falls into."""
    return [band for band in tariff.bands if band.from_minor <= amount_minor][-1]


def summary(tariff: Tariff | None, currency: str) -> str:
    """The tariff as a price list says it; without one, and where it asks nothing, "Free"."""
    if tariff is None or not any(band.fixed_minor or band.rate for band in tariff.bands):
        return "Free"
    several = len(tariff.bands) > 1
    texts = [
        _parts(band, currency, of="") + (f" {_reach(tariff, band, currency)}" if several else "")
        for band in tariff.bands
    ]
    bounds = [
        f"{word} {display(Money(minor, currency))}"
        for word, minor in (("at least", tariff.least_minor), ("at most", tariff.most_minor))
        if minor is not None
    ]
    return ", ".join([*texts, *bounds])


def _parts(band: Band, currency: str, *, of: str) -> str:
    parts = []
    if band.fixed_minor:
        parts.append(display(Money(band.fixed_minor, currency)))
    if band.rate:
        parts.append(f"{band.rate.normalize():f}%{of}")
    return " and ".join(parts) or "free"


def _reach(tariff: Tariff, band: Band, currency: str) -> str:
    above = next((other.from_minor for other in tariff.bands if other.from_minor > band.from_minor), None)
    since = display(Money(band.from_minor, currency)) if band.from_minor else ""
    until = display(Money(above, currency)) if above is not None else ""
    if not since:
        return f"below {until}"
    return f"from {since} to below {until}" if until else f"from {since}"
