"""Text in a CSV file must stay text: a cell that starts like a formula gets an apostrophe in front."""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def text_cell(value: str) -> str:
    """The same text, harmless in a spreadsheet program."""
    return f"'{value}" if value.startswith(_STARTS) or value.lstrip().startswith(_STARTS) else value
