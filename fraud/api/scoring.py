"""Scoring what an outside gateway asks about."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.errors import DomainError
from common.parsers import allow_long_body
from common.rest import ProblemSerializer, faults
from fraud import services
from fraud.api.base import PROBLEMS, READ_PROBLEMS, SCORE, TAGS, FraudView
from fraud.api.readers import TRANSACTION, gateway, reader
from fraud.queries import transactions
from fraud.rules.gateway import Told
from fraud.serializers import MOST_IN_A_BATCH, ScoreBatchIn, ScoreBatchOut, TransactionIn, TransactionOut

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
        return self.once(request, Told(**TransactionIn.read(request.data)))

    @idempotent
    def once(self, request: Request, told: Told) -> Response:
        made, known = services.analyze_within(gateway=gateway(request), told=told, now=timezone.now())
        found = transactions.get_transaction(reader(request), transaction_id=made.pk)
        return Response(TransactionOut.show(found), status=200 if known else 201)


_TWO = {
    "scored": 1,
    "failed": 1,
    "results": [
        {"index": 0, "transaction": TRANSACTION, "error": None},
        {
            "index": 1,
            "transaction": None,
            "error": {
                "code": "invalid_amount",
                "detail": "Enter an amount such as 250.00.",
                "errors": [{"field": "amount", "code": "invalid_amount", "message": "Enter an amount such as 250.00."}],
            },
        },
    ],
}


class ScoreBatch(FraudView):
    key_scope = SCORE

    @extend_schema(
        operation_id="fraud_score_batch",
        summary="Have many transactions checked",
        description=f"As `/fraud/analyze` for each of up to {MOST_IN_A_BATCH:,}, in their order: a customer's later "
        "transactions know of the earlier ones. One that cannot be read or scored has its error beside its index; the "
        "others are scored. Each is scored once by its `transaction_id`, so a batch may be sent again as a whole, and "
        "needs no Idempotency-Key. What did not fit into 40 seconds has the error `not_scored_in_time`.",
        tags=TAGS,
        request=ScoreBatchIn,
        responses={200: ScoreBatchOut, 400: ProblemSerializer, 413: ProblemSerializer, **READ_PROBLEMS},
        examples=[
            OpenApiExample(
                "Two, one of them wrong",
                request_only=True,
                value={"transactions": [ASKED, ASKED | {"transaction_id": "shop-2026-000872", "amount": "NaN"}]},
            ),
            OpenApiExample("One of two", response_only=True, value=_TWO),
        ],
    )
    def post(self, request: Request) -> Response:
        allow_long_body(request)
        rows = _rows(request.data)
        told, results = _read(rows)
        answers = services.analyze_each(gateway=gateway(request), told=told, now=timezone.now())
        made = {place: each.pk for place, each in answers.items() if not isinstance(each, DomainError)}
        found = transactions.by_id(reader(request), transaction_ids=set(made.values()))
        for place, answer in answers.items():
            if isinstance(answer, DomainError):
                results[place] = _failed(place, answer)
            else:
                shown = TransactionOut.show(found[made[place]])
                results[place] = {"index": place, "transaction": shown, "error": None}
        return Response(
            {
                "scored": len(made),
                "failed": len(rows) - len(made),
                "results": [results[place] for place in range(len(rows))],
            }
        )


def _rows(body: Any) -> list[Any]:
    rows = body.get("transactions") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_IN_A_BATCH:
        raise ValidationError({"transactions": f"Send a list of 1 to {MOST_IN_A_BATCH:,} transactions."})
    return rows


def _read(rows: list[Any]) -> tuple[dict[int, Told], dict[int, dict[str, Any]]]:
    """What can be read, and the answers about the rest, by place."""
    shape = TransactionIn()
    told: dict[int, Told] = {}
    wrong: dict[int, dict[str, Any]] = {}
    for place, row in enumerate(rows):
        try:
            told[place] = Told(**shape.run_validation(row))
        except ValidationError as error:
            fault = {
                "code": "validation_error",
                "detail": "Some fields need another value.",
                "errors": faults(error.detail),
            }
            wrong[place] = {"index": place, "transaction": None, "error": fault}
    return told, wrong


def _failed(place: int, refusal: DomainError) -> dict[str, Any]:
    code, text = refusal.error_code, refusal.text
    errors = [{"field": refusal.field, "code": code, "message": text}] if refusal.field else []
    return {"index": place, "transaction": None, "error": {"code": code, "detail": text, "errors": errors}}
