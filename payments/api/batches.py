"""Many transfers in one request."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, key_of
from common.errors import DomainError
from common.rest import MoneyTextField, ProblemSerializer, problem
from common.shapes import Shape
from payments import queries, services
from payments.api.base import caller
from payments.api.transactions import PROBLEMS, TAGS, MoneyView
from payments.models import BulkFile, Channel, Payment
from payments.rules.requests import client_id_of
from payments.serializers import PaymentOut


class BatchItemIn(Shape[Any]):
    payee_number = serializers.CharField(max_length=40, help_text="An account number of this bank, or an IBAN.")
    payee_name = serializers.CharField(max_length=140, help_text="Compared with the account's holder.")
    amount = MoneyTextField()
    currency = serializers.CharField(max_length=3, required=False, default="", help_text="Must be the account's own.")
    description = serializers.CharField(max_length=140, required=False, default="", allow_blank=True)


class BatchIn(Shape[Any]):
    debit_account = serializers.UUIDField(help_text="Id of your account; all items are paid from it.")
    mode = serializers.ChoiceField(
        choices=BulkFile.Mode.choices,
        required=False,
        default="EACH",
        help_text="EACH: an item that fails takes no other along. WHOLE: all or nothing.",
    )
    items = serializers.ListField(child=BatchItemIn(), min_length=1, max_length=services.MOST_IN_A_BATCH)
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")
    country = serializers.CharField(max_length=2, required=False, default="", help_text="Sandbox only: pretend place.")


class BatchResultOut(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The item's place in the request, from 0.")
    outcome = serializers.ChoiceField(choices=["COMPLETED", "HELD", "REFUSED", "CANCELLED", "REVERSED", "FAILED"])
    code = serializers.CharField(help_text="Why there is no payment; empty when there is one.")
    detail = serializers.CharField()
    field = serializers.CharField(help_text="The input at fault, or empty.")
    payment = PaymentOut(allow_null=True)


class BatchOut(serializers.Serializer[Any]):
    completed = serializers.IntegerField()
    held = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Refused by the checks or not possible.")
    results = BatchResultOut(many=True)


_FAILED = {
    "index": 1,
    "outcome": "FAILED",
    "code": "unknown_payee",
    "detail": "No account has this number. Check it with the payee.",
    "field": "payee_number",
    "payment": None,
}
_REQUEST = OpenApiExample(
    "Two payments",
    request_only=True,
    value={
        "debit_account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
        "mode": "EACH",
        "items": [
            {"payee_number": "BP17210455678890", "payee_name": "Bob Baker", "amount": "250.00", "description": "Rent"},
            {"payee_number": "BP00000000000000", "payee_name": "Nobody", "amount": "10.00"},
        ],
        "pin": "4826",
    },
)


class Batch(MoneyView):
    serializer = BatchIn

    @extend_schema(
        operation_id="transactions_batch",
        summary="Make many transfers at once",
        description=f"Up to {services.MOST_IN_A_BATCH} items, counted, screened and posted in their order, each with a "
        "result of its own. With `mode` WHOLE a list of which one item cannot be made answers 409 `whole_refused` with "
        "the results in `data`, and no money moves; held items count as made. The Idempotency-Key covers the list.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=BatchIn,
        responses={
            201: BatchOut,
            **PROBLEMS,
            409: OpenApiResponse(ProblemSerializer, description="`whole_refused`, `account_frozen`, …"),
        },
        examples=[
            _REQUEST,
            OpenApiExample(
                "One of two",
                response_only=True,
                status_codes=["201"],
                value={"completed": 0, "held": 0, "failed": 1, "results": [_FAILED]},
            ),
        ],
    )
    def post(self, request: Request) -> HttpResponseBase:
        return super().post(request)

    def answer(self, request: Request, facts: dict[str, Any]) -> Response:
        actor, key = caller(request), key_of(request)
        items = [
            services.BatchItem(client_id=client_id_of(customer=actor.public_id, key=f"{key}#{index}"), **item)
            for index, item in enumerate(facts["items"])
        ]
        submit = services.submit_all_within if facts["mode"] == "WHOLE" else services.submit_each_within
        outcomes = submit(
            actor=actor,
            debit_account_id=facts["debit_account"],
            items=items,
            channel=Channel.API,
            country=services.location(facts["country"]),
            now=timezone.now(),
        )
        body = dict(BatchOut(_document(outcomes)).data)
        if facts["mode"] == "WHOLE" and services.nothing_made(outcomes):
            detail = "Nothing was paid, because some of the payments cannot be made."
            return problem(409, code="whole_refused", detail=detail, data=body)
        return Response(body, status=201)


def _document(outcomes: list[Payment | DomainError]) -> dict[str, Any]:
    results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
    kinds = [result["outcome"] for result in results]
    completed, held = kinds.count("COMPLETED"), kinds.count("HELD")
    return {"completed": completed, "held": held, "failed": len(kinds) - completed - held, "results": results}


def _result(index: int, outcome: Payment | DomainError) -> dict[str, Any]:
    if isinstance(outcome, Payment):
        payment = queries.slip(outcome)
        nothing = {"code": outcome.refusal_code, "detail": outcome.refusal_text, "field": ""}
        return {"index": index, "outcome": outcome.status, **nothing, "payment": payment}
    return {
        "index": index,
        "outcome": "FAILED",
        "code": outcome.error_code,
        "detail": outcome.text,
        "field": outcome.field or "",
        "payment": None,
    }
