"""Pictures of stored documents for the eye: a thumbnail, or a page of a PDF. Nothing of the file itself is shown."""

from __future__ import annotations

import io

import pypdfium2

from kyc.errors import DocumentRefused
from kyc.rules import headers, images

_MAX_SIDE = 2000


def render(data: bytes, *, content_type: str, page: int, side: int) -> tuple[bytes, str]:
    """A picture of at most `side` pixels a side; `page` counts from 1. Returns bytes and their content type.

    Raises DocumentRefused when the page cannot be drawn.
    """
    side = min(side, _MAX_SIDE)
    if content_type != headers.PDF:
        return images.thumbnail(data, side=side), headers.JPEG
    return _page(data, page, side), headers.PNG


def _page(data: bytes, page: int, side: int) -> bytes:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise headers.damaged() from error
    try:
        if not 1 <= page <= len(document):
            raise DocumentRefused("This page does not exist.", code="kyc_document_page")
        sheet = document[page - 1]
        longest = max(*sheet.get_size(), 1.0)
        picture = sheet.render(scale=side / longest, may_draw_forms=False).to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise headers.damaged() from error
    finally:
        document.close()
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=6)
    return written.getvalue()
