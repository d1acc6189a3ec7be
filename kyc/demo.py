"""Specimens for the demo bank: an identity card, a letter and a photo, drawn from a person's data and marked as such."""

from __future__ import annotations

import io
import random
from datetime import date

from PIL import Image, ImageDraw, ImageFont

from common import geography

_INK = "#1d2b2a"
_GREY = "#5d6f6c"
_MARK = "#b3261e"
_TINTS = ["#dcebe4", "#e3e8f3", "#efe7d8", "#e6e3f0", "#dbe9ee"]
_SKIN = ["#f1c9a5", "#e0ac81", "#c68c5f", "#8d5a3b", "#ffdbb7"]
_HAIR = ["#2b1d14", "#5b3a1e", "#8a6a3f", "#1a1a1a", "#8c8c8c"]


def render_specimens(
    *, full_name: str, date_of_birth: date, number: str, address: str, country: str, seed: int
) -> dict[str, bytes]:
    """JPEG files by kind of document (IDENTITY, ADDRESS, SELFIE); the same input gives the same pictures."""
    chance = random.Random(seed)  # noqa: S311 - colours, not secrets
    look = (chance.choice(_SKIN), chance.choice(_HAIR), chance.choice(_TINTS))
    return {
        "IDENTITY": _jpeg(_card(full_name, date_of_birth, number, country, look)),
        "ADDRESS": _jpeg(_letter(full_name, address, chance)),
        "SELFIE": _jpeg(_selfie(look)),
    }


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _card(full_name: str, born: date, number: str, country: str, look: tuple[str, str, str]) -> Image.Image:
    card = Image.new("RGB", (1280, 810), look[2])
    pen = ImageDraw.Draw(card)
    for step in range(0, 2200, 22):
        pen.arc((step - 900, -300, step + 300, 1100), 0, 360, fill="#ffffff", width=1)
    pen.rectangle((0, 0, 1280, 96), fill="#24544b")
    pen.text((40, 26), geography.country_name(country).upper(), font=_font(40), fill="#ffffff")
    pen.text((1240, 34), "IDENTITY DOCUMENT", font=_font(26), fill="#d7ebe5", anchor="ra")
    _portrait(card, (40, 140, 380, 580), look)
    first, _, last = full_name.partition(" ")
    rows = [
        ("Surname", last or first),
        ("Given names", first),
        ("Date of birth", born.strftime("%d %b %Y")),
        ("Nationality", country),
        ("Document number", number),
    ]
    for place, (label, value) in enumerate(rows):
        top = 140 + place * 90
        pen.text((430, top), label, font=_font(22), fill=_GREY)
        pen.text((430, top + 28), value, font=_font(38), fill=_INK)
    pen.rectangle((0, 640, 1280, 810), fill="#f6f8f6")
    for place, line in enumerate(_mrz(first, last, born, number, country)):
        _spaced(pen, line, top=668 + place * 60)
    _stamp(card)
    return card


def _mrz(first: str, last: str, born: date, number: str, country: str) -> list[str]:
    def plain(text: str) -> str:
        return "".join(character if character.isascii() and character.isalnum() else "<" for character in text.upper())

    names = f"P<{country}<{plain(last or first)}<<{plain(first)}".ljust(44, "<")[:44]
    return [names, f"{plain(number)[:9].ljust(9, '<')}0{country}<{born:%y%m%d}0".ljust(44, "<")[:44]]


def _spaced(pen: ImageDraw.ImageDraw, line: str, *, top: int) -> None:
    for place, character in enumerate(line):
        pen.text((52 + place * 27, top), character, font=_font(34), fill=_INK, anchor="ma")


def _portrait(image: Image.Image, box: tuple[int, int, int, int], look: tuple[str, str, str]) -> None:
    skin, hair, _ = look
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    photo = Image.new("RGB", (width, height), "#cfd8dc")
    pen = ImageDraw.Draw(photo)
    middle = width // 2
    pen.ellipse((middle - width * 0.46, height * 0.72, middle + width * 0.46, height * 1.5), fill="#37474f")
    pen.rectangle((middle - width * 0.11, height * 0.55, middle + width * 0.11, height * 0.78), fill=skin)
    pen.ellipse((middle - width * 0.3, height * 0.1, middle + width * 0.3, height * 0.62), fill=hair)
    pen.ellipse((middle - width * 0.24, height * 0.18, middle + width * 0.24, height * 0.68), fill=skin)
    for side in (-1, 1):
        eye = middle + side * width * 0.1
        pen.ellipse((eye - width * 0.025, height * 0.4, eye + width * 0.025, height * 0.43), fill=_INK)
    pen.arc((middle - width * 0.09, height * 0.48, middle + width * 0.09, height * 0.57), 20, 160, fill=_INK, width=3)
    image.paste(photo, (left, top))
    ImageDraw.Draw(image).rectangle(box, outline="#ffffff", width=6)


def _letter(full_name: str, address: str, chance: random.Random) -> Image.Image:
    page = Image.new("RGB", (1240, 1754), "#fdfdfb")
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, 0, 1240, 26), fill="#24544b")
    pen.text((120, 110), "Stadtwerke Specimen", font=_font(46), fill="#24544b")
    pen.text((120, 170), "Energy and water · 1 Sample Square", font=_font(24), fill=_GREY)
    street, _, town = address.partition(", ")
    for place, line in enumerate([full_name, street, town]):
        pen.text((120, 340 + place * 44), line, font=_font(32), fill=_INK)
    pen.text((120, 580), "Your statement of consumption", font=_font(42), fill=_INK)
    rows = [(month, chance.randint(140, 260)) for month in ("July", "August", "September", "October")]
    pen.text((120, 680), f"Dear {full_name},", font=_font(28), fill=_INK)
    pen.text((120, 730), "this is what your home used in the last four months.", font=_font(28), fill=_INK)
    for place, (month, used) in enumerate(rows):
        top = 830 + place * 64
        pen.text((120, top), month, font=_font(28), fill=_INK)
        pen.text((1120, top), f"{used} kWh", font=_font(28), fill=_INK, anchor="ra")
        pen.line((120, top + 48, 1120, top + 48), fill="#d9dfdc", width=2)
    pen.text((120, 1170), "There is nothing to pay with this letter.", font=_font(28), fill=_INK)
    _stamp(page)
    return page


def _selfie(look: tuple[str, str, str]) -> Image.Image:
    image = Image.new("RGB", (900, 1100), look[2])
    _portrait(image, (60, 60, 840, 1040), look)
    _stamp(image)
    return image


def _stamp(image: Image.Image) -> None:
    """SPECIMEN across the picture, so that nobody takes it for a real document."""
    font = _font(min(image.size) // 7)
    layer = Image.new("L", image.size, 0)
    middle = (image.width // 2, image.height // 2)
    ImageDraw.Draw(layer).text(middle, "SPECIMEN", font=font, fill=90, anchor="mm")
    image.paste(_MARK, mask=layer.rotate(24, center=middle))


def _jpeg(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=88)
    return written.getvalue()
