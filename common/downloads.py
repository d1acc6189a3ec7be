"""Files that leave the bank: saved under a harmless name, never shown in place of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.http import HttpResponse, StreamingHttpResponse

from common.spreadsheets import MARK, line, text_cell

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def attachment(*, name: str, content_type: str, chunks: Iterable[bytes]) -> StreamingHttpResponse:
    """A download in pieces. `name` holds ASCII letters, digits, dot, dash and underscore only; else ValueError."""
    return StreamingHttpResponse(chunks, content_type=content_type, headers=_saved_as(name))


def csv_response(*, name: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A small CSV download, whole. Text is made harmless; figures are given as numbers or Decimal, not as text."""
    lines = (line(text_cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows)
    return HttpResponse(MARK + "".join(lines), content_type="text/csv; charset=utf-8", headers=_saved_as(name))


def _saved_as(name: str) -> dict[str, str]:
    if not _NAME.fullmatch(name):
        raise ValueError("this name is not safe in a header")
    return {"Content-Disposition": f'attachment; filename="{name}"'}
