"""Products and quotes: open to everybody, nothing is stored."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from common import throttle
from common.rest import ApiView, ProblemSerializer
from loans import queries, services
from loans.serializers import LoanProductOut, QuoteIn, QuoteOut, parts_of, quote_facts

TAGS = ["loans"]
_INVALID = OpenApiResponse(ProblemSerializer, description="An input is out of the product's range; `errors` names it.")


class Products(ApiView):
    # What the bank lends is on its front page too.
    authentication_classes: tuple[Any, ...] = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="loans_products",
        summary="List what the bank lends",
        tags=TAGS,
        auth=[],
        responses={200: LoanProductOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        return Response(LoanProductOut(queries.open_products(), many=True).data)


class Quote(ApiView):
    # A price asked for is nobody's secret; a limit for each address keeps it from being a burden.
    authentication_classes: tuple[Any, ...] = ()
    permission_classes = (AllowAny,)
    throttle_classes = (throttle.by_address(throttle.LOAN_QUOTES),)

    @extend_schema(
        operation_id="loans_quote",
        summary="Ask what a loan would cost",
        description="Schedule, total and APR as if it were paid out today. Nothing is stored.",
        tags=TAGS,
        auth=[],
        request=QuoteIn,
        responses={200: QuoteOut, 400: ProblemSerializer, 404: ProblemSerializer, 422: _INVALID},
        examples=[
            OpenApiExample(
                "Ten thousand over three years",
                request_only=True,
                value={"product": "PERSONAL", "amount": "10000.00", "instalments": 36},
            ),
            OpenApiExample(
                "A house, paid out as it grows",
                request_only=True,
                value={
                    "product": "HOME",
                    "amount": "200000.00",
                    "instalments": 240,
                    "later_parts": [
                        {"after_months": 3, "amount": "60000.00"},
                        {"after_months": 8, "amount": "40000.00"},
                    ],
                },
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        body = QuoteIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts = body.validated_data
        product = queries.get_product(facts["product"])
        offer = services.quote(
            product=product,
            amount=facts["amount"],
            instalments=facts["instalments"],
            rate=facts.get("annual_rate", queries.rate_span(product)[0]),
            day=timezone.now().date(),
            parts=parts_of(facts),
        )
        return Response(QuoteOut(quote_facts(product.code, offer)).data)
