"""How API callers prove who they are."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework_simplejwt.authentication import JWTAuthentication


class JwtAuthentication(JWTAuthentication):
    """A short-lived bearer token."""


class ApiKeyAuthentication(BaseAuthentication):
    """`X-API-Key: <key id>.<secret>` of an integrator."""

    def authenticate(self, request):  # type: ignore[no-untyped-def]
        return None


class PortalSessionAuthentication(SessionAuthentication):
    """The browser session, with CSRF protection; lets the API pages be tried by somebody logged in."""
