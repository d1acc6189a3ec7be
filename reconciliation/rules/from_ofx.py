"""OFX, both the older form without closing tags (1.x) and XML (2.x). Read as tags and values: nothing is ever expanded."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from reconciliation.errors import StatementTooLarge, UnreadableStatement
from reconciliation.rules.outside import MAX_LINES, OutsideLine, decoded, minor_units, one_line, unreadable

_TOKEN = re.compile(r"<(/?)([A-Z0-9.]{1,32})>([^<]*)")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&nbsp;": " ", "&amp;": "&"}


def read(data: bytes, *, currency: str) -> list[OutsideLine]:
    """Every STMTTRN. Raises UnreadableStatement, StatementTooLarge."""
    text = decoded(data)
    start = text.find("<OFX>")
    if start < 0 or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableStatement()
    stated = currency
    lines: list[OutsideLine] = []
    block: dict[str, str] | None = None
    for token in _TOKEN.finditer(text, start):
        closing, tag, value = token[1], token[2], token[3].strip()
        if tag == "STMTTRN":
            if block is not None:
                lines.append(_line(block, stated, len(lines) + 1))
            if len(lines) > MAX_LINES:
                raise StatementTooLarge()
            block = None if closing else {}
        elif tag == "BANKTRANLIST" and closing and block is not None:
            lines.append(_line(block, stated, len(lines) + 1))
            block = None
        elif not closing and tag == "CURDEF":
            stated = value
        elif not closing and block is not None:
            block.setdefault(tag, value)
    return lines


def _line(block: dict[str, str], currency: str, number: int) -> OutsideLine:
    name, memo = _text(block.get("NAME", "")), _text(block.get("MEMO", ""))
    return OutsideLine(
        booked_date=_day(block.get("DTPOSTED", ""), number),
        amount_minor=minor_units(block.get("TRNAMT", "").replace(",", "."), currency, row=number),
        currency=currency,
        reference=one_line(_text(block.get("REFNUM") or block.get("FITID", "")), 140),
        description=one_line(memo if memo.startswith(name) else f"{name} {memo}", 500),
    )


def _text(value: str) -> str:
    for entity, sign in _ENTITIES.items():
        value = value.replace(entity, sign)
    return value


def _day(text: str, number: int) -> date:
    try:
        return datetime.strptime(text[:8], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise unreadable(number, "the date") from error
