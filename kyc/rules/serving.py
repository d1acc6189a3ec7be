"""The headers under which a document leaves the bank: never run, never cached, never guessed."""

from __future__ import annotations

from kyc.rules import filenames


def headers_for(*, name: str, inline: bool) -> dict[str, str]:
    """Response headers for a document's bytes; `inline` only for pictures that we drew."""
    return {
        "Content-Disposition": filenames.disposition("inline" if inline else "attachment", name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
