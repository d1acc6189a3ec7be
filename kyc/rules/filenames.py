"""Names of files: what an upload was called, made harmless; what a download is called (RFC 6266)."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

_UNSAFE = re.compile(r'[\\/:*?"<>|%;=&$`\x00-\x1f\x7f]')


def sanitise(name: str) -> str:
    """The last part of a path without control, direction and reserved characters; at most 80 characters."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(
        character for character in last if unicodedata.category(character) not in {"Cc", "Cf", "Co", "Cs", "Cn"}
    )
    cleaned = " ".join(_UNSAFE.sub(" ", visible).split()).strip(" .")
    stem, dot, suffix = cleaned.rpartition(".")
    if dot and len(suffix) <= 8:
        return f"{stem[:70]}.{suffix}" if stem else suffix
    return cleaned[:80] or "document"


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition value; `kind` is `attachment` or `inline`."""
    safe = sanitise(name)
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode() or "document"
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", plain)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
