"""The gate for uploads: what is kept is what we wrote ourselves from what we understood."""

from __future__ import annotations

from dataclasses import dataclass

from kyc.errors import DocumentRefused
from kyc.rules import headers, images, limits, pdfs


@dataclass(frozen=True, slots=True)
class CleanDocument:
    """A document as we store it: re-encoded bytes, their type, and the number of pages."""

    data: bytes
    content_type: str
    pages: int


def check_length(size: int) -> None:
    """Raise DocumentRefused for an empty file or one above the limit; `size` is in bytes."""
    if size == 0:
        raise DocumentRefused("This file is empty.", code="kyc_document_empty")
    if size > limits.MAX_FILE_BYTES:
        raise DocumentRefused(
            f"This file is larger than {limits.MAX_FILE_BYTES >> 20} MB. Send a smaller one.",
            code="kyc_document_too_large",
        )


def sanitise(data: bytes) -> CleanDocument:
    """Decide by content what a file is, refuse what can harm, and write the rest anew.

    Raises DocumentRefused with the cause in words. Call it through `isolation.sanitise` for files of strangers.
    """
    check_length(len(data))
    kind = headers.content_type(data)
    if kind == headers.PDF:
        written, pages = pdfs.rewrite(data)
        clean = CleanDocument(written, headers.PDF, pages)
    else:
        written, written_kind = images.rewrite(data, kind)
        clean = CleanDocument(written, written_kind, 1)
    check_length(len(clean.data))
    return clean
