"""ISO 20022 camt.053, any version. Document types and entities are refused before anything is expanded or fetched."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from reconciliation.errors import StatementTooLarge, UnreadableStatement
from reconciliation.rules.outside import MAX_LINES, OutsideLine, minor_units, one_line, unreadable


def read(data: bytes) -> list[OutsideLine]:
    """Every booked Ntry. Raises UnreadableStatement, StatementTooLarge."""
    lines: list[OutsideLine] = []
    statements = 0
    try:
        events: Any = iterparse(BytesIO(data), events=("end",), forbid_dtd=True)
        for _, element in events:
            name = _plain(element.tag)
            if name == "Ntry":
                if len(lines) >= MAX_LINES:
                    raise StatementTooLarge()
                line = _line(element, len(lines) + 1)
                if line is not None:
                    lines.append(line)
                element.clear()
            statements += name == "BkToCstmrStmt"
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableStatement() from error
    if not statements:
        raise UnreadableStatement()
    return lines


def _line(entry: Element, number: int) -> OutsideLine | None:
    """None for what is only announced: pending entries are not booked."""
    if (_text(entry, "Sts/Cd") or _text(entry, "Sts") or "BOOK") != "BOOK":
        return None
    amount = _find(entry, "Amt")
    side = _text(entry, "CdtDbtInd")
    if amount is None or side not in {"CRDT", "DBIT"}:
        raise unreadable(number, "the amount")
    currency = amount.get("Ccy", "")
    minor = minor_units(amount.text or "", currency, row=number)
    texts = [_text(entry, path) for path in ("NtryDtls/TxDtls/RmtInf/Ustrd", "AddtlNtryInf")]
    references = [
        _text(entry, path)
        for path in ("NtryDtls/TxDtls/Refs/EndToEndId", "NtryDtls/TxDtls/Refs/TxId", "AcctSvcrRef", "NtryRef")
    ]
    known = [reference for reference in references if reference and reference != "NOTPROVIDED"]
    return OutsideLine(
        booked_date=_day(_text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm"), number),
        amount_minor=minor if side == "CRDT" else -minor,
        currency=currency,
        reference=one_line(" ".join(dict.fromkeys(known)), 140),
        description=one_line(" ".join(dict.fromkeys(text for text in texts if text)), 500),
    )


def _find(element: Element, path: str) -> Element | None:
    """The first element on a path, whatever its namespace."""
    found: Element | None = element
    for step in path.split("/"):
        found = next((child for child in found if _plain(child.tag) == step), None) if found is not None else None
    return found


def _text(element: Element, path: str) -> str:
    found = _find(element, path)
    return (found.text or "").strip() if found is not None else ""


def _plain(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _day(text: str, number: int) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise unreadable(number, "the date") from error
