"""What the operations of the fraud API share: who may call them, and the record of each call."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from common import throttle
from common.rest import ApiView, ProblemSerializer
from fraud import services
from identity import services as identity
from identity.authentication import ApiKey, ScopeMissing
from identity.models import ApiClient, User

TAGS = ["fraud"]
SCORE, DECIDE, CONFIGURE = (
    ApiClient.Scope.FRAUD_SCORE,
    ApiClient.Scope.FRAUD_DECIDE,
    ApiClient.Scope.FRAUD_CONFIGURE,
)
READ_PROBLEMS = {
    401: ProblemSerializer,
    403: OpenApiResponse(ProblemSerializer, description="`scope_missing`, `permission_missing`"),
    429: OpenApiResponse(ProblemSerializer, description="Too many requests; wait as `Retry-After` says."),
}
PROBLEMS = {
    400: OpenApiResponse(ProblemSerializer, description="`validation_error`, `idempotency_key_missing`"),
    **READ_PROBLEMS,
    409: OpenApiResponse(ProblemSerializer, description="`request_in_flight`, or a state that does not allow it."),
    422: OpenApiResponse(ProblemSerializer, description="An input cannot be accepted; `errors` names the field."),
}


class FraudView(ApiView):
    """A key needs `key_scope` to write and one of `read_scopes` to read; a person the permission named beside it.

    Without `write_permission` only a key may write. Each call by somebody known is written down.
    """

    read_scopes: tuple[str, ...] = (SCORE, DECIDE, CONFIGURE)
    key_scope: str = ""
    read_permission = "fraud_view"
    write_permission = ""
    throttle_classes = (throttle.by_user(throttle.FRAUD_CALLS),)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        started = perf_counter()
        response: HttpResponseBase | None = None
        try:
            response = super().dispatch(request, *args, **kwargs)
            return response
        finally:
            self._write_down(response, (perf_counter() - started) * 1000)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        reads = request.method in SAFE_METHODS
        if isinstance(request.auth, ApiKey):
            wanted = self.read_scopes if reads else (self.key_scope,)
            if not request.auth.scopes.intersection(wanted):
                raise ScopeMissing(data={"scope": wanted[0]})
            return
        permission = self.read_permission if reads else self.write_permission
        if not permission:
            raise ScopeMissing(data={"scope": self.key_scope})
        identity.require(caller(request), permission)

    def _write_down(self, response: HttpResponseBase | None, latency_ms: float) -> None:
        request = self.request
        # Authenticated already, or refused: asking again would answer a second time.
        user = getattr(request, "_user", None)
        if not isinstance(user, User):
            return
        told = getattr(response, "data", None)
        services.record_call(
            user_id=user.pk,
            client_id=request.auth.client_id if isinstance(request.auth, ApiKey) else None,
            method=str(request.method),
            path=request.path,
            status=response.status_code if response is not None else 500,
            code=str(told.get("code", ""))
            if isinstance(told, dict) and response and response.status_code >= 400
            else "",
            idempotency_key=request.headers.get("Idempotency-Key", ""),
            latency_ms=latency_ms,
            now=timezone.now(),
        )


def caller(request: Request) -> User:
    """The authenticated user; the default permission lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user
