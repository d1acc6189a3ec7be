"""Asking for a loan and accepting the offer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.rest import ApiView, ProblemSerializer
from identity import services as identity
from identity.authentication import FOR_CUSTOMERS
from loans import queries, services
from loans.serializers import AcceptIn, ApplyIn, LoanApplicationOut, LoanOut, parts_of

TAGS = ["loans"]
NOT_FOUND = OpenApiResponse(ProblemSerializer, description="There is none, or it is not yours.")
PROBLEMS = {
    400: ProblemSerializer,
    401: ProblemSerializer,
    403: ProblemSerializer,
    404: NOT_FOUND,
    409: ProblemSerializer,
    422: ProblemSerializer,
}
_WISH = OpenApiExample(
    "A bicycle",
    request_only=True,
    value={
        "product": "PERSONAL",
        "amount": "2500.00",
        "instalments": 24,
        "purpose": "A bicycle",
        "account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
        "employment": "EMPLOYED",
        "income": "3100.00",
        "obligations": "850.00",
    },
)


class Applications(ApiView):
    permission_classes = FOR_CUSTOMERS

    @extend_schema(
        operation_id="loans_applications_list",
        summary="List your loan applications",
        tags=TAGS,
        responses={200: LoanApplicationOut(many=True), 401: ProblemSerializer, 403: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        sent = queries.own_applications(request.user).exclude(submitted_at=None)
        return Response(LoanApplicationOut(sent, many=True).data)

    @extend_schema(
        operation_id="loans_apply",
        summary="Ask for a loan",
        description="Decided at once where the policy can: `status` is APPROVED, REFERRED to an officer, or DECLINED with reasons.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=ApplyIn,
        responses={201: LoanApplicationOut, **PROBLEMS},
        examples=[_WISH],
    )
    @idempotent
    def post(self, request: Request) -> HttpResponseBase:
        body = ApplyIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts, now = body.validated_data, timezone.now()
        draft = services.save_wish_within(
            actor=request.user,
            product_code=facts["product"],
            amount=facts["amount"],
            instalments=facts["instalments"],
            purpose=facts["purpose"],
            parts=parts_of(facts),
            now=now,
        )
        services.save_means_within(
            actor=request.user,
            application_id=draft.pk,
            account_id=facts["account"],
            employment=facts["employment"],
            income=facts["income"],
            obligations=facts["obligations"],
            now=now,
        )
        application = services.submit_within(actor=request.user, application_id=draft.pk, now=now)
        return Response(LoanApplicationOut(application).data, status=201)


class ApplicationEntry(ApiView):
    @extend_schema(
        operation_id="loans_application",
        summary="Look at one application",
        tags=TAGS,
        responses={200: LoanApplicationOut, 401: ProblemSerializer, 404: NOT_FOUND},
    )
    def get(self, request: Request, loan_application_id: UUID) -> Response:
        application = queries.get_application_for(actor=request.user, application_id=loan_application_id)
        return Response(LoanApplicationOut(application).data)


class Accept(ApiView):
    @extend_schema(
        operation_id="loans_accept",
        summary="Accept an offer and get the money",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=AcceptIn,
        responses={201: LoanOut, **PROBLEMS},
        examples=[OpenApiExample("With your PIN", request_only=True, value={"pin": "4826"})],
    )
    def post(self, request: Request, loan_application_id: UUID) -> HttpResponseBase:
        # The PIN is checked in a transaction of its own, so that a wrong try counts; the body is kept for the record.
        assert request._request.body is not None
        body = AcceptIn(data=request.data)
        body.is_valid(raise_exception=True)
        queries.get_application_for(actor=request.user, application_id=loan_application_id)
        identity.verify_pin(actor=request.user, pin=body.validated_data["pin"], now=timezone.now())
        return self.once(request, loan_application_id)

    @idempotent
    def once(self, request: Request, loan_application_id: UUID) -> Response:
        loan = services.accept_offer_within(actor=request.user, application_id=loan_application_id, now=timezone.now())
        answer: dict[str, Any] = LoanOut(loan).data
        return Response(answer, status=201)
