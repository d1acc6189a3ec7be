"""CSV with a mapping of columns: every bank names and formats them differently."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import StringIO

from reconciliation.errors import StatementTooLarge, UnreadableStatement
from reconciliation.rules.outside import MAX_LINES, OutsideLine, decoded, minor_units, one_line, unreadable

DATE_FORMATS = {
    "%Y-%m-%d": "2026-11-21",
    "%d.%m.%Y": "21.11.2026",
    "%d/%m/%Y": "21/11/2026",
    "%m/%d/%Y": "11/21/2026",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which column holds what. `decimal_mark` is a dot or a comma; the other one may group digits."""

    date: str = "Date"
    amount: str = "Amount"
    reference: str = "Reference"
    description: str = "Description"
    date_format: str = "%Y-%m-%d"
    decimal_mark: str = "."


def read(data: bytes, *, mapping: Mapping, currency: str) -> list[OutsideLine]:
    """Every row with an amount. Raises UnreadableStatement, StatementTooLarge."""
    text = decoded(data)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = csv.DictReader(StringIO(text, newline=""), dialect=dialect)
    try:
        columns = [name.strip() for name in rows.fieldnames or []]
        rows.fieldnames = columns
        missing = [name for name in (mapping.date, mapping.amount) if name not in columns]
        if missing:
            raise UnreadableStatement(f"The file has no column {' or '.join(missing)}.", data={"columns": columns[:50]})
        lines = []
        for number, row in enumerate(rows, start=1):
            if number > MAX_LINES:
                raise StatementTooLarge()
            amount = (row.get(mapping.amount) or "").strip()
            if amount:
                lines.append(_line(row, amount, mapping, currency, number))
    except csv.Error as error:
        raise UnreadableStatement() from error
    return lines


def _line(row: dict[str, str | None], amount: str, mapping: Mapping, currency: str, number: int) -> OutsideLine:
    grouping = "," if mapping.decimal_mark == "." else "."
    plain = amount.replace(grouping, "").replace(" ", "").replace("\u00a0", "").replace(mapping.decimal_mark, ".")
    return OutsideLine(
        booked_date=_day((row.get(mapping.date) or "").strip(), mapping.date_format, number),
        amount_minor=minor_units(plain, currency, row=number),
        currency=currency,
        reference=one_line(row.get(mapping.reference) or "", 140),
        description=one_line(row.get(mapping.description) or "", 500),
    )


def _day(text: str, date_format: str, number: int) -> date:
    try:
        return datetime.strptime(text[:10], date_format).replace(tzinfo=UTC).date()
    except ValueError as error:
        raise unreadable(number, "the date") from error
