"""Rules: read them, draft one, try it on the past. A person of the bank puts it live."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.rest import Page, ProblemSerializer
from fraud import services
from fraud.api.base import CONFIGURE, PROBLEMS, READ_PROBLEMS, TAGS, FraudView, caller
from fraud.models import Backtest, Rule, RuleState
from fraud.queries import configuration
from fraud.serializers import BacktestIn, BacktestOut, RuleIn, RuleOut

_NO_RULE = OpenApiResponse(ProblemSerializer, description="`rule_not_found`")
_ASKED: dict[str, Any] = {
    "code": "NIGHT_CARDS",
    "name": "Many card payments at night",
    "condition": {
        "all": [
            {"feature": "transfer_type", "op": "==", "value": "CARD"},
            {"feature": "is_night", "op": "==", "value": True},
            {"feature": "txn_count_1hour", "op": ">", "value": 5},
        ]
    },
    "action": "FLAG",
    "customer_text": "You paid by card unusually often tonight.",
}
_RULE: dict[str, Any] = {
    "id": "1f0a5f37-6d5a-4f2b-8f43-0b54a4f9e8b1",
    **_ASKED,
    "version": 1,
    "sentence": "Kind of payment is card payment, and at night, and more than 5 transfers in one hour",
    "state": "DRAFT",
    "created_at": "2026-11-21T10:15:00Z",
    "live_at": None,
    "retired_at": None,
}
_PERIOD = {"from_at": "2026-08-01T00:00:00Z", "to_at": "2026-11-01T00:00:00Z"}
_BACKTEST: dict[str, Any] = {
    "id": "7a3c1b52-50be-4d0d-a1a0-52c0d3b5a0e9",
    "rule": _RULE["id"],
    **_PERIOD,
    "requested_at": "2026-11-21T10:20:00Z",
    "decisions_total": 61240,
    "decisions_done": 61240,
    "percent": 100,
    "finished_at": "2026-11-21T10:20:09Z",
    "error": "",
    "result": {
        "decisions": 61240,
        "hits": 118,
        "hits_fraud": 31,
        "hits_honest": 52,
        "frauds": 240,
        "precision": 0.37,
        "recall": 0.13,
        "saved_minor": 812500,
        "customers_bothered": 80,
        "overlap": {"VELOCITY": 44},
    },
}
_TRIED = OpenApiExample("Finished", response_only=True, value=_BACKTEST)
_PAGES = [OpenApiParameter("page", int), OpenApiParameter("page_size", int)]


class _Configuring(FraudView):
    read_scopes = (CONFIGURE,)
    key_scope = CONFIGURE
    write_permission = "fraud_edit_rules"


class Rules(_Configuring):
    @extend_schema(
        operation_id="fraud_rules_list",
        summary="List the rules with all their versions",
        tags=TAGS,
        parameters=[OpenApiParameter("state", enum=RuleState.values), *_PAGES],
        responses={200: RuleOut(many=True), 400: ProblemSerializer, **READ_PROBLEMS},
        examples=[OpenApiExample("A draft", response_only=True, value=_RULE)],
    )
    def get(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        if state and state not in RuleState.values:
            raise ValidationError({"state": f"Choose one of: {', '.join(RuleState.values)}."})
        pages = Page()
        page: list[Rule] | None = pages.paginate_queryset(configuration.rules(state=state), request, view=self)
        return pages.get_paginated_response(RuleOut(page or [], many=True).data)

    @extend_schema(
        operation_id="fraud_rules_create",
        summary="Draft a rule",
        description="It decides nothing: a person of the bank submits it and another puts it live in the back office.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=RuleIn,
        responses={201: RuleOut, **PROBLEMS},
        examples=[
            OpenApiExample("At night", request_only=True, value=_ASKED),
            OpenApiExample("A draft", response_only=True, value=_RULE),
        ],
    )
    def post(self, request: Request) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        body = RuleIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, dict(body.validated_data))

    @idempotent
    def once(self, request: Request, told: dict[str, Any]) -> Response:
        rule = services.draft_rule(actor=caller(request), now=timezone.now(), **told)
        return Response(RuleOut(rule).data, status=201)


class RuleEntry(_Configuring):
    @extend_schema(
        operation_id="fraud_rules_retrieve",
        summary="One version of a rule",
        tags=TAGS,
        responses={200: RuleOut, 404: _NO_RULE, **READ_PROBLEMS},
        examples=[OpenApiExample("A draft", response_only=True, value=_RULE)],
    )
    def get(self, request: Request, rule_id: UUID) -> Response:
        return Response(RuleOut(configuration.get_rule(rule_id=rule_id)).data)


class Backtests(_Configuring):
    @extend_schema(
        operation_id="fraud_backtests_list",
        summary="List what was tried with a rule, the latest first",
        tags=TAGS,
        parameters=_PAGES,
        responses={200: BacktestOut(many=True), 404: _NO_RULE, **READ_PROBLEMS},
        examples=[_TRIED],
    )
    def get(self, request: Request, rule_id: UUID) -> Response:
        pages = Page()
        found = configuration.backtests_of(rule_id=rule_id)
        page: list[Backtest] | None = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(BacktestOut(page or [], many=True).data)

    @extend_schema(
        operation_id="fraud_backtests_create",
        summary="Try a rule on the decisions of a period",
        description="A worker does it; read its progress and its result at the address of the backtest.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=BacktestIn,
        responses={202: BacktestOut, 404: _NO_RULE, **PROBLEMS},
        examples=[
            OpenApiExample("Three months", request_only=True, value=_PERIOD),
            OpenApiExample(
                "Asked for",
                response_only=True,
                status_codes=["202"],
                value=_BACKTEST
                | {"decisions_total": 0, "decisions_done": 0, "percent": 0, "finished_at": None, "result": None},
            ),
        ],
    )
    def post(self, request: Request, rule_id: UUID) -> HttpResponseBase:
        assert request._request.body is not None
        body = BacktestIn(data=request.data)
        body.is_valid(raise_exception=True)
        return self.once(request, rule_id, dict(body.validated_data))

    @idempotent
    def once(self, request: Request, rule_id: UUID, period: dict[str, Any]) -> Response:
        asked = services.request_backtest(actor=caller(request), rule_id=rule_id, now=timezone.now(), **period)
        return Response(BacktestOut(asked).data, status=202)


class BacktestEntry(_Configuring):
    @extend_schema(
        operation_id="fraud_backtests_retrieve",
        summary="How far a backtest is, and its result",
        tags=TAGS,
        responses={
            200: BacktestOut,
            404: OpenApiResponse(ProblemSerializer, description="`backtest_not_found`"),
            **READ_PROBLEMS,
        },
        examples=[_TRIED],
    )
    def get(self, request: Request, rule_id: UUID, backtest_id: UUID) -> Response:
        return Response(BacktestOut(configuration.get_backtest(rule_id=rule_id, backtest_id=backtest_id)).data)
