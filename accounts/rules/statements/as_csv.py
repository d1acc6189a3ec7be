"""CSV: opening balance, one row a posting, closing balance. Text cells cannot become formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accounts.rules.statements.content import Heading, StatementLine, encoded
from common.spreadsheets import MARK, text_cell
from common.spreadsheets import line as csv_line

COLUMNS = ("Booked", "Value date", "Description", "Amount", "Currency", "Balance", "Reference")


def write(heading: Heading, lines: Iterable[StatementLine]) -> Iterator[bytes]:
    """The file in chunks."""
    return encoded(_rows(heading, lines))


def _rows(heading: Heading, lines: Iterable[StatementLine]) -> Iterator[str]:
    yield MARK + _row(*COLUMNS)
    currency = heading.currency
    yield _row(heading.since.isoformat(), "", "Opening balance", "", currency, heading.opening.plain, "")
    for line in lines:
        yield _row(
            line.booked_at.strftime("%Y-%m-%d %H:%M:%S"),
            line.value_date.isoformat(),
            text_cell(line.description),
            line.amount.plain,
            currency,
            line.balance.plain,
            line.reference,
        )
    yield _row(heading.last_day.isoformat(), "", "Paid in", heading.paid_in.plain, currency, "", "")
    yield _row(heading.last_day.isoformat(), "", "Paid out", (-heading.paid_out).plain, currency, "", "")
    yield _row(heading.last_day.isoformat(), "", "Closing balance", "", currency, heading.closing.plain, "")


def _row(*cells: str) -> str:
    return csv_line(cells)
