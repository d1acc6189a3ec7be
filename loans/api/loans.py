"""The caller's loans: state, schedule, paying, and what paying would change."""

from __future__ import annotations

from uuid import NAMESPACE_OID, UUID, uuid5

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common import throttle
from common.money import Money
from common.rest import ApiView, ProblemSerializer
from identity.authentication import FOR_CUSTOMERS
from loans import queries, services
from loans.api.applications import NOT_FOUND, PROBLEMS, TAGS
from loans.serializers import (
    InstalmentOut,
    LoanOut,
    PayoffOut,
    PrepaymentIn,
    PrepaymentOut,
    RepaymentIn,
    RepaymentOut,
    instalment_facts,
    parts_facts,
    repayment_facts,
)


class Loans(ApiView):
    permission_classes = FOR_CUSTOMERS

    @extend_schema(
        operation_id="loans_list",
        summary="List your loans",
        tags=TAGS,
        responses={200: LoanOut(many=True), 401: ProblemSerializer, 403: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        return Response(LoanOut(queries.own_loans(request.user), many=True).data)


class LoanEntry(ApiView):
    @extend_schema(
        operation_id="loans_loan",
        summary="Look at one loan",
        tags=TAGS,
        responses={200: LoanOut, 401: ProblemSerializer, 404: NOT_FOUND},
    )
    def get(self, request: Request, loan_id: UUID) -> Response:
        return Response(LoanOut(queries.get_loan_for(actor=request.user, loan_id=loan_id)).data)


class Schedule(ApiView):
    @extend_schema(
        operation_id="loans_schedule",
        summary="The plan of a loan: what was due, what is paid, what is to come",
        tags=TAGS,
        responses={200: InstalmentOut(many=True), 401: ProblemSerializer, 404: NOT_FOUND},
    )
    def get(self, request: Request, loan_id: UUID) -> Response:
        loan = queries.get_loan_for(actor=request.user, loan_id=loan_id)
        rows = [instalment_facts(row, loan.currency) for row in queries.instalments_of(loan)]
        return Response(InstalmentOut(rows, many=True).data)


class Repayments(ApiView):
    throttle_classes = (throttle.by_user(throttle.TRANSFERS),)

    @extend_schema(
        operation_id="loans_repay",
        summary="Pay for a loan from its account",
        description="With `amount`: first what is due, the rest off the principal. With `payoff`: exactly today's quote. "
        "With neither: what is due.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=RepaymentIn,
        responses={201: RepaymentOut, **PROBLEMS},
        examples=[
            OpenApiExample("Something extra", request_only=True, value={"amount": "500.00"}),
            OpenApiExample(
                "How it was spent",
                response_only=True,
                value={
                    "id": "6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10",
                    "date": "2026-11-21",
                    "loan_status": "ACTIVE",
                    "currency": "EUR",
                    "principal": "488.20",
                    "interest": "11.80",
                    "fees": "0.00",
                    "penalties": "0.00",
                    "total": "500.00",
                },
            ),
        ],
    )
    @idempotent
    def post(self, request: Request, loan_id: UUID) -> HttpResponseBase:
        loan = queries.get_loan_for(actor=request.user, loan_id=loan_id)
        body = RepaymentIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts, now = body.validated_data, timezone.now()
        key = f"{request.user.public_id}:{request.headers['Idempotency-Key']}"
        client_id = uuid5(NAMESPACE_OID, f"loan-repayment:{key}")
        if "payoff" in facts:
            quoted = Money.parse(facts["payoff"], loan.currency, field="payoff").amount_minor
            paid = services.pay_off_within(
                actor=request.user, loan_id=loan_id, quoted_minor=quoted, client_id=client_id, now=now
            )
        elif "amount" in facts:
            paid = services.repay_within(
                actor=request.user, loan_id=loan_id, amount=facts["amount"], client_id=client_id, now=now
            )
        else:
            paid = services.pay_due_within(actor=request.user, loan_id=loan_id, client_id=client_id, now=now)
        return Response(RepaymentOut(repayment_facts(paid.event, paid.loan)).data, status=201)


class PrepaymentQuote(ApiView):
    @extend_schema(
        operation_id="loans_prepayment_quote",
        summary="What an extra payment today would change",
        description="Changes nothing.",
        tags=TAGS,
        request=PrepaymentIn,
        responses={200: PrepaymentOut, **PROBLEMS},
        examples=[OpenApiExample("A thousand more", request_only=True, value={"amount": "1000.00"})],
    )
    def post(self, request: Request, loan_id: UUID) -> Response:
        loan = queries.get_loan_for(actor=request.user, loan_id=loan_id)
        body = PrepaymentIn(data=request.data)
        body.is_valid(raise_exception=True)
        shown = services.what_if(loan=loan, amount=body.validated_data["amount"], now=timezone.now())
        facts = {
            "currency": loan.currency,
            "amount": shown.amount.plain,
            "instalment_before": shown.instalment_before.plain,
            "instalment_after": shown.instalment_after.plain,
            "end_before": shown.end_before,
            "end_after": shown.end_after,
            "instalments_left_before": shown.left_before,
            "instalments_left_after": shown.left_after,
            "interest_saved": shown.interest_saved.plain,
        }
        return Response(PrepaymentOut(facts).data)


class PayoffQuote(ApiView):
    @extend_schema(
        operation_id="loans_payoff_quote",
        summary="What closes the loan today",
        description="Valid for today (UTC). Pay it with `payoff` in POST repayments.",
        tags=TAGS,
        responses={200: PayoffOut, 401: ProblemSerializer, 404: NOT_FOUND, 409: ProblemSerializer},
    )
    def get(self, request: Request, loan_id: UUID) -> Response:
        loan = queries.get_loan_for(actor=request.user, loan_id=loan_id)
        today = max(timezone.now().date(), loan.last_event_date)
        parts = services.payoff_quote(loan=loan, day=today)
        return Response(PayoffOut({"valid_on": today, **parts_facts(parts, loan.currency)}).data)
