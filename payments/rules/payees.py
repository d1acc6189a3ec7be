"""Does the name somebody typed belong to the account they typed? And what may be said about it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame", "lord", "lady", "rev", "phd", "md"})
_SPELLED_OUT = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
)
# Indel similarity in percent. A slip of a letter or two in a name of usual length stays above, another name below.
CLOSE_AT = 84.0


class NameMatch(StrEnum):
    MATCH = "MATCH"
    CLOSE = "CLOSE"
    NO_MATCH = "NO_MATCH"


@dataclass(frozen=True, slots=True)
class NameCheck:
    """`hint` never holds more of the real name than its initials, and nothing at all unless the names are close."""

    result: NameMatch
    hint: str = ""


def check_name(*, typed: str, actual: str) -> NameCheck:
    """Compare a typed name with the account holder's, without regard to case, accents, order of words and titles."""
    given, real = _words(typed), _words(actual)
    if not given or not real:
        return NameCheck(NameMatch.NO_MATCH)
    if sorted(given) == sorted(real) or _leaves_out_middle_names(given, real):
        return NameCheck(NameMatch.MATCH)
    if _is_initials(given, real) or fuzz.ratio(" ".join(sorted(given)), " ".join(sorted(real))) >= CLOSE_AT:
        return NameCheck(NameMatch.CLOSE, hint=initials(actual))
    return NameCheck(NameMatch.NO_MATCH)


def initials(name: str) -> str:
    """`Alice Archer` gives `A. A.`"""
    return " ".join(f"{word[0].upper()}." for word in _words(name))


def normalise(name: str) -> str:
    """The form in which names are compared, for telling whether two payees are the same."""
    return " ".join(sorted(_words(name)))


def _words(name: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_SPELLED_OUT))
    plain = "".join(sign for sign in folded if not unicodedata.combining(sign))
    # An apostrophe joins (O'Neill), any other sign parts (Smith-Jones).
    words = re.findall(r"\w+", re.sub(r"['’`.]", "", plain))
    without_titles = [word for word in words if word not in _TITLES]
    return without_titles or words


def _leaves_out_middle_names(given: list[str], real: list[str]) -> bool:
    """First and last name are there, and nothing that the real name does not have."""
    return len(given) >= 2 and {real[0], real[-1]} <= set(given) <= set(real) and len(set(given)) == len(given)


def _is_initials(given: list[str], real: list[str]) -> bool:
    """`A Archer` or `Archer, A` for Alice Archer."""
    if len(given) != 2 or len(real) < 2:
        return False
    short, long = sorted(given, key=len)
    return len(short) == 1 and long == real[-1] and real[0].startswith(short)
