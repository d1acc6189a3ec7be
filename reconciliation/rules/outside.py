"""What every outside statement becomes: lines. Positive amounts came in on the account that we hold at the other bank."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from common.money import MAX_MINOR, exponent
from reconciliation.errors import UnreadableStatement

MAX_BYTES = 5 * 1024 * 1024
MAX_LINES = 20_000
_PLAIN = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,6})?", re.ASCII)


class Source(StrEnum):
    CSV = "csv"
    OFX = "ofx"
    CAMT053 = "camt053"


@dataclass(frozen=True, slots=True)
class OutsideLine:
    """One booking of the other bank; `currency` is empty where the format does not tell it with the line."""

    booked_date: date
    amount_minor: int
    currency: str
    reference: str
    description: str


def minor_units(text: str, currency: str, *, row: int) -> int:
    """A signed plain decimal in minor units. Raises UnreadableStatement, naming the row."""
    plain = text.strip().replace("\u2212", "-")
    try:
        if not _PLAIN.fullmatch(plain):
            raise InvalidOperation
        value = Decimal(plain).scaleb(exponent(currency))
        if value != value.to_integral_value() or abs(value) > MAX_MINOR:
            raise InvalidOperation
    except InvalidOperation as error:
        raise unreadable(row, "the amount") from error
    return int(value)


def unreadable(row: int, what: str) -> UnreadableStatement:
    """The refusal that names a row and what is wrong in it."""
    return UnreadableStatement(f"Booking {row}: we cannot read {what}.", data={"row": row})


def decoded(data: bytes) -> str:
    """UTF-8, else the encoding of older Windows programs."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def one_line(value: str, longest: int) -> str:
    """Printable text in one line, cut."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())[:longest]
