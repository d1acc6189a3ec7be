"""The public front page and the error pages."""

from __future__ import annotations

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from common import request_context

TEXTS = {
    400: ("bad_request", "We could not read this request."),
    403: ("forbidden", "You do not have permission to do this."),
    404: ("not_found", "We could not find that."),
    500: ("internal_error", "Something went wrong on our side. Nothing was done."),
    503: ("unavailable", "The bank is not reachable right now. Please try again shortly."),
}


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("insights:dashboard")
    return render(request, "landing.html", {"products": accounts.open_products()})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("img/favicon.svg"))


def no_page(request: HttpRequest, **_: str) -> HttpResponse:
    """An address of a library's that leads nowhere here, whatever it names."""
    raise Http404


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    code, detail = TEXTS[status]
    request_id = request_context.current().request_id
    if request.path.startswith("/api/"):
        body = {
            "type": "about:blank",
            "title": detail,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": request_id,
        }
        return JsonResponse(body, status=status, content_type="application/problem+json")
    # Without the request in the context: an error page must not need the database for the session or the user.
    html = render_to_string(f"{status}.html", {"request_id": request_id, "detail": detail})
    return HttpResponse(html, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    cause: Any = sys.exc_info()[1]
    if isinstance(cause, OperationalError | InterfaceError):
        response = _answer(request, 503)
        response.headers["Retry-After"] = "5"
        return response
    return _answer(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403)
