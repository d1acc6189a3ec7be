"""Pictures: decoded under limits and written anew, so that nothing but the pixels survives."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from kyc.errors import DocumentRefused
from kyc.rules import headers, limits

_FORMATS = {headers.JPEG: "JPEG", headers.PNG: "PNG", headers.WEBP: "WEBP"}
# Above this a PNG is a photograph; as a JPEG it is a tenth of the size.
_LARGE_PNG_BYTES = 3 * 1024 * 1024


def check_size(picture: headers.Picture) -> None:
    """Raise DocumentRefused for a picture with too many or too few pixels; looks at the header only."""
    width, height = picture.width, picture.height
    most = limits.MAX_PIXELS[picture.content_type]
    if min(width, height) < limits.MIN_SIDE:
        raise DocumentRefused(
            f"This picture is too small to read: {width} × {height} pixels.", code="kyc_document_too_small"
        )
    if max(width, height) > limits.MAX_SIDE or width * height > most:
        raise DocumentRefused(
            f"This picture has too many pixels: {width} × {height}. Send one of at most "
            f"{most // 1_000_000} megapixels.",
            code="kyc_document_too_many_pixels",
        )


def rewrite(data: bytes, kind: str) -> tuple[bytes, str]:
    """Decode and encode anew: upright, without metadata, at most `KEPT_SIDE` pixels a side.

    JPEG stays JPEG, PNG stays PNG unless it is a large photograph, WebP becomes JPEG. Raises DocumentRefused.
    """
    extent = headers.picture(data, kind)
    check_size(extent)
    headers.refuse_second_file(data, extent.end)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _rewrite(data, kind)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise headers.damaged() from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise DocumentRefused("This picture takes too much to open.", code="kyc_document_too_complex") from error


def thumbnail(data: bytes, *, side: int) -> bytes:
    """A JPEG of at most `side` pixels a side from a picture that `rewrite` made."""
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
        image.draft("RGB", (side, side))
        return _jpeg(_flatten(ImageOps.contain(image, (side, side))), quality=82)


def _rewrite(data: bytes, kind: str) -> tuple[bytes, str]:
    with Image.open(io.BytesIO(data), formats=[_FORMATS[kind]]) as image:
        if getattr(image, "n_frames", 1) > 1 and kind != headers.JPEG:
            raise DocumentRefused("This picture moves. Send a still one.", code="kyc_document_animated")
        orientation = image.getexif().get(0x0112, 1)
        factor = -(-max(image.size) // limits.KEPT_SIDE)
        image.draft("RGB", (image.width // factor, image.height // factor))
        image.load()
        # Shrunk first: a full-size copy of 40 megapixels costs 160 MB.
        clean = _upright(_flatten(_shrink(_drawable(image), limits.KEPT_SIDE)), orientation)
    if kind == headers.PNG:
        written = io.BytesIO()
        clean.save(written, "PNG", compress_level=6)
        if written.tell() <= _LARGE_PNG_BYTES:
            return written.getvalue(), headers.PNG
    return _jpeg(clean, quality=90), headers.JPEG


def _drawable(image: Image.Image) -> Image.Image:
    """The same picture in a mode that can be scaled and laid on white."""
    if image.mode == "I;16" or image.mode == "I":
        return image.point(lambda value: value / 257).convert("L")
    if image.mode == "P" or "transparency" in image.info:
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    return image


def _flatten(image: Image.Image) -> Image.Image:
    """Grey or RGB on white, in a new image that knows nothing of the old one's metadata."""
    if image.mode in {"1", "L"}:
        flat = image.convert("L")
    elif "A" in image.getbands():
        flat = Image.new("RGB", image.size, "white")
        over = image.convert("RGBA")
        flat.paste(over, mask=over.getchannel("A"))
    else:
        flat = image.convert("RGB")
    return Image.frombytes(flat.mode, flat.size, flat.tobytes())


def _shrink(image: Image.Image, side: int) -> Image.Image:
    """At most `side` pixels a side, by a whole factor, strip by strip: Pillow's own scaling copies the whole first."""
    factor = -(-max(image.size) // side)
    if factor == 1:
        return image
    if image.mode == "1":
        image = image.convert("L")
    width, height = image.size
    small = Image.new(image.mode, (-(-width // factor), -(-height // factor)))
    strip = 128 * factor
    for top in range(0, height, strip):
        part = image.crop((0, top, width, min(top + strip, height))).reduce(factor)
        small.paste(part, (0, top // factor))
    return small


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    return image.transpose(method) if method is not None else image


def _jpeg(image: Image.Image, *, quality: int) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality, optimize=True)
    return written.getvalue()
