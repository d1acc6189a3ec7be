"""CSV that opens in spreadsheet programs as it is meant: text stays text, and letters are read as UTF-8."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

# At the start of a file; without it spreadsheet programs take UTF-8 for Latin-1.
MARK = "\ufeff"
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def text_cell(value: str) -> str:
    """The same text, harmless: a cell that starts as a formula does gets an apostrophe in front."""
    return f"'{value}" if value.startswith(_STARTS) or value.lstrip().startswith(_STARTS) else value


def line(cells: Iterable[object]) -> str:
    """One line as it is given, quoted where needed; text that people wrote goes through `text_cell` first."""
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
