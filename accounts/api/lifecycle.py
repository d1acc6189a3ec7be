"""Waking an account that sleeps, through the API."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries, services
from accounts.api.accounts import TAGS
from accounts.serializers import AccountOut, ReactivateIn
from common import throttle
from common.rest import ApiView, ProblemSerializer


class Reactivate(ApiView):
    throttle_classes = (throttle.by_user(throttle.TRANSFERS),)

    @extend_schema(
        operation_id="accounts_reactivate",
        summary="Reactivate a dormant account",
        description="An account that its owner has not used for a long time lets no money out until this.",
        tags=TAGS,
        request=ReactivateIn,
        responses={
            200: AccountOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: OpenApiResponse(ProblemSerializer, description="`pin_locked`"),
            404: OpenApiResponse(ProblemSerializer, description="`unknown_account`"),
            409: OpenApiResponse(
                ProblemSerializer, description="`status_not_allowed`: it is not dormant; `pin_not_set`"
            ),
            422: OpenApiResponse(ProblemSerializer, description="`wrong_pin`"),
            429: ProblemSerializer,
        },
        examples=[OpenApiExample("With the PIN", request_only=True, value={"pin": "4826"})],
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        given = ReactivateIn(data=request.data)
        given.is_valid(raise_exception=True)
        queries.get_account_for(actor=request.user, account_id=account_id)
        account = services.reactivate_account(
            actor=request.user, account_id=account_id, pin=given.validated_data["pin"], now=timezone.now()
        )
        return Response(AccountOut(queries.holding_of(account)).data)
