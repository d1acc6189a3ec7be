"""The papers of a loan as data and as PDF/A; the template is beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from accounts.rules.statements.typesetting import typeset

_TEMPLATE = Path(__file__).with_name("loan.typ")


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, the columns' names, and rows of texts; the first `left` columns are words, the others figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A paper: to whom, what it says at a glance, paragraphs of (heading, text), tables, small print."""

    title: str
    bank: str
    reference: str
    subtitle: str
    address: Sequence[str]
    facts: Sequence[tuple[str, str]]
    summary: Sequence[tuple[str, str, str]]
    tables: Sequence[Table] = field(default_factory=tuple)
    paragraphs: Sequence[tuple[str, str]] = field(default_factory=tuple)
    legal: str = ""


def write(document: Document, *, created_at: datetime) -> bytes:
    """The PDF; the same document gives the same bytes. Raises TypesettingFailed."""
    return typeset(template=_TEMPLATE, data=asdict(document), created_at=int(created_at.timestamp()))
