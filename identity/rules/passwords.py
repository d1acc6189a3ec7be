"""A long password made of the bank's or one's own name is a short one."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What must be left when the known words are taken away.
ENOUGH = 8


def context_words(*texts: str) -> set[str]:
    """The words of four letters or more in names and addresses, lower case."""
    return {word for text in texts for word in re.findall(r"[^\W\d_]{4,}", text.lower())}


def leans_on(password: str, words: Iterable[str]) -> bool:
    """Whether the password contains one of the words and little besides them."""
    rest = password.lower()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest) < min(ENOUGH, len(password)) and rest != password.lower()
