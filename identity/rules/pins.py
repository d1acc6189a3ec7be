"""Which PINs are too easy to guess."""

from __future__ import annotations

import itertools
import re

MAX_TRIES = 5
_SHAPE = re.compile(r"[0-9]{4,6}", re.ASCII)


def is_well_formed(pin: str) -> bool:
    """4 to 6 ASCII digits."""
    return bool(_SHAPE.fullmatch(pin))


def is_trivial(pin: str) -> bool:
    """One digit repeated, a row up or down (also over 9 to 0), or a repeated group (1212, 123123, 121212)."""
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in itertools.pairwise(digits)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return True
    half = len(pin) // 2
    if len(pin) % 2 == 0 and pin[:half] == pin[half:]:
        return True
    return len(pin) == 6 and pin[:2] * 3 == pin
