"""Which form an answer of the API has; apart from `common.rest`, which needs the views that need this."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_JSON = "application/json"


class JsonFirst(DefaultContentNegotiation):
    """Whoever takes anything, or JSON, gets JSON where that comes first. All else is weighed as REST framework does."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        meta = request._request.META
        is_plain = meta.get("HTTP_ACCEPT", "*/*") in ("*/*", _JSON) and not meta.get("QUERY_STRING")
        first = next(iter(renderers))
        if is_plain and not format_suffix and first.media_type == _JSON:
            return first, _JSON
        return super().select_renderer(request, renderers, format_suffix)
