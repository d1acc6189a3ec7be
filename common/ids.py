"""Ids of new rows that are not secret."""

from __future__ import annotations

import os
import time
from uuid import UUID

_NO_VERSION = ~(0xF << 76 | 0x3 << 62)
_VERSION_7 = 7 << 76 | 0b10 << 62


def new_id() -> UUID:
    """Of version 7 (RFC 9562): those that are made together lie together in each index, and share its pages.

    74 bits of it are drawn; the rest says when. What only its owner may know (a token) takes all of its bits from chance.
    """
    drawn = int.from_bytes(os.urandom(10), "big")
    return UUID(int=(time.time_ns() // 1_000_000 << 80 | drawn) & _NO_VERSION | _VERSION_7)
