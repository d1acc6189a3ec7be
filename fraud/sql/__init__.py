"""The SQL room: `<stem>.sql` holds the function `fraud_<stem>`. Migrations load the files; a test holds the database to them."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def text(stem: str) -> str:
    """The SQL of one file."""
    return (FOLDER / f"{stem}.sql").read_text(encoding="utf-8")
