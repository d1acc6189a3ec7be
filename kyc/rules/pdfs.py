"""PDF files: walked object by object, refused when they can act, and written anew from their pages alone."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any

import pikepdf

from kyc.errors import DocumentRefused
from kyc.rules import headers, limits

# A key anywhere in the file that makes a PDF act or carry another file.
_FORBIDDEN_KEYS = {
    "/JS": "a script",
    "/JavaScript": "a script",
    "/AA": "an automatic action",
    "/EmbeddedFiles": "an embedded file",
    "/EmbeddedFile": "an embedded file",
    "/EF": "an embedded file",
    "/AF": "an embedded file",
    "/XFA": "an XFA form",
    "/Collection": "a portfolio of files",
    "/RichMediaContent": "rich media",
    "/RichMediaSettings": "rich media",
    "/Renditions": "rich media",
    "/Launch": "a launch action",
}
_FORBIDDEN_ACTIONS = {
    "/JavaScript": "a script",
    "/Launch": "a launch action",
    "/SubmitForm": "a form that sends data",
    "/ImportData": "a form that loads data",
    "/GoToR": "a link to another file",
    "/GoToE": "an embedded file",
    "/Rendition": "rich media",
    "/Movie": "a video",
    "/Sound": "a sound",
    "/RichMediaExecute": "rich media",
}
_FORBIDDEN_SUBTYPES = {
    "/RichMedia": "rich media",
    "/Movie": "a video",
    "/Sound": "a sound",
    "/Screen": "rich media",
    "/3D": "a 3D model",
    "/FileAttachment": "an attached file",
}
_PICTURE_FILTERS = {"/DCTDecode", "/JPXDecode", "/CCITTFaxDecode", "/JBIG2Decode"}
_TEXT_FILTERS = {"/ASCII85Decode", "/ASCIIHexDecode", "/RunLengthDecode"}
_CHUNK = 1 << 20


def rewrite(data: bytes) -> tuple[bytes, int]:
    """The same pages in a new file without metadata, outlines, names or actions; also the number of pages.

    Raises DocumentRefused for encrypted, damaged, active, oversized or explosive files.
    """
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as source:
            if source.is_encrypted:
                raise _encrypted()
            pages = _count_pages(source)
            _inspect(source)
            return _rewrite(source), pages
    except pikepdf.PasswordError as error:
        raise _encrypted() from error
    except (pikepdf.PdfError, pikepdf.ForeignObjectError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise headers.damaged() from error
    except MemoryError as error:
        raise _too_complex() from error


def _count_pages(source: pikepdf.Pdf) -> int:
    count = len(source.pages)
    if count < 1:
        raise headers.damaged()
    if count > limits.MAX_PDF_PAGES:
        raise DocumentRefused(
            f"This PDF has {count} pages; at most {limits.MAX_PDF_PAGES} are possible.", code="kyc_document_pages"
        )
    return count


def _inspect(source: pikepdf.Pdf) -> None:
    if len(source.objects) > limits.MAX_PDF_OBJECTS:
        raise _too_complex()
    opening = source.Root.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and opening.get("/S") != pikepdf.Name.GoTo:
        raise _active("an opening action")
    budget = limits.MAX_PDF_UNPACKED_BYTES
    for thing in source.objects:
        _inspect_tree(thing)
        if isinstance(thing, pikepdf.Stream):
            budget -= _unpacked_size(thing, budget)
    _inspect_tree(source.trailer)


def _inspect_tree(thing: Any) -> None:
    """Look at one indirect object with everything that is written directly inside it."""
    waiting: list[tuple[Any, int]] = [(thing, 0)]
    while waiting:
        current, depth = waiting.pop()
        if depth > limits.MAX_PDF_NESTING:
            raise _too_complex()
        if isinstance(current, pikepdf.Dictionary | pikepdf.Stream):
            _inspect_dictionary(current)
        waiting.extend((child, depth + 1) for child in _direct_children(current))


def _direct_children(thing: Any) -> Iterator[Any]:
    if isinstance(thing, pikepdf.Array):
        values: Iterator[Any] = iter(list(thing))
    elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        values = (thing[key] for key in list(thing.keys()))
    else:
        return
    for value in values:
        if isinstance(value, pikepdf.Object) and not value.is_indirect:
            yield value


def _inspect_dictionary(thing: Any) -> None:
    keys = set(thing.keys())
    for key in keys & _FORBIDDEN_KEYS.keys():
        raise _active(_FORBIDDEN_KEYS[key])
    for key, forbidden in (("/S", _FORBIDDEN_ACTIONS), ("/Subtype", _FORBIDDEN_SUBTYPES)):
        value = thing.get(key)
        if isinstance(value, pikepdf.Name) and str(value) in forbidden:
            raise _active(forbidden[str(value)])
    if str(thing.get("/Type", "")) == "/EmbeddedFile":
        raise _active("an embedded file")


def _unpacked_size(stream: pikepdf.Stream, budget: int) -> int:
    """How many bytes a viewer would unpack, counted piece by piece so that a bomb never unfolds here."""
    declared = stream.get("/Filter")
    chain = [str(part) for part in declared] if isinstance(declared, pikepdf.Array) else [str(declared)]
    filters = [part for part in chain if declared is not None]
    _check_picture(stream)
    if len(filters) > 2 or len(filters) != len(set(filters)):
        raise _too_complex()
    unknown = set(filters) - _PICTURE_FILTERS - _TEXT_FILTERS - {"/FlateDecode", "/LZWDecode"}
    if unknown:
        raise headers.damaged()
    raw = stream.read_raw_bytes()
    if "/FlateDecode" in filters and filters[0] == "/FlateDecode":
        return _inflated_size(raw, budget)
    if "/FlateDecode" in filters or "/LZWDecode" in filters:
        # Behind another filter, or LZW: count the worst case instead of decoding.
        return _within(len(raw) * (1100 if "/FlateDecode" in filters else 2800), budget)
    return _within(len(raw) * (128 if "/RunLengthDecode" in filters else 1), budget)


def _check_picture(stream: pikepdf.Stream) -> None:
    if stream.get("/Subtype") != pikepdf.Name.Image:
        return
    if int(stream.get("/Width", 0)) * int(stream.get("/Height", 0)) > limits.MAX_PDF_PICTURE_PIXELS:
        raise DocumentRefused("A picture in this PDF has too many pixels.", code="kyc_document_too_many_pixels")


def _inflated_size(raw: bytes, budget: int) -> int:
    inflater = zlib.decompressobj()
    size = 0
    waiting = raw
    try:
        while waiting and not inflater.eof:
            size += len(inflater.decompress(waiting, _CHUNK))
            waiting = inflater.unconsumed_tail
            _within(size, budget)
    except zlib.error as error:
        raise headers.damaged() from error
    return size


def _within(size: int, budget: int) -> int:
    if size > budget:
        raise _too_complex()
    return size


def _rewrite(source: pikepdf.Pdf) -> bytes:
    target = pikepdf.new()
    target.pages.extend(source.pages)
    for thing in target.objects:
        if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            for key in ("/Metadata", "/PieceInfo", "/LastModified", "/Thumb"):
                if key in thing:
                    del thing[key]
    written = io.BytesIO()
    target.save(written, deterministic_id=True, fix_metadata_version=False)
    return written.getvalue()


def _encrypted() -> DocumentRefused:
    return DocumentRefused(
        "This PDF is encrypted. Save it without a password and send it again.", code="kyc_document_encrypted"
    )


def _active(what: str) -> DocumentRefused:
    return DocumentRefused(
        f"This PDF contains {what}. Print it to a new PDF and send that one.", code="kyc_document_active"
    )


def _too_complex() -> DocumentRefused:
    return DocumentRefused("This file takes too much to open.", code="kyc_document_too_complex")
