"""CSV files that open in spreadsheet programs as they are meant: text stays text, and letters are read as UTF-8."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def text_cell(value: str) -> str:
    """The same text, harmless: a cell that starts as a formula does gets an apostrophe in front."""
    return f"'{value}" if value.startswith(_STARTS) or value.lstrip().startswith(_STARTS) else value


def csv_response(*, name: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A download named `name` (plain ASCII). Text is made harmless; figures are given as numbers or Decimal, not as text."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    # Spreadsheet programs take a file without this mark for Latin-1.
    response.write("\ufeff")
    writer = csv.writer(response)
    for row in rows:
        writer.writerow([text_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return response
