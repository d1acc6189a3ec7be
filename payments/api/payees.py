"""The payees API."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.rest import ApiView, Page, ProblemSerializer
from payments import queries, services
from payments.api.base import caller
from payments.serializers import PayeeIn, PayeeOut

TAGS = ["payees"]
_SAVED = OpenApiExample(
    "A new payee",
    response_only=True,
    value={
        "id": "0a0c9c9e-7b52-4be5-8f0a-6f3f7f0f2f10",
        "name": "Bob Baker",
        "payee_number": "BP17 2104 5567 8890",
        "iban": "",
        "name_check": "MATCH",
        "is_new": True,
        "created_at": "2026-11-21T10:15:00Z",
    },
)
_SAVE = OpenApiExample(
    "An account of this bank",
    request_only=True,
    value={"name": "Bob Baker", "payee_number": "BP17210455678890", "pin": "4826"},
)


class Payees(ApiView):
    @extend_schema(
        operation_id="payees_list",
        summary="List your saved payees, by name",
        tags=TAGS,
        responses={200: PayeeOut(many=True), 401: ProblemSerializer},
        examples=[_SAVED],
    )
    def get(self, request: Request) -> Response:
        pages = Page()
        page = pages.paginate_queryset(queries.payees_for(caller(request), now=timezone.now()), request, view=self)
        return pages.get_paginated_response(PayeeOut(page or [], many=True).data)

    @extend_schema(
        operation_id="payees_create",
        summary="Save a payee",
        description="`name_check` in the answer compares the name with the account's holder: MATCH, CLOSE or NO_MATCH; it "
        "is empty for an account at another bank. For 24 hours a new payee gets a lower limit. Saving a payee twice is "
        "refused with `payee_saved`, so a repeated request does no harm.",
        tags=TAGS,
        request=PayeeIn,
        responses={
            201: PayeeOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            409: ProblemSerializer,
            422: ProblemSerializer,
        },
        examples=[_SAVE, _SAVED],
    )
    def post(self, request: Request) -> Response:
        body = PayeeIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts = dict(body.validated_data)
        now = timezone.now()
        payee = services.save_payee(
            actor=caller(request),
            name=facts["name"],
            number=facts["payee_number"],
            iban=facts["iban"],
            pin=facts["pin"],
            now=now,
        )
        found = queries.get_payee_for(actor=caller(request), payee_id=payee.pk, now=now)
        return Response(PayeeOut(found).data, status=201)


class PayeeEntry(ApiView):
    @extend_schema(
        operation_id="payees_retrieve",
        summary="One saved payee",
        tags=TAGS,
        responses={200: PayeeOut, 401: ProblemSerializer, 404: ProblemSerializer},
        examples=[_SAVED],
    )
    def get(self, request: Request, payee_id: UUID) -> Response:
        found = queries.get_payee_for(actor=caller(request), payee_id=payee_id, now=timezone.now())
        return Response(PayeeOut(found).data)

    @extend_schema(
        operation_id="payees_delete",
        summary="Remove a saved payee",
        tags=TAGS,
        responses={204: None, 401: ProblemSerializer, 404: ProblemSerializer},
    )
    def delete(self, request: Request, payee_id: UUID) -> Response:
        services.remove_payee(actor=caller(request), payee_id=payee_id, now=timezone.now())
        return Response(status=204)
