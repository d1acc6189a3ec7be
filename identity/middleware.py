"""Sessions end: after a silence, and after a working day at most."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

STARTED = "started_at"
SEEN = "seen_at"
# Writing the session on every request would cost a row update each; the idle clock needs no finer grain.
GRAIN_SECONDS = 20


class SessionLifetimeMiddleware:
    """Ends a browser session after a silence, or after `SESSION_ABSOLUTE_SECONDS` in all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated:
            self._keep_or_end(request)
        return self.get_response(request)

    def _keep_or_end(self, request: HttpRequest) -> None:
        now = int(timezone.now().timestamp())
        started = request.session.setdefault(STARTED, now)
        seen = request.session.setdefault(SEEN, now)
        idle = settings.STAFF_SESSION_IDLE_SECONDS if request.user.is_staff else settings.SESSION_IDLE_SECONDS
        if now - seen > idle or now - started > settings.SESSION_ABSOLUTE_SECONDS:
            logout(request)
        elif now - seen >= GRAIN_SECONDS:
            request.session[SEEN] = now
