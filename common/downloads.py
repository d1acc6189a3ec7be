"""Files that leave the bank: streamed, saved under a harmless name, never shown in place of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.http import StreamingHttpResponse

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def attachment(*, name: str, content_type: str, chunks: Iterable[bytes]) -> StreamingHttpResponse:
    """A download in pieces. `name` holds ASCII letters, digits, dot, dash and underscore only; else ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError("this name is not safe in a header")
    response = StreamingHttpResponse(chunks, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
