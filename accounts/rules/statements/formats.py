"""The forms in which a statement leaves the bank, and which writer makes each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from accounts.rules.statements import as_camt053, as_csv, as_ofx, as_pdf
from accounts.rules.statements.content import Heading, StatementLine


class Format(StrEnum):
    PDF = "pdf"
    CSV = "csv"
    OFX = "ofx"
    CAMT053 = "camt053"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]

    @property
    def suffix(self) -> str:
        return "xml" if self is Format.CAMT053 else self.value


_CONTENT_TYPES = {
    Format.PDF: "application/pdf",
    Format.CSV: "text/csv; charset=utf-8",
    Format.OFX: "application/x-ofx",
    Format.CAMT053: "application/xml",
}


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way out: `chunks` can be read once."""

    name: str
    content_type: str
    chunks: Iterator[bytes]


def write(form: Format, heading: Heading, lines: Iterable[StatementLine]) -> Export:
    """The statement in this form. Raises StatementTooLong for a PDF of more than 2,000 postings."""
    return Export(file_name(heading, form), form.content_type, _chunks(form, heading, lines))


def file_name(heading: Heading, form: Format) -> str:
    """Letters, digits, dashes and a dot only, so it is safe in every header and on every disk."""
    days = f"{heading.since:%Y%m%d}-{heading.last_day:%Y%m%d}"
    return f"statement-{heading.account_number[-4:]}-{days}.{form.suffix}"


def _chunks(form: Format, heading: Heading, lines: Iterable[StatementLine]) -> Iterator[bytes]:
    match form:
        case Format.PDF:
            return iter([as_pdf.write(heading, lines)])
        case Format.CSV:
            return as_csv.write(heading, lines)
        case Format.OFX:
            return as_ofx.write(heading, lines)
        case Format.CAMT053:
            return as_camt053.write(heading, lines)
