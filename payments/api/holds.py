"""The API of holds, for integrators with the scope `holds:write`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common import throttle
from common.rest import ApiView, MoneyTextField, Page, ProblemSerializer
from identity.authentication import ApiKey, require_scope
from identity.models import ApiClient
from payments import queries, services
from payments.api.base import caller
from payments.models import IntegratorHold
from payments.rules.requests import client_id_of

TAGS = ["holds"]
_NOT_FOUND = OpenApiResponse(ProblemSerializer, description="`hold_not_found`; also another client's.")
_FORBIDDEN = OpenApiResponse(ProblemSerializer, description="`scope_missing`: needs an API key with `holds:write`.")
_OVER = OpenApiResponse(
    ProblemSerializer, description="`hold_over`, `hold_exceeded`, `limit_exceeded`, `account_frozen`"
)


class HoldIn(serializers.Serializer[Any]):
    account_number = serializers.CharField(max_length=40)
    amount = MoneyTextField()
    currency = serializers.CharField(max_length=3, required=False, default="", help_text="Must be the account's own.")
    description = serializers.CharField(max_length=140, required=False, default="", allow_blank=True)
    hours = serializers.IntegerField(
        min_value=1, max_value=720, required=False, default=168, help_text="How long it lasts; a week unless told."
    )


class PostHoldIn(serializers.Serializer[Any]):
    amount = MoneyTextField(required=False, help_text="A part of what is reserved; leave it out to take all of it.")


class HoldOut(serializers.Serializer[IntegratorHold]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=IntegratorHold.Status.choices)
    amount = MoneyTextField()
    posted_amount = MoneyTextField(source="payment.amount", allow_null=True, default=None)
    currency = serializers.CharField()
    description = serializers.CharField()
    payment = serializers.UUIDField(source="payment_id", allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


_HOLD: dict[str, Any] = {
    "id": "0c6d5f0e-7a55-4be3-9a53-8f0b1c5d2e77",
    "status": "ACTIVE",
    "amount": "120.00",
    "posted_amount": None,
    "currency": "EUR",
    "description": "Hotel, two nights",
    "payment": None,
    "created_at": "2026-11-21T10:15:00Z",
    "expires_at": "2026-11-28T10:15:00Z",
    "ended_at": None,
}
_EXAMPLE = OpenApiExample("Reserved", response_only=True, value=_HOLD)


def _integrator(request: Request) -> services.Integrator:
    require_scope(request, ApiClient.Scope.HOLDS_WRITE)
    assert isinstance(request.auth, ApiKey), "the scope is a key's"
    return services.Integrator(caller(request), request.auth.client_id, request.auth.scopes)


class _HoldView(ApiView):
    key_scope = ApiClient.Scope.HOLDS_WRITE
    throttle_classes = (throttle.by_user(throttle.KEY_DEPOSITS),)


class Holds(_HoldView):
    @extend_schema(
        operation_id="holds_list",
        summary="List the holds of your API client, newest first",
        tags=TAGS,
        parameters=[OpenApiParameter("page", int), OpenApiParameter("page_size", int)],
        responses={200: HoldOut(many=True), 401: ProblemSerializer},
        examples=[_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        pages = Page()
        page: list[IntegratorHold] | None = pages.paginate_queryset(
            queries.integrator_holds_for(caller(request)), request, view=self
        )
        return pages.get_paginated_response(HoldOut(page or [], many=True).data)

    @extend_schema(
        operation_id="holds_create",
        summary="Reserve money on a customer's account",
        description="It stays in the account and is not available until you post it, void it, or it expires. The "
        "customer is told.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=HoldIn,
        responses={
            201: HoldOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: _FORBIDDEN,
            404: OpenApiResponse(ProblemSerializer, description="`account_not_found`"),
            409: OpenApiResponse(
                ProblemSerializer, description="`insufficient_funds`, `limit_exceeded`, `account_frozen`"
            ),
            422: ProblemSerializer,
            429: ProblemSerializer,
        },
        examples=[
            OpenApiExample(
                "A hotel",
                request_only=True,
                value={"account_number": "BP42123456789012", "amount": "120.00", "description": "Hotel, two nights"},
            ),
            _EXAMPLE,
        ],
    )
    def post(self, request: Request) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        integrator = _integrator(request)
        body = HoldIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, integrator, dict(body.validated_data))

    @idempotent
    def once(self, request: Request, integrator: services.Integrator, facts: dict[str, Any]) -> Response:
        key = client_id_of(customer=integrator.user.public_id, key=request.headers["Idempotency-Key"])
        hold = services.place_hold_within(integrator=integrator, client_id=key, now=timezone.now(), **facts)
        return Response(HoldOut(hold).data, status=201)


class HoldEntry(_HoldView):
    @extend_schema(
        operation_id="holds_retrieve",
        summary="One hold of your API client",
        tags=TAGS,
        responses={200: HoldOut, 401: ProblemSerializer, 404: _NOT_FOUND},
        examples=[_EXAMPLE],
    )
    def get(self, request: Request, hold_id: UUID) -> Response:
        return Response(HoldOut(queries.get_integrator_hold_for(actor=caller(request), hold_id=hold_id)).data)


class PostHold(_HoldView):
    @extend_schema(
        operation_id="holds_post",
        summary="Take what is reserved, all or a part",
        description="Once: the rest is available to the customer again.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=PostHoldIn,
        responses={
            200: HoldOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: _FORBIDDEN,
            404: _NOT_FOUND,
            409: _OVER,
            422: ProblemSerializer,
        },
        examples=[
            OpenApiExample("A part", request_only=True, value={"amount": "95.00"}),
            OpenApiExample(
                "Posted",
                response_only=True,
                value=_HOLD
                | {
                    "status": "POSTED",
                    "posted_amount": "95.00",
                    "payment": "6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10",
                    "ended_at": "2026-11-22T09:00:00Z",
                },
            ),
        ],
    )
    def post(self, request: Request, hold_id: UUID) -> HttpResponseBase:
        assert request._request.body is not None
        integrator = _integrator(request)
        body = PostHoldIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, integrator, hold_id, body.validated_data.get("amount"))

    @idempotent
    def once(self, request: Request, integrator: services.Integrator, hold_id: UUID, amount: str | None) -> Response:
        hold = services.post_hold_within(integrator=integrator, hold_id=hold_id, amount=amount, now=timezone.now())
        return Response(HoldOut(hold).data)


class VoidHold(_HoldView):
    @extend_schema(
        operation_id="holds_void",
        summary="Give a hold up",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: HoldOut, 401: ProblemSerializer, 403: _FORBIDDEN, 404: _NOT_FOUND, 409: _OVER},
        examples=[OpenApiExample("Voided", response_only=True, value=_HOLD | {"status": "VOIDED"})],
    )
    def post(self, request: Request, hold_id: UUID) -> HttpResponseBase:
        return self.once(request, _integrator(request), hold_id)

    @idempotent
    def once(self, request: Request, integrator: services.Integrator, hold_id: UUID) -> Response:
        hold = services.void_hold_within(integrator=integrator, hold_id=hold_id, now=timezone.now())
        return Response(HoldOut(hold).data)
