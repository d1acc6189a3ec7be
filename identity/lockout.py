"""What axes needs to know of us: whose try it was, and what a locked-out caller is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from common import request_context
from identity.rules import accounts


def account_of(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The e-mail address of a try, as axes counts it."""
    return accounts.account_of(credentials) or accounts.account_of({"login": request.POST.get("login")})


def locked_out(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """A page for browsers, a problem document for programs; both say when to come back."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    answer: HttpResponse
    if request.path.startswith("/api/"):
        body = {
            "type": "about:blank",
            "title": "Too many requests",
            "status": 429,
            "code": "locked_out",
            "detail": "There were too many wrong tries from here. Wait 15 minutes, then try again.",
            "request_id": request_context.current().request_id,
            "data": {"retry_after": seconds},
        }
        answer = JsonResponse(body, status=429, content_type="application/problem+json")
    else:
        answer = render(request, "429.html", status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer
