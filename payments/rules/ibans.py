"""Accounts at other banks, by IBAN."""

from __future__ import annotations

from stdnum import iban
from stdnum.exceptions import ValidationError


def clean(text: str) -> str | None:
    """The IBAN in its stored form, or None when its shape, country or check digits are wrong."""
    try:
        number = str(iban.validate(text))
    except ValidationError:
        return None
    # Other scripts' digits and the second way to write a check digit (01 for 98) would make one account look like two.
    return number if number.isascii() and number[2:4] == iban.calc_check_digits(number) else None


def grouped(number: str) -> str:
    """In groups of four, as it is printed."""
    return str(iban.format(number))
