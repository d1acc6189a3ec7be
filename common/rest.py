"""REST plumbing: problem documents (RFC 9457), the base view, pagination. Only here are errors mapped to HTTP."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers, status
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from common import errors, request_context
from common.money import Money

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.DomainError], int] = {
    errors.NotFound: status.HTTP_404_NOT_FOUND,
    errors.Forbidden: status.HTTP_403_FORBIDDEN,
    errors.Conflict: status.HTTP_409_CONFLICT,
    errors.Invalid: status.HTTP_422_UNPROCESSABLE_ENTITY,
    errors.Unavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
    errors.TooMany: status.HTTP_429_TOO_MANY_REQUESTS,
    errors.Unauthenticated: status.HTTP_401_UNAUTHORIZED,
}
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not acceptable as it is",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


class ProblemSerializer(serializers.Serializer[Any]):
    """The shape of every error answer."""

    type = serializers.CharField(help_text="`about:blank`: the meaning is in `code`.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; programs decide on this.")
    detail = serializers.CharField(help_text="For people; may change.")
    request_id = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField(), required=False, help_text="Field errors.")  # type: ignore[assignment]
    data = serializers.DictField(required=False)  # type: ignore[assignment]


def http_status(error: errors.DomainError) -> int:
    """The HTTP status of a domain error's category."""
    return next(code for kind, code in STATUS.items() if isinstance(error, kind))


def problem(
    http: int,
    *,
    code: str,
    detail: str,
    field_errors: list[dict[str, str]] | None = None,
    data: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document as a DRF response."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(http, "Error"),
        "status": http,
        "code": code,
        "detail": detail,
        "request_id": request_context.current().request_id,
    }
    if field_errors:
        body["errors"] = field_errors
    if data:
        body["data"] = dict(data)
    return Response(body, status=http, headers=dict(headers or {}), content_type="application/problem+json")


def faults(detail: Any, path: str = "") -> list[dict[str, str]]:
    """What DRF's validation found, one row for each field at fault."""
    if isinstance(detail, Mapping):
        return [
            row
            for key, value in detail.items()
            for row in faults(value, f"{path}.{key}" if path and key != "non_field_errors" else (path or str(key)))
        ]
    if isinstance(detail, list | tuple):
        return [row for value in detail for row in faults(value, path)]
    return [
        {
            "field": path or "non_field_errors",
            "code": str(getattr(detail, "code", "invalid")),
            "message": str(detail),
        }
    ]


def problem_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal becomes a problem document; an unforeseen error propagates."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, errors.DomainError):
        set_rollback()
        field = [{"field": exc.field, "code": exc.error_code, "message": exc.text}] if exc.field else None
        unknown = isinstance(exc, errors.Unauthenticated)
        headers = {"WWW-Authenticate": 'Bearer realm="api"'} if unknown else {}
        if "retry_after" in exc.data:
            headers["Retry-After"] = str(exc.data["retry_after"])
        return problem(
            http_status(exc), code=exc.error_code, detail=exc.text, field_errors=field, data=exc.data, headers=headers
        )
    if isinstance(exc, exceptions.ValidationError):
        set_rollback()
        rows = faults(exc.detail)
        return problem(400, code="validation_error", detail="Some fields need another value.", field_errors=rows)
    if isinstance(exc, exceptions.APIException):
        set_rollback()
        headers = {}
        if getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = str(exc.auth_header)  # type: ignore[attr-defined]
        wait = getattr(exc, "wait", None)
        if wait is not None:
            headers["Retry-After"] = str(max(1, round(wait)))
        codes = exc.get_codes()
        code = codes if isinstance(codes, str) else str(exc.default_code)
        detail = exc.detail if isinstance(exc.detail, str) else exc.default_detail
        return problem(exc.status_code, code=code, detail=str(detail), headers=headers)
    if isinstance(exc, OperationalError | InterfaceError):
        logger.exception("database does not answer")
        return problem(503, code="unavailable", detail=errors.Unavailable.message, headers={"Retry-After": "5"})
    return None


class ApiView(APIView):
    """Base of every API operation: one class per operation, authenticated unless the class says why not."""


class Page(PageNumberPagination):
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100


class MoneyTextField(serializers.CharField):
    """An amount as plain decimal text such as `1250.00`; parsed to Money by the view, which knows the currency."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 24)
        kwargs.setdefault("help_text", "Decimal text, for example 250.00.")
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, str | int):
            raise serializers.ValidationError('Send the amount as text, for example "250.00".', code="invalid_amount")
        return str(super().to_internal_value(str(data)))

    def to_representation(self, value: Any) -> str:
        return value.plain if isinstance(value, Money) else str(value)
