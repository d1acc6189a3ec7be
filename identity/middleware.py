"""Sessions end; staff hold a second factor; forms that strangers may send are limited."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from common import request_context, throttle
from common.errors import TooMany
from common.throttle import Limit
from identity import queries

STARTED = "started_at"
SEEN = queries.SEEN_KEY
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


class StaffSecondFactorMiddleware:
    """Where the installation asks for it, nobody sees the back office before setting up two-step verification."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.STAFF_MFA_REQUIRED
            and request.path.startswith("/admin/")
            and request.user.is_authenticated
            and queries.lacks_second_factor(request.user)
        ):
            messages.info(request, "Set up two-step verification first; then the back office opens.")
            return redirect("mfa_activate_totp")
        return self.get_response(request)


# Forms that may be sent without being logged in, by the name of their address.
OPEN_FORMS: dict[str, Limit] = {
    "account_login": throttle.SIGN_INS_BY_ADDRESS,
    "account_signup": throttle.REGISTRATIONS,
    "account_reset_password": Limit("password-resets", count=20, seconds=3600),
    "account_reset_password_from_key": Limit("password-reset-keys", count=20, seconds=3600),
    "mfa_authenticate": Limit("second-factors", count=30, seconds=300),
}


class OpenFormLimitMiddleware:
    """Counts each caller's address at the forms that strangers may send; over the limit they get the 429 page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: object) -> HttpResponse | None:
        match = request.resolver_match
        limit = OPEN_FORMS.get(match.view_name) if match and request.method == "POST" else None
        if limit is None:
            return None
        try:
            throttle.enforce(limit, request_context.current().ip)
        except TooMany as error:
            return throttle.page(request, error)
        return None
