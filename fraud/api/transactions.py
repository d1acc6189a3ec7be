"""Transactions that wait for a person, and the decisions about them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.rest import Page, ProblemSerializer
from fraud import services
from fraud.api.base import DECIDE, PROBLEMS, READ_PROBLEMS, SCORE, TAGS, FraudView, caller
from fraud.api.readers import TRANSACTION, reader
from fraud.models import Decision
from fraud.queries import transactions
from fraud.serializers import DecisionIn, RejectionIn, TransactionOut

_NOT_FOUND = OpenApiResponse(ProblemSerializer, description="`transaction_not_found`; also another gateway's.")
_DECIDING_PROBLEMS = {
    **PROBLEMS,
    403: OpenApiResponse(ProblemSerializer, description="`scope_missing`, `permission_missing`, `own_case`"),
    404: _NOT_FOUND,
    422: OpenApiResponse(ProblemSerializer, description="`checklist_open`: `data.missing` names what is left."),
    409: OpenApiResponse(
        ProblemSerializer, description="`case_already_decided`, `case_taken`, or what stands in the payment's way."
    ),
}
_HELD = OpenApiExample("Held", response_only=True, value=TRANSACTION)
_WHY = OpenApiExample(
    "Why",
    request_only=True,
    value={"reason": "The customer confirmed it by telephone.", "checked": ["history", "links", "customer"]},
)


class Pending(FraudView):
    read_scopes = (DECIDE,)

    @extend_schema(
        operation_id="fraud_transactions_pending",
        summary="List what waits for a person, the longest waiting first",
        description="The bank's payments and what this gateway asked about. BLOCKED ones were refused: deciding them "
        "only says whether that was right.",
        tags=TAGS,
        parameters=[OpenApiParameter("page", int), OpenApiParameter("page_size", int)],
        responses={200: TransactionOut(many=True), **READ_PROBLEMS},
        examples=[_HELD],
    )
    def get(self, request: Request) -> Response:
        pages = Page()
        found = transactions.pending(reader(request))
        page: list[Decision] | None = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response([TransactionOut.show(one) for one in page or []])


class TransactionEntry(FraudView):
    read_scopes = (SCORE, DECIDE)

    @extend_schema(
        operation_id="fraud_transactions_retrieve",
        summary="A transaction and how it stands now",
        tags=TAGS,
        responses={200: TransactionOut, 404: _NOT_FOUND, **READ_PROBLEMS},
        examples=[_HELD],
    )
    def get(self, request: Request, transaction_id: UUID) -> Response:
        found = transactions.get_transaction(reader(request), transaction_id=transaction_id)
        return Response(TransactionOut.show(found))


class _Deciding(FraudView):
    key_scope = DECIDE
    write_permission = "fraud_decide"
    decision: services.CaseDecision
    body: type[DecisionIn]

    def answer(self, request: Request, transaction_id: UUID) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        body = self.body(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, transaction_id, dict(body.validated_data))

    @idempotent
    def once(self, request: Request, transaction_id: UUID, told: dict[str, Any]) -> Response:
        sees = reader(request)
        services.decide_case(
            actor=caller(request),
            case_id=transactions.case_of(sees, transaction_id=transaction_id),
            decision=self.decision,
            now=timezone.now(),
            **told,
        )
        return Response(TransactionOut.show(transactions.get_transaction(sees, transaction_id=transaction_id)))


_DECIDED: dict[str, Any] = TRANSACTION | {"decided_at": "2026-11-21T10:31:00Z"}


class Approve(_Deciding):
    decision = services.CaseDecision.RELEASE
    body = DecisionIn

    @extend_schema(
        operation_id="fraud_transactions_approve",
        summary="Approve a transaction that waits",
        description="A payment of this bank moves its money at once; a gateway reads the new status. Says too, for "
        "learning, that it was no fraud. Nobody decides a payment of their own.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=DecisionIn,
        responses={200: TransactionOut, **_DECIDING_PROBLEMS},
        examples=[_WHY, OpenApiExample("Approved", response_only=True, value=_DECIDED | {"status": "APPROVED"})],
    )
    def post(self, request: Request, transaction_id: UUID) -> HttpResponseBase:
        return self.answer(request, transaction_id)


class Reject(_Deciding):
    decision = services.CaseDecision.DECLINE
    body = RejectionIn

    @extend_schema(
        operation_id="fraud_transactions_reject",
        summary="Reject a transaction that waits",
        description="A payment of this bank gives the reserved money back; a gateway reads the new status. Says too, "
        "for learning, that it was fraud.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=RejectionIn,
        responses={200: TransactionOut, **_DECIDING_PROBLEMS},
        examples=[_WHY, OpenApiExample("Rejected", response_only=True, value=_DECIDED | {"status": "REJECTED"})],
    )
    def post(self, request: Request, transaction_id: UUID) -> HttpResponseBase:
        return self.answer(request, transaction_id)
