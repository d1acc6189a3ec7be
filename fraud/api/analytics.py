"""Risk scores: decisions with filters, and how their scores are spread."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from common.rest import ProblemSerializer
from fraud.api.base import DECIDE, READ_PROBLEMS, SCORE, FraudView
from fraud.api.readers import TRANSACTION, reader
from fraud.filters import DecisionFilter
from fraud.models import Decision
from fraud.queries import transactions
from fraud.rules.facts import Channel, Outcome, RiskLevel, TransferType
from fraud.rules.learning.layers import LayerName
from fraud.serializers import RiskScoresOut

USUAL_PERIOD = timedelta(days=30)


class _Pages(CursorPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = ("-at", "-id")


_EXAMPLE = {
    "next": None,
    "previous": None,
    "summary": {
        "count": 3,
        "outcomes": {"APPROVED": 2, "FLAGGED": 1, "BLOCKED": 0},
        "levels": {"SAFE": 2, "SUSPICIOUS": 1, "CRITICAL": 0},
        "tenths": [1, 1, 0, 0, 0, 0, 1, 0, 0, 0],
    },
    "results": [TRANSACTION],
}


class RiskScores(FraudView):
    read_scopes = (SCORE, DECIDE)

    @extend_schema(
        operation_id="analytics_risk_scores",
        summary="List decisions with their scores, newest first",
        description="A key sees what its gateway asked about, with `fraud:decide` the bank's payments too. The last 30 "
        "days unless `since` says otherwise; follow `next` for more.",
        tags=["analytics"],
        parameters=[
            OpenApiParameter("since", datetime, description="From this moment on."),
            OpenApiParameter("until", datetime, description="Before this moment."),
            OpenApiParameter("outcome", enum=[each.value for each in Outcome]),
            OpenApiParameter("level", enum=[each.value for each in RiskLevel]),
            OpenApiParameter("score_from", float),
            OpenApiParameter("score_to", float),
            OpenApiParameter("transfer_type", enum=[each.value for each in TransferType]),
            OpenApiParameter("channel", enum=[each.value for each in Channel]),
            OpenApiParameter("currency", description="ISO 4217."),
            OpenApiParameter("primary_method", enum=[each.value for each in LayerName]),
            OpenApiParameter("cursor"),
            OpenApiParameter("page_size", int, description="500 at most."),
        ],
        responses={200: RiskScoresOut, 400: ProblemSerializer, **READ_PROBLEMS},
        examples=[OpenApiExample("Of a day", response_only=True, value=_EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params.dict()
        asked.setdefault("since", (timezone.now() - USUAL_PERIOD).isoformat())
        found = DecisionFilter(asked, queryset=transactions.transactions(reader(request)), request=request)
        if not found.is_valid():
            raise ValidationError(found.errors)
        pages = _Pages()
        page: list[Decision] | None = pages.paginate_queryset(found.qs, request, view=self)
        body: dict[str, Any] = {
            "next": pages.get_next_link(),
            "previous": pages.get_previous_link(),
            "summary": None if "cursor" in asked else transactions.distribution(found.qs),
            "results": page or [],
        }
        return Response(RiskScoresOut(body).data)
