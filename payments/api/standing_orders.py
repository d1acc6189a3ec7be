"""The standing orders API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.rest import ApiView, Page, ProblemSerializer
from identity import services as identity
from identity.models import User
from payments import queries, services
from payments.api.base import caller
from payments.serializers import StandingOrderIn, StandingOrderOut, StandingOrderWithRunsOut

TAGS = ["standing orders"]
_MADE: dict[str, Any] = {
    "id": "3c1f5c55-4f6e-4c0e-9d2b-9d1c0c1f7a33",
    "kind": "TRANSFER",
    "status": "ACTIVE",
    "debit_account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
    "payee_name": "Bob Baker",
    "payee_number": "BP17 2104 5567 8890",
    "name_check": "MATCH",
    "amount": "650.00",
    "currency": "EUR",
    "description": "Rent",
    "unit": "MONTH",
    "every": 1,
    "first_date": "2026-12-31",
    "last_date": None,
    "next_dates": ["2026-12-31", "2027-01-31", "2027-02-28"],
}
_EXAMPLE = OpenApiExample("Rent", response_only=True, value=_MADE)
_CHANGED = {
    200: StandingOrderOut,
    401: ProblemSerializer,
    404: ProblemSerializer,
    409: OpenApiResponse(ProblemSerializer, description="It has ended."),
}


class StandingOrders(ApiView):
    @extend_schema(
        operation_id="standing_orders_list",
        summary="List your standing orders, the next to be paid first",
        tags=TAGS,
        responses={200: StandingOrderOut(many=True), 401: ProblemSerializer},
        examples=[_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        pages = Page()
        page = pages.paginate_queryset(queries.standing_orders_for(caller(request)), request, view=self)
        return pages.get_paginated_response(StandingOrderOut(page or [], many=True).data)

    @extend_schema(
        operation_id="standing_orders_create",
        summary="Set up a standing order or a scheduled transfer",
        description="`unit` ONCE pays on `first_date` only; WEEK and MONTH pay each `every` of them, months on the day of "
        "`first_date` or their last. Name a payee by number and name, an `iban`, or an own account. A day without enough "
        "money is tried again, then reported to the customer; the next day is tried as usual.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=StandingOrderIn,
        responses={
            201: StandingOrderOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
            422: ProblemSerializer,
        },
        examples=[
            OpenApiExample(
                "Rent, each month",
                request_only=True,
                value={
                    "debit_account": _MADE["debit_account"],
                    "payee_number": "BP17210455678890",
                    "payee_name": "Bob Baker",
                    "amount": "650.00",
                    "unit": "MONTH",
                    "every": 1,
                    "first_date": "2026-12-31",
                    "description": "Rent",
                    "pin": "4826",
                },
            ),
            _EXAMPLE,
        ],
    )
    def post(self, request: Request) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        body = StandingOrderIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts = dict(body.validated_data)
        identity.verify_pin(actor=caller(request), pin=facts.pop("pin"), now=timezone.now())
        return self.once(request, facts)

    @idempotent
    def once(self, request: Request, facts: dict[str, Any]) -> Response:
        now = timezone.now()
        draft = services.draft_standing_order(
            actor=caller(request),
            debit_account_id=facts.pop("debit_account"),
            credit_account_id=facts.pop("credit_account"),
            now=now,
            **facts,
        )
        order = services.make_standing_order_within(draft=draft, now=now)
        return Response(StandingOrderOut(queries.standing_order_document(order)).data, status=201)


class StandingOrderEntry(ApiView):
    @extend_schema(
        operation_id="standing_orders_retrieve",
        summary="One standing order, with what became of its days",
        tags=TAGS,
        responses={200: StandingOrderWithRunsOut, 401: ProblemSerializer, 404: ProblemSerializer},
        examples=[
            OpenApiExample(
                "Rent, paid once",
                response_only=True,
                value={
                    **_MADE,
                    "runs": [
                        {
                            "due_date": "2026-11-30",
                            "status": "DONE",
                            "payment": "6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10",
                            "attempts": 1,
                            "failure_code": "",
                            "failure_text": "",
                        }
                    ],
                },
            )
        ],
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        actor = caller(request)
        order = queries.get_standing_order_for(actor=actor, order_id=order_id)
        runs = queries.runs_of(actor=actor, order_id=order_id)
        return Response(StandingOrderWithRunsOut({"order": order, "runs": runs}).data)


class _Change(ApiView):
    """One change of one order; doing it twice does no harm or is refused."""

    def answer(self, actor: User, order_id: UUID) -> Response:
        return Response(StandingOrderOut(queries.get_standing_order_for(actor=actor, order_id=order_id)).data)


class Skip(_Change):
    @extend_schema(
        operation_id="standing_orders_skip",
        summary="Leave the next day out",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=_CHANGED | {400: ProblemSerializer, 422: ProblemSerializer},
        examples=[_EXAMPLE],
    )
    def post(self, request: Request, order_id: UUID) -> HttpResponseBase:
        assert request._request.body is not None
        return self.once(request, order_id)

    @idempotent
    def once(self, request: Request, order_id: UUID) -> Response:
        services.skip_next_run_within(actor=caller(request), order_id=order_id, now=timezone.now())
        return self.answer(caller(request), order_id)


class Pause(_Change):
    @extend_schema(
        operation_id="standing_orders_pause",
        summary="Pay nothing until it is resumed",
        tags=TAGS,
        request=None,
        responses=_CHANGED,
        examples=[_EXAMPLE],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        services.pause_standing_order(actor=caller(request), order_id=order_id, now=timezone.now())
        return self.answer(caller(request), order_id)


class Resume(_Change):
    @extend_schema(
        operation_id="standing_orders_resume",
        summary="Go on with the first day from today on",
        tags=TAGS,
        request=None,
        responses=_CHANGED,
        examples=[_EXAMPLE],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        services.resume_standing_order(actor=caller(request), order_id=order_id, now=timezone.now())
        return self.answer(caller(request), order_id)


class Cancel(_Change):
    @extend_schema(
        operation_id="standing_orders_cancel",
        summary="End it for good",
        tags=TAGS,
        request=None,
        responses=_CHANGED,
        examples=[_EXAMPLE],
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        services.cancel_standing_order(actor=caller(request), order_id=order_id, now=timezone.now())
        return self.answer(caller(request), order_id)
