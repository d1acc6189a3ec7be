"""Money as integer minor units with a currency. Floats are never accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision, is_currency

from common.errors import Invalid

LOCALE = "en_GB"
# One hundred billion units of any currency: far above any single movement of a small bank, far below bigint.
MAX_MINOR = 10**13
_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?", re.ASCII)


class InvalidAmount(Invalid):
    code = "invalid_amount"
    message = "Enter an amount such as 250.00."


class CurrencyMismatch(Invalid):
    code = "currency_mismatch"
    message = "The currencies do not match."


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Number of decimals of an ISO 4217 currency (EUR 2, JPY 0, KWD 3). Raises Invalid for an unknown code."""
    if not re.fullmatch(r"[A-Z]{3}", currency) or not is_currency(currency):
        raise Invalid("This currency is not known.", code="unknown_currency", field="currency")
    return get_currency_precision(currency)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (cents for EUR) of one currency; negative amounts are allowed, fractions are not."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError(f"amount_minor must be an int, not {type(self.amount_minor).__name__}")
        exponent(self.currency)

    @classmethod
    def parse(cls, text: object, currency: str, *, field: str = "amount") -> Money:
        """A positive amount from plain decimal text.

        Raises InvalidAmount for signs, exponents, NaN, grouping, excess decimals, zero, and above `MAX_MINOR`.
        """
        digits = exponent(currency)
        plain = str(text).strip() if isinstance(text, str | int | Decimal) and not isinstance(text, bool) else ""
        if not _AMOUNT.fullmatch(plain):
            raise InvalidAmount(field=field)
        value = Decimal(plain).scaleb(digits)
        if value != value.to_integral_value():
            raise InvalidAmount(
                f"{currency} has {digits} decimals at most." if digits else f"{currency} has no decimals.",
                field=field,
            )
        minor = int(value)
        if minor == 0:
            raise InvalidAmount("Enter an amount above zero.", field=field)
        if minor > MAX_MINOR:
            raise InvalidAmount("This amount is too large.", field=field)
        return cls(minor, currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.amount_minor).scaleb(-exponent(self.currency))

    @property
    def plain(self) -> str:
        """Digits only, as the API shows it: `1250.00`."""
        return f"{self.decimal:.{exponent(self.currency)}f}"

    def __str__(self) -> str:
        return display(self)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._minor_of(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._minor_of(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._minor_of(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._minor_of(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount_minor > self._minor_of(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount_minor >= self._minor_of(other)

    def _minor_of(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(data={"expected": self.currency, "got": other.currency})
        return other.amount_minor


def from_decimal(value: Decimal, currency: str) -> Money:
    """Round a decimal amount of major units half to even to the currency's minor units."""
    return Money(
        int(value.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)),
        currency,
    )


@lru_cache(maxsize=256)
def _frame(currency: str) -> tuple[str, str]:
    """What Babel writes before and after an amount's digits: working that out takes it longer than all else."""
    before, after = re.split(r"[0-9][0-9.]*", format_currency(1, currency, locale=LOCALE))
    return before, after


def display(money: Money) -> str:
    """For people: `€1,250.00`, with a true minus sign."""
    before, after = _frame(money.currency)
    sign = "\u2212" if money.amount_minor < 0 else ""
    return f"{sign}{before}{abs(money.decimal):,.{exponent(money.currency)}f}{after}"
