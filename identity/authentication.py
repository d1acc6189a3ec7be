"""How API callers prove who they are: bearer token, API key, or the browser's session."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token

from common import request_context, throttle
from common.errors import Forbidden
from identity import queries, services
from identity.models import User
from identity.permissions import permissions_of


class ScopeMissing(Forbidden):
    code = "scope_missing"
    message = "This API key does not have the scope for this."


class JwtAuthentication(JWTAuthentication):  # type: ignore[misc]
    """A short-lived bearer token; dies with its sign-in, the password, and the user."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        """Signature and claims of one token are the same at each request: only its end is looked at again.

        Raises InvalidToken (401).
        """
        token = _sound(raw_token)
        try:
            token.check_exp(current_time=timezone.now())
        except TokenError as ended:
            raise InvalidToken from ended
        return token

    def get_user(self, validated_token: Token) -> User:
        """One query finds sign-in and user together. Raises AuthenticationFailed (401)."""
        user = queries.signed_in(
            session_id=str(validated_token.get(services.SESSION_CLAIM)),
            public_id=str(validated_token.get(api_settings.USER_ID_CLAIM)),
            now=timezone.now(),
        )
        bound_to = validated_token.get(api_settings.REVOKE_TOKEN_CLAIM)
        if user is None or bound_to != services.credential_claim(user):
            raise exceptions.AuthenticationFailed("This sign-in has ended. Log in again.", code="sign_in_ended")
        return user


@lru_cache(maxsize=2048)
def _sound(raw_token: bytes) -> Token:
    """A token that was found in order once. What raises is not kept."""
    return JWTAuthentication().get_validated_token(raw_token)


class NotACustomer(Forbidden):
    code = "not_a_customer"
    message = "Only customers can do this."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`request.auth` of a call with an API key."""

    client_id: uuid.UUID
    key_id: str
    name: str
    scopes: frozenset[str]


class ApiKeyAuthentication(BaseAuthentication):
    """`X-API-Key: <key id>.<secret>` of an integrator; acts as the client's service user, within its scopes."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        key = self.key_of(request)
        if not key:
            return None
        client = services.client_by_key(key=key, now=timezone.now())
        if client is None:
            throttle.enforce(throttle.KEY_TRIES, request_context.current().ip)
            raise exceptions.AuthenticationFailed("This API key is not known or was revoked.", code="bad_api_key")
        scopes = frozenset(client.scopes)
        client.user.key_permissions = permissions_of(scopes)
        return client.user, ApiKey(client.pk, client.key_id, client.name, scopes)

    def key_of(self, request: Request) -> str:
        """The key that the request brings, or empty."""
        return request.headers.get("X-API-Key", "")


class BasicKeyAuthentication(ApiKeyAuthentication):
    """The same key as HTTP Basic: its id as the user and its secret as the password."""

    def key_of(self, request: Request) -> str:
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return ""
        try:
            key_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except ValueError:
            # Basic, but unreadable: the key of nobody.
            return "."
        return f"{key_id}.{secret}"


class PortalSessionAuthentication(SessionAuthentication):
    """The browser session, with CSRF protection; lets the API pages be tried by somebody logged in."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is not None and queries.lacks_second_factor(found[0]):
            raise exceptions.PermissionDenied("Set up two-step verification first.", code="second_factor_not_set_up")
        return found


class ScopedKeys(BasePermission):
    """With an API key one may read what is the client's own, and do what the view's `key_scope` names; nothing else."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, ApiKey) and request.method not in SAFE_METHODS:
            require_scope(request, getattr(view, "key_scope", ""))
        return True


class Customers(BasePermission):
    """What only a customer does: staff and service users are told so before anything is written."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method not in SAFE_METHODS and not queries.portal_standing(request.user).is_customer:
            raise NotACustomer
        return True


# `permission_classes` of operations for customers.
FOR_CUSTOMERS = (IsAuthenticated, ScopedKeys, Customers)


def require_scope(request: Request, scope: str) -> None:
    """Raise ScopeMissing unless the call came with an API key that has the scope."""
    if not isinstance(request.auth, ApiKey) or scope not in request.auth.scopes:
        raise ScopeMissing(data={"scope": scope} if scope else {})


class JwtScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    target_class = JwtAuthentication
    name = "bearerToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class BasicKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    target_class = BasicKeyAuthentication
    name = "keyIdAndSecret"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic", "description": "The two halves of an API key: its id, its secret."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    target_class = PortalSessionAuthentication
    name = "browserSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "session"}
