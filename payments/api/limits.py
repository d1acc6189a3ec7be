"""The limits API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.money import Money
from common.rest import ApiView, ProblemSerializer
from identity.models import User
from payments import queries, services
from payments.api.base import caller
from payments.models import Channel
from payments.rules.limits import Limits
from payments.serializers import ChannelLimitsOut, LimitsOut, OwnLimitsIn

TAGS = ["limits"]
_USE = {"limit": "25000.00", "bank": "25000.00", "own": None, "used": "120.00"}
_PORTAL = {
    "channel": "PORTAL",
    "currency": "EUR",
    "per_payment": _USE | {"used": "0.00"},
    "daily": _USE,
    "monthly": _USE | {"limit": "100000.00", "bank": "100000.00"},
    "new_payee": _USE | {"limit": "10000.00", "bank": "10000.00", "used": "0.00"},
}


class OwnLimits(ApiView):
    @extend_schema(
        operation_id="limits_list",
        summary="Your limits and what is used of them",
        description="Amounts are in the bank's base currency; payments in another count at the reference rate. `limit` "
        "holds: the smaller of the bank's and your own. Transfers to others and withdrawals count.",
        tags=TAGS,
        responses={200: LimitsOut, 401: ProblemSerializer},
        examples=[OpenApiExample("Both channels", response_only=True, value={"channels": [_PORTAL]})],
    )
    def get(self, request: Request) -> Response:
        channels = [_document(caller(request), channel) for channel in queries.channels_for(caller(request))]
        return Response(LimitsOut({"channels": channels}).data)


class OwnChannelLimits(ApiView):
    @extend_schema(
        operation_id="limits_set",
        summary="Set your own limits for a channel",
        description="Replaces all three; null takes one away, and the bank's limit holds.",
        tags=TAGS,
        parameters=[OpenApiParameter("channel", str, OpenApiParameter.PATH, enum=["PORTAL", "API"])],
        request=OwnLimitsIn,
        responses={
            200: ChannelLimitsOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            404: ProblemSerializer,
            422: ProblemSerializer,
        },
        examples=[
            OpenApiExample(
                "A tighter day",
                request_only=True,
                value={"per_payment": None, "daily": "500.00", "monthly": None, "pin": "4826"},
            ),
            OpenApiExample("As it holds now", response_only=True, value=_PORTAL),
        ],
    )
    def put(self, request: Request, channel: str) -> Response:
        if channel not in queries.LIMITED_CHANNELS:
            raise Http404
        body = OwnLimitsIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts = dict(body.validated_data)
        services.set_own_limits(
            actor=caller(request),
            channel=Channel(channel),
            pin=facts.pop("pin"),
            limits=Limits(**{name: _minor(text, field=name) for name, text in facts.items()}),
            now=timezone.now(),
        )
        return Response(ChannelLimitsOut(_document(caller(request), Channel(channel))).data)


def _minor(text: str | None, *, field: str) -> int | None:
    return None if text is None else Money.parse(text, settings.BASE_CURRENCY, field=field).amount_minor


def _document(actor: User, channel: Channel) -> dict[str, Any]:
    uses = queries.limits_for(actor, channel=channel, now=timezone.now())
    return {"channel": channel, "currency": settings.BASE_CURRENCY, **{use.window.value: use for use in uses}}
