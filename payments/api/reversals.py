"""Taking a completed payment back, by staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.rest import ApiView, MoneyTextField, ProblemSerializer
from payments import services
from payments.api.base import caller
from payments.api.transactions import TAGS
from payments.models import Payment, Status


class ReverseIn(serializers.Serializer[Any]):
    reason = serializers.CharField(
        min_length=3, max_length=2000, help_text="Kept in the audit trail; both sides of the payment read it."
    )


class ReversalOut(serializers.Serializer[Payment]):
    """What was taken back. Who paid whom stays on the payment's own page in the back office."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    amount = MoneyTextField()
    fee = MoneyTextField(help_text="Given back as well.")
    currency = serializers.CharField()
    entry_id = serializers.IntegerField()
    reversal_entry_id = serializers.IntegerField()
    reversed_at = serializers.DateTimeField()


class Reverse(ApiView):
    @extend_schema(
        operation_id="transactions_reverse",
        summary="Take a completed payment back",
        description="For staff who may reverse payments, never for whoever entered the payment or a party to it. Once: "
        "amount and fee go back by an entry that mirrors the first, and both sides are told.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=ReverseIn,
        responses={
            200: ReversalOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: OpenApiResponse(ProblemSerializer, description="`permission_missing`, `four_eyes`"),
            404: OpenApiResponse(ProblemSerializer, description="`payment_not_found`"),
            409: OpenApiResponse(
                ProblemSerializer,
                description="`payment_not_reversible`: not completed, or reversed before; `insufficient_funds`",
            ),
        },
        examples=[
            OpenApiExample(
                "A duplicate", request_only=True, value={"reason": "Paid twice by mistake, see ticket 4711."}
            ),
            OpenApiExample(
                "Reversed",
                response_only=True,
                value={
                    "id": "6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10",
                    "status": "REVERSED",
                    "amount": "250.00",
                    "fee": "0.00",
                    "currency": "EUR",
                    "entry_id": 2611000000000007,
                    "reversal_entry_id": 2611000000000042,
                    "reversed_at": "2026-11-21T10:15:00Z",
                },
            ),
        ],
    )
    def post(self, request: Request, payment_id: UUID) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        body = ReverseIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, payment_id, body.validated_data["reason"])

    @idempotent
    def once(self, request: Request, payment_id: UUID, reason: str) -> Response:
        payment = services.reverse_payment_within(
            actor=caller(request), payment_id=payment_id, reason=reason, now=timezone.now()
        )
        return Response(ReversalOut(payment).data)
