"""What a file is, and how large its picture is, read from its first bytes before any decoder sees it."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from kyc.errors import DocumentRefused

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
WEBP = "image/webp"
SUFFIXES = {PDF: "pdf", JPEG: "jpg", PNG: "png", WEBP: "webp"}

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Progressive JPEGs have about ten scans; thousands of them make a decoder work for minutes.
MAX_JPEG_SCANS = 40
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_KNOWN: list[tuple[re.Pattern[bytes], str]] = [
    (re.compile(rb"\AGIF8[79]a"), "a GIF"),
    (re.compile(rb"\A....ftyp(?:hei[cfmsx]|he[iv][cms]|mif1|msf1|avi[fs])", re.DOTALL), "a HEIC or AVIF picture"),
    (re.compile(rb"\A....ftyp", re.DOTALL), "a video"),
    (re.compile(rb"\APK(?:\x03\x04|\x05\x06|\x07\x08)"), "an archive or office file"),
    (re.compile(rb"\A(?:Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ)"), "an archive"),
    (re.compile(rb"\A\xd0\xcf\x11\xe0"), "an old office file"),
    (re.compile(rb"\A(?:II\*\x00|MM\x00\*)"), "a TIFF"),
    (re.compile(rb"\ABM"), "a bitmap"),
    (re.compile(rb"\A(?:MZ|\x7fELF|\xca\xfe\xba\xbe|#!)"), "a program"),
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), "an SVG"),
    (re.compile(rb"<(?:!doctype html|html|head|body|script|iframe)[\s>]", re.IGNORECASE), "a web page"),
    (re.compile(rb"\A\s*<\?xml"), "XML"),
]
# Signatures that do not belong into a picture: a second file hides there.
_FOREIGN_HEAD = re.compile(rb"%PDF-\d|<(?:script|html|svg|iframe|\?php|!doctype html)[\s>]", re.IGNORECASE)
_FOREIGN_TAIL = re.compile(
    rb"PK(?:\x03\x04|\x05\x06)|%PDF-\d|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|<(?:script|html|svg|iframe|\?php)[\s>]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's type and size in pixels, and where its last byte should be."""

    content_type: str
    width: int
    height: int
    end: int


def content_type(data: bytes) -> str:
    """The type by the first bytes alone. Raises DocumentRefused, naming what the file is where that is known."""
    if data.startswith(b"%PDF-"):
        return PDF
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(_PNG_MAGIC):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    head = data[:4096]
    what = next((name for pattern, name in _KNOWN if pattern.search(head)), "not a file that we know")
    raise DocumentRefused(f"This is {what}. Send a PDF, JPEG, PNG or WebP.", code="kyc_document_type")


def picture(data: bytes, kind: str) -> Picture:
    """Size and extent of a JPEG, PNG or WebP from its own structure. Raises DocumentRefused when it is broken."""
    reader = {JPEG: _jpeg, PNG: _png, WEBP: _webp}[kind]
    try:
        return reader(data)
    except (struct.error, IndexError) as error:
        raise damaged() from error


def refuse_second_file(data: bytes, end: int) -> None:
    """Raise DocumentRefused when another file's signature sits in the head of a picture or behind its end."""
    if _FOREIGN_HEAD.search(data[:1024]) or _FOREIGN_TAIL.search(data, end):
        raise DocumentRefused("This file is two files in one. Send a plain picture.", code="kyc_document_polyglot")


def damaged() -> DocumentRefused:
    return DocumentRefused("This file is damaged or incomplete. Export or scan it again.", code="kyc_document_damaged")


def _png(data: bytes) -> Picture:
    if data[12:16] != b"IHDR":
        raise damaged()
    width, height = struct.unpack(">II", data[16:24])
    position = len(_PNG_MAGIC)
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        name = data[position + 4 : position + 8]
        position += 12 + length
        if name == b"acTL":
            raise _moving()
        if name == b"IEND":
            if position > len(data):
                raise damaged()
            return Picture(PNG, width, height, position)
    raise damaged()


def _jpeg(data: bytes) -> Picture:
    width = height = scans = 0
    position = 2
    while True:
        if data[position] != 0xFF:
            raise damaged()
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker == 0xD9:
            end = position + 2
            break
        (length,) = struct.unpack(">H", data[position + 2 : position + 4])
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
        position += 2 + length
        if marker == 0xDA:
            scans += 1
            if scans > MAX_JPEG_SCANS:
                raise DocumentRefused("This picture takes too much to open.", code="kyc_document_too_complex")
            position = _after_scan(data, position)
    if not scans:
        raise damaged()
    return Picture(JPEG, width, height, end)


_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def _after_scan(data: bytes, position: int) -> int:
    found = _SCAN_END.search(data, position)
    if found is None:
        raise damaged()
    return found.start()


def _webp(data: bytes) -> Picture:
    (size,) = struct.unpack("<I", data[4:8])
    end = size + 8
    if end > len(data):
        raise damaged()
    name, body = data[12:16], data[20:30]
    if name == b"VP8X":
        if body[0] & 0b10:
            raise _moving()
        width = int.from_bytes(body[4:7], "little") + 1
        height = int.from_bytes(body[7:10], "little") + 1
    elif name == b"VP8L":
        (bits,) = struct.unpack("<I", body[1:5])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif name == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", body[6:10]))
    else:
        raise damaged()
    return Picture(WEBP, width, height, end)


def _moving() -> DocumentRefused:
    return DocumentRefused("This picture moves. Send a still one.", code="kyc_document_animated")
