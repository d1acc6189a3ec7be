"""Scoring what an outside gateway asks about."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.rest import ProblemSerializer
from fraud import services
from fraud.api.base import PROBLEMS, SCORE, TAGS, FraudView
from fraud.api.readers import TRANSACTION, gateway, reader
from fraud.queries import transactions
from fraud.rules.gateway import Told
from fraud.serializers import TransactionIn, TransactionOut

ASKED: dict[str, Any] = {
    "transaction_id": "shop-2026-000871",
    "customer_id": "card-77120",
    "beneficiary_id": "terminal-4415",
    "beneficiary_name": "Corner Electronics",
    "amount": "6200.00",
    "currency": "EUR",
    "at": "2026-11-21T10:15:00Z",
    "transfer_type": "CARD",
    "ip": "203.0.113.9",
    "country": "NG",
    "home_country": "DE",
    "device": "a1b2c3",
}


class Analyze(FraudView):
    key_scope = SCORE

    @extend_schema(
        operation_id="fraud_analyze",
        summary="Have one transaction checked",
        description="The verdict is stored; what is FLAGGED or BLOCKED becomes a case. `status` says what to do: carry "
        "out what is APPROVED, hold what is PENDING until a person has decided (read it again at "
        "`/fraud/transactions/{id}`), refuse what is REJECTED. Should the check fail or take longer than two seconds, "
        "the answer is FLAGGED with the reason `NOT_SCREENED`. The same `transaction_id` with the same content gets "
        "the first answer again, with 200.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=TransactionIn,
        responses={
            201: TransactionOut,
            200: OpenApiResponse(TransactionOut, description="Known already, as it stands now."),
            **PROBLEMS,
            409: OpenApiResponse(ProblemSerializer, description="`transaction_id_reused`, `request_in_flight`"),
        },
        examples=[
            OpenApiExample("A card payment abroad", request_only=True, value=ASKED),
            OpenApiExample("Held", response_only=True, status_codes=["201", "200"], value=TRANSACTION),
        ],
    )
    def post(self, request: Request) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        body = TransactionIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, Told(**body.validated_data))

    @idempotent
    def once(self, request: Request, told: Told) -> Response:
        made, known = services.analyze_within(gateway=gateway(request), told=told, now=timezone.now())
        found = transactions.get_transaction(reader(request), transaction_id=made.pk)
        return Response(TransactionOut(found).data, status=200 if known else 201)
