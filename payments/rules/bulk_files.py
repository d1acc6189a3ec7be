"""Reading an uploaded file of payments. A file is read whole or not at all; what is wrong is told with its row and column.

The format: CSV in UTF-8 (a byte order mark is fine), `,` or `;` between cells, a heading with the columns of COLUMNS in
any order. Amounts are plain decimals with `.` or `,` before the decimals and nothing between thousands.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from common.errors import DomainError
from common.money import Money, exponent
from payments.errors import BulkFileUnreadable

REQUIRED = ("name", "account", "amount")
OPTIONAL = ("currency", "reference")
COLUMNS = REQUIRED + OPTIONAL
MAX_BYTES = 1024 * 1024
MAX_ROWS = 2_000
_LONGEST = {"name": 140, "account": 40, "amount": 24, "currency": 3, "reference": 140}
_TOLD = 20
_AMOUNT = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One payment as the file asks for it. `number` counts as a spreadsheet does; `currency` is empty when not given."""

    number: int
    name: str
    account: str
    amount: Money
    currency: str
    reference: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell; `column` is empty when it is about the whole row, `row` 0 when about the whole file."""

    row: int
    column: str
    text: str

    def __str__(self) -> str:
        place = f"Row {self.row}, column {self.column}: " if self.column else f"Row {self.row}: " if self.row else ""
        return place + self.text


class _Bad(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def read(data: bytes, *, currency: str) -> list[FileRow]:
    """Every payment of the file; amounts are in `currency`, the account's.

    Raises BulkFileUnreadable, whose `data["problems"]` names up to twenty rows and columns.
    """
    try:
        heading, rows = _table(_text(data))
    except _Bad as bad:
        raise _unreadable([bad.problem]) from bad
    found: list[FileRow] = []
    problems: list[Problem] = []
    try:
        for number, cells in rows:
            if len(found) + len(problems) >= MAX_ROWS:
                problems.insert(0, Problem(number, "", f"A file has {MAX_ROWS} payments at most."))
                break
            try:
                found.append(_row(number, heading, cells, currency))
            except _Bad as bad:
                problems.append(bad.problem)
    except _Bad as bad:
        problems.append(bad.problem)
    if problems:
        raise _unreadable(problems)
    if not found:
        raise _unreadable([Problem(0, "", "There is no payment in this file.")])
    return found


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _Bad(Problem(0, "", f"A file has {MAX_BYTES // 1024} kB at most."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise _Bad(Problem(row, "", "The file is not in UTF-8. Save it as CSV UTF-8.")) from error
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise _Bad(Problem(row, "", "This is not a text file: it holds a zero byte."))
    return text


def _table(text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The columns in the file's order, and the rows that hold anything, with their numbers."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = _rows(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    number, cells = next(rows, (1, []))
    heading = [cell.strip().lower() for cell in cells]
    for column in heading:
        if column not in COLUMNS:
            raise _Bad(Problem(number, _shown(column), f"We know these columns: {', '.join(COLUMNS)}."))
        if heading.count(column) > 1:
            raise _Bad(Problem(number, column, "This column is there twice."))
    for column in REQUIRED:
        if column not in heading:
            raise _Bad(Problem(number, column, "This column is missing in the heading."))
    return heading, rows


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for cells in reader:
            number = reader.line_num  # type: ignore[attr-defined]
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise _Bad(Problem(number + 1, "", "The quotation marks are not closed, or a cell is far too long.")) from error


def _row(number: int, heading: list[str], cells: list[str], currency: str) -> FileRow:
    if len(cells) > len(heading) and any(cell.strip() for cell in cells[len(heading) :]):
        raise _Bad(Problem(number, "", f"There are {len(cells)} cells under {len(heading)} columns."))
    given = {column: cell.strip() for column, cell in zip(heading, cells, strict=False)}
    for column, value in given.items():
        if len(value) > _LONGEST[column]:
            raise _Bad(Problem(number, column, f"Use {_LONGEST[column]} characters or fewer."))
        if not value.isprintable():
            raise _Bad(Problem(number, column, "There are characters that cannot be seen, or a line break."))
    for column in REQUIRED:
        if not given.get(column):
            raise _Bad(Problem(number, column, "This cell is empty."))
    return FileRow(
        number=number,
        name=" ".join(given["name"].split()),
        account="".join(given["account"].split()).upper(),
        amount=_amount(number, given, currency),
        currency=given.get("currency", "").upper(),
        reference=" ".join(given.get("reference", "").split()),
    )


def _amount(number: int, given: Mapping[str, str], currency: str) -> Money:
    """`1.000` may be one or a thousand: more decimals than the currency has are never guessed at."""
    found = _AMOUNT.fullmatch(given["amount"])
    decimals = exponent(currency)
    if found is None or len(found[2] or "") > decimals:
        example = "1250.00" if decimals else "1250"
        raise _Bad(Problem(number, "amount", f"Write an amount such as {example}, with nothing between thousands."))
    try:
        return Money.parse(f"{found[1]}.{found[2]}" if found[2] else found[1], currency)
    except DomainError as error:
        raise _Bad(Problem(number, "amount", error.text)) from error


def _shown(column: str) -> str:
    """A strange heading's name, short and printable."""
    plain = "".join(sign for sign in column if sign.isprintable())[:30]
    return f"“{plain}”" if plain else "without a name"


def _unreadable(problems: list[Problem]) -> BulkFileUnreadable:
    told = [{"row": each.row, "column": each.column, "text": each.text} for each in problems[:_TOLD]]
    return BulkFileUnreadable(
        str(problems[0]), field="file", data={"problems": told, "more": max(len(problems) - _TOLD, 0)}
    )
