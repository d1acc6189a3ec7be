"""Text inside XML: escaped, and free of the characters that XML 1.0 has no way to write."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str, longest: int) -> str:
    """At most `longest` characters of a value in one line, escaped for an element's content."""
    clean = " ".join(_FORBIDDEN.sub("", value).split())
    return escape(clean[:longest].rstrip())


def element(name: str, value: str) -> str:
    """`<name>value</name>`; the value must be escaped already."""
    return f"<{name}>{value}</{name}>"
