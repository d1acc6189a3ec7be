"""Specimen documents for the demo bank, drawn with Pillow and marked as specimens. Nobody could mistake one for real."""

from __future__ import annotations

import io
import random
import unicodedata
from datetime import date

from PIL import Image, ImageDraw, ImageFont

from kyc.models import Document

INK, QUIET, PAPER = (28, 38, 34), (108, 122, 116), (250, 250, 246)
TINTS = [(216, 232, 224), (222, 228, 240), (238, 228, 214), (230, 222, 236)]


def render_specimens(
    *, full_name: str, date_of_birth: date, number: str, address: str, country: str, seed: int
) -> dict[str, bytes]:
    """JPEG files by document kind: identity card, letter with the address, and a drawn portrait."""
    source = random.Random(seed)  # noqa: S311 - plausible, not secret
    tint = source.choice(TINTS)
    look = _Look(source)
    identity = _identity_page(full_name, date_of_birth, number, country, tint, look)
    letter = _letter(full_name, address, source)
    portrait = Image.new("RGB", (900, 1100), tint)
    look.draw(portrait, (450, 620), 330)
    _mark(portrait)
    return {
        Document.Kind.IDENTITY.value: _jpeg(identity),
        Document.Kind.ADDRESS.value: _jpeg(letter),
        Document.Kind.SELFIE.value: _jpeg(portrait),
    }


class _Look:
    """One invented face, the same on the card and on the portrait."""

    def __init__(self, source: random.Random) -> None:
        self.skin = source.choice([(240, 208, 182), (222, 178, 144), (176, 126, 94), (122, 84, 62)])
        self.hair = source.choice([(52, 40, 34), (112, 76, 46), (190, 150, 96), (92, 92, 96)])
        self.shirt = source.choice([(46, 92, 82), (58, 76, 120), (126, 62, 66), (84, 84, 92)])
        self.long_hair = source.random() < 0.5

    def draw(self, image: Image.Image, centre: tuple[int, int], size: int) -> None:
        pen = ImageDraw.Draw(image)
        x, y = centre
        if self.long_hair:
            pen.rounded_rectangle((x - size * 0.62, y - size, x + size * 0.62, y + size * 0.55), size * 0.5, self.hair)
        pen.pieslice((x - size, y + size * 0.45, x + size, y + size * 2.4), 180, 360, self.shirt)
        pen.rectangle((x - size * 0.18, y + size * 0.3, x + size * 0.18, y + size * 0.75), self.skin)
        pen.ellipse((x - size * 0.5, y - size * 0.8, x + size * 0.5, y + size * 0.48), self.skin)
        pen.chord((x - size * 0.55, y - size * 0.95, x + size * 0.55, y + size * 0.1), 180, 360, self.hair)
        for side in (-1, 1):
            eye = x + side * size * 0.2
            pen.ellipse((eye - size * 0.05, y - size * 0.16, eye + size * 0.05, y - size * 0.06), INK)
        pen.arc((x - size * 0.18, y, x + size * 0.18, y + size * 0.24), 20, 160, INK, max(3, size // 50))


def _identity_page(
    full_name: str, date_of_birth: date, number: str, country: str, tint: tuple[int, int, int], look: _Look
) -> Image.Image:
    image = Image.new("RGB", (1400, 980), PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 1400, 130), tint)
    pen.text((60, 34), f"PASSPORT  ·  {country}", INK, _font(56))
    pen.rounded_rectangle((60, 190, 430, 670), 18, tint)
    look.draw(image, (245, 440), 150)
    pen.rectangle((40, 660, 450, 690), PAPER)
    rows = [
        ("Name", full_name),
        ("Date of birth", f"{date_of_birth:%d %b %Y}"),
        ("Document number", number),
        ("Nationality", country),
    ]
    for place, (label, value) in enumerate(rows):
        top = 190 + place * 122
        pen.text((500, top), label, QUIET, _font(28))
        pen.text((500, top + 38), value, INK, _font(46))
    given, _, family = _plain(full_name).rpartition(" ")
    first = f"P<{country}{family}<<{given}".replace(" ", "<")
    second = f"{number}<{country}{date_of_birth:%y%m%d}"
    for place, line in enumerate((first, second)):
        _spaced(pen, (60, 780 + place * 74), line[:36].ljust(36, "<"))
    _mark(image)
    return image


def _letter(full_name: str, address: str, source: random.Random) -> Image.Image:
    image = Image.new("RGB", (1100, 1500), "white")
    pen = ImageDraw.Draw(image)
    pen.text((90, 90), "Stadtwerke Beispiel", (46, 92, 82), _font(52))
    pen.line((90, 170, 1010, 170), (46, 92, 82), 4)
    for place, line in enumerate((full_name, *address.split(", "))):
        pen.text((90, 260 + place * 52), line, INK, _font(36))
    pen.text((90, 560), "Your electricity account", INK, _font(44))
    body = ("Thank you for being our customer. This is what you used", "in the last quarter and what we will collect.")
    for place, line in enumerate(body):
        pen.text((90, 650 + place * 48), line, QUIET, _font(32))
    used = source.randrange(380, 920)
    for place, (label, value) in enumerate((("Used", f"{used} kWh"), ("To pay", f"{used * 31 // 100}.40 EUR"))):
        pen.text((90, 830 + place * 70), label, INK, _font(36))
        pen.text((640, 830 + place * 70), value, INK, _font(36))
        pen.line((90, 885 + place * 70, 1010, 885 + place * 70), (222, 226, 224), 2)
    _mark(image)
    return image


def _mark(image: Image.Image) -> None:
    """SPECIMEN across the picture, see-through."""
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    size = image.width // 8
    ImageDraw.Draw(layer).text(
        (image.width // 2, image.height // 2), "SPECIMEN", (150, 30, 30, 84), _font(size), anchor="mm"
    )
    image.paste(Image.alpha_composite(image.convert("RGBA"), layer.rotate(24)).convert("RGB"))


def _spaced(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str) -> None:
    """Machine-readable lines have letters of one width."""
    for place, letter in enumerate(text):
        pen.text((at[0] + place * 35 + 16, at[1]), letter, INK, _font(42), anchor="ma")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=86)
    return out.getvalue()
