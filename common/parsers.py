"""Reading request bodies of the API; apart from `common.rest`, which needs the views that need this."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request


class JsonBody(JSONParser):
    """JSON that is nested too deeply to follow, or holds half a character, is a bad request and not a failure."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            data = super().parse(*args, **kwargs)
            # A lone surrogate can be read but not written: an answer that quotes it would break.
            json.dumps(data, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError("This JSON is nested too deeply.") from error
        except UnicodeEncodeError as error:
            raise ParseError("This JSON holds text that is not Unicode.") from error
        return data


def allow_long_body(request: Request) -> None:
    """Read a body longer than `DATA_UPLOAD_MAX_MEMORY_SIZE`, up to what the middleware lets through.

    For the few operations that take many things at once; call it before `request.data`.
    """
    plain: Any = request._request
    if not hasattr(plain, "_body"):
        plain._body = plain.read(settings.REQUEST_BODY_MAX_BYTES)
