"""Request context, security headers and the wider policies that some libraries' pages need."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from functools import cache

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string

from common import geography, request_context
from common.request_context import Channel, RequestContext

GetResponse = Callable[[HttpRequest], HttpResponse]
_PROGRAMS = "/api/v1/"
_DRAIN_MAX_BYTES = 64 * 2**20
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)


def client_ip(request: HttpRequest) -> str:
    """The caller's address. X-Forwarded-For counts only as far as our own proxies wrote it."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    count = settings.TRUSTED_PROXY_COUNT
    if count:
        forwarded = [
            part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()
        ]
        if len(forwarded) >= count:
            peer = forwarded[-count]
    try:
        return str(ipaddress.ip_address(peer))
    except ValueError:
        # A unix socket has no peer address.
        return "127.0.0.1"


def _country(request: HttpRequest, ip: str) -> str:
    if settings.COUNTRY_HEADER and settings.TRUSTED_PROXY_COUNT:
        told = str(request.headers.get(settings.COUNTRY_HEADER, "")).upper()
        return told if re.fullmatch(r"[A-Z]{2}", told) and told not in {"XX", "T1"} else ""
    return geography.country_of(ip)


def _channel(path: str) -> Channel:
    if path.startswith("/api/"):
        return "API"
    return "ADMIN" if path.startswith("/admin/") else "PORTAL"


class RequestContextMiddleware:
    """Gives each request an id (a caller's own is kept when well formed) and answers with it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = str(request.META.get("HTTP_X_REQUEST_ID", ""))
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        ip = client_ip(request)
        context = RequestContext(
            request_id=request_id,
            ip=ip,
            user_agent=str(request.META.get("HTTP_USER_AGENT", ""))[:300],
            channel=_channel(request.path),
            country=_country(request, ip),
        )
        token = request_context.enter(context)
        try:
            response = self.get_response(request)
        finally:
            request_context.leave(token)
        response.headers["X-Request-ID"] = request_id
        return response


@cache
def _strict_policy() -> str:
    return build_policy()


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The strict policy everywhere; `CONTENT_SECURITY_POLICY_BY_PREFIX` widens it for pages of libraries."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """An answer of the API has no nonce: it carries the strict policy word for word, or one of its own as a document does."""
        if request.path_info.startswith(_PROGRAMS):
            response.headers.setdefault(HEADER, _strict_policy())
            return response
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.replace is None:
            for prefix, directives in settings.CONTENT_SECURITY_POLICY_BY_PREFIX.items():
                if request.path_info.startswith(prefix):
                    parts.replace = directives
        return parts


class BrowserSafetyMiddleware:
    """Headers that Django has no setting for, a cap on body size, and no caching of personal pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = self._refuse_body(request)
        response = refusal or self.get_response(request)
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _refuse_body(self, request: HttpRequest) -> HttpResponse | None:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return None
        if "chunked" in str(request.META.get("HTTP_TRANSFER_ENCODING", "")).lower():
            return self._problem(411, "length_required", "Send a Content-Length with this request.")
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > settings.REQUEST_BODY_MAX_BYTES:
            limit = f"{settings.REQUEST_BODY_MAX_BYTES // 2**20} MB"
            if request.path.startswith("/api/"):
                return self._problem(413, "body_too_large", f"The request is larger than {limit}.")
            self._drain(request, length)
            request_id = request_context.current().request_id
            page = render_to_string("413.html", {"request_id": request_id, "limit": limit, "back": request.path})
            return HttpResponse(page, status=413)
        return None

    def _drain(self, request: HttpRequest, length: int) -> None:
        """Throw away what a browser is still sending: it shows an answer only once it has sent everything.

        Beyond the limit of this courtesy the connection just ends.
        """
        left = min(length, _DRAIN_MAX_BYTES)
        while left > 0 and (piece := request.META["wsgi.input"].read(min(left, 2**16))):
            left -= len(piece)

    def _problem(self, status: int, code: str, detail: str) -> HttpResponse:
        body = {
            "type": "about:blank",
            "title": detail,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": request_context.current().request_id,
        }
        return JsonResponse(body, status=status, content_type="application/problem+json")
