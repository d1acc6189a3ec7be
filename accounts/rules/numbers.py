"""Account numbers: `BP`, two check digits of ISO 7064 MOD 97-10 (placed as in an IBAN), twelve digits.

The check digits catch every single wrong digit and every swap of two neighbours. Letters stand only in the prefix, so a
number can be typed on a phone's number pad and read aloud in groups of four.
"""

from __future__ import annotations

import re
from uuid import UUID

from stdnum.iso7064 import mod_97_10

PREFIX = "BP"
BODY_LENGTH = 12
LENGTH = len(PREFIX) + 2 + BODY_LENGTH
_SHAPE = re.compile(rf"{PREFIX}[0-9]{{{2 + BODY_LENGTH}}}", re.ASCII)
_SEPARATORS = re.compile(r"[\s\u00a0.\-]+")


def from_uuid(value: UUID) -> str:
    """The account number derived from a UUID. Two UUIDs may meet in one number: the unique constraint decides."""
    body = f"{value.int % 10**BODY_LENGTH:0{BODY_LENGTH}d}"
    return f"{PREFIX}{mod_97_10.calc_check_digits(body + PREFIX)}{body}"


def normalise(text: str) -> str:
    """As people write it (spaces, dashes, small letters) to as we store it. Says nothing about validity."""
    return _SEPARATORS.sub("", text).upper()


def is_valid(number: str) -> bool:
    """Whether a normalised number has the right shape and check digits."""
    if not _SHAPE.fullmatch(number):
        return False
    # Two check digits can be written in two ways for some remainders (01 and 98); only the calculated pair is issued.
    body = number[len(PREFIX) + 2 :]
    return number[len(PREFIX) : len(PREFIX) + 2] == mod_97_10.calc_check_digits(body + PREFIX)


def masked(number: str) -> str:
    """The last four digits behind dots, for places where other people may look."""
    return f"\u2022\u2022\u2022\u2022 {number[-4:]}"


def grouped(number: str) -> str:
    """Groups of four, as people read it aloud."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
