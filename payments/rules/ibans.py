"""Accounts at other banks, by IBAN."""

from __future__ import annotations

from stdnum import iban
from stdnum.exceptions import ValidationError


def clean(text: str) -> str | None:
    """The IBAN in its stored form, or None when its shape, country or check digits are wrong."""
    try:
        return str(iban.validate(text))
    except ValidationError:
        return None


def grouped(number: str) -> str:
    """In groups of four, as it is printed."""
    return str(iban.format(number))
