"""The result of a file as CSV: every row with its outcome. Text cells cannot become formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from common.spreadsheets import MARK, line, text_cell

COLUMNS = (
    "row",
    "name",
    "account",
    "amount",
    "currency",
    "reference",
    "name check",
    "outcome",
    "explanation",
    "fee",
    "payment id",
)


@dataclass(frozen=True, slots=True)
class ResultRow:
    """Amount and fee as plain decimals; `payment_id` is empty where no payment was made."""

    number: int
    name: str
    account: str
    amount: str
    currency: str
    reference: str
    name_check: str
    outcome: str
    explanation: str
    fee: str
    payment_id: str


def write(rows: Iterable[ResultRow]) -> Iterator[bytes]:
    """The file, row by row."""
    yield (MARK + line(COLUMNS)).encode()
    for row in rows:
        cells = (
            str(row.number),
            text_cell(row.name),
            text_cell(row.account),
            row.amount,
            row.currency,
            text_cell(row.reference),
            row.name_check,
            row.outcome,
            text_cell(row.explanation),
            row.fee,
            row.payment_id,
        )
        yield line(cells).encode()
