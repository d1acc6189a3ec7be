"""The accounts API: what a customer holds, opening, and the products on offer."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries, services
from accounts.filters import AccountFilter
from accounts.models import ProductKind, Status
from accounts.queries import fees
from accounts.rules.funding import FundingKind, FundingSource
from accounts.serializers import AccountOut, BalanceOut, OpenAccountIn, ProductOut
from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common.money import Money
from common.rest import ApiView, Page, ProblemSerializer
from identity.authentication import FOR_CUSTOMERS

TAGS = ["accounts"]
_NOT_FOUND = OpenApiResponse(ProblemSerializer, description="`unknown_account`: there is none, or it is not yours.")
ACCOUNT = OpenApiExample(
    "A current account",
    response_only=True,
    value={
        "id": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
        "number": "BP42123456789012",
        "name": "Current account",
        "product": "CUR-EUR",
        "currency": "EUR",
        "status": "ACTIVE",
        "balance": "1250.00",
        "held": "0.00",
        "available": "1750.00",
        "opened_at": "2026-11-21T10:15:00Z",
        "closed_at": None,
    },
)


class Accounts(ApiView):
    permission_classes = FOR_CUSTOMERS

    """The caller's accounts."""

    @extend_schema(
        operation_id="accounts_list",
        summary="List your accounts",
        tags=TAGS,
        parameters=[
            OpenApiParameter("status", enum=Status.values),
            OpenApiParameter("currency", description="ISO 4217 code."),
            OpenApiParameter("kind", enum=ProductKind.values),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses={200: AccountOut(many=True), 400: ProblemSerializer, 401: ProblemSerializer},
        examples=[ACCOUNT],
    )
    def get(self, request: Request) -> Response:
        found = AccountFilter(request.query_params, queryset=queries.own_accounts(request.user))
        if not found.is_valid():
            raise ValidationError(found.errors)
        pages = Page()
        page: list[Any] | None = pages.paginate_queryset(found.qs, request, view=self)
        return pages.get_paginated_response(AccountOut(queries.holdings(page or []), many=True).data)

    @extend_schema(
        operation_id="accounts_open",
        summary="Open an account",
        description="Needs an approved identity check. The opening deposit is posted in the same transaction.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=OpenAccountIn,
        responses={
            201: AccountOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            404: OpenApiResponse(ProblemSerializer, description="`unknown_product`, `unknown_account`"),
            409: OpenApiResponse(
                ProblemSerializer,
                description="`kyc_required`, `insufficient_funds`, `account_frozen`, `account_closed`",
            ),
            422: OpenApiResponse(
                ProblemSerializer,
                description="`invalid_amount`, `below_minimum_opening`, `currency_mismatch`, `idempotency_key_reused`",
            ),
        },
        examples=[
            OpenApiExample(
                "From sandbox money",
                request_only=True,
                value={"product": "CUR-EUR", "amount": "250.00", "source": "SANDBOX"},
            ),
            OpenApiExample(
                "From an own account",
                request_only=True,
                value={
                    "product": "SAV-EUR",
                    "amount": "100.00",
                    "source": "OWN_ACCOUNT",
                    "source_account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
                },
            ),
            ACCOUNT,
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = OpenAccountIn(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        product = queries.get_product(asked["product"])
        opened = services.open_account_within(
            actor=request.user,
            owner=request.user,
            product_code=product.code,
            opening=Money.parse(asked["amount"], product.currency),
            source=FundingSource(FundingKind(asked["source"]), asked.get("source_account")),
            client_id=uuid5(NAMESPACE_OID, f"{request.user.pk}:{request.headers['Idempotency-Key']}"),
            now=timezone.now(),
        )
        return Response(AccountOut(queries.holding_of(opened.account)).data, status=201)


class AccountDetail(ApiView):
    @extend_schema(
        operation_id="accounts_retrieve",
        summary="Get one of your accounts",
        tags=TAGS,
        responses={200: AccountOut, 401: ProblemSerializer, 404: _NOT_FOUND},
        examples=[ACCOUNT],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        account = queries.get_account_for(actor=request.user, account_id=account_id)
        return Response(AccountOut(queries.holding_of(account)).data)


class AccountBalance(ApiView):
    @extend_schema(
        operation_id="accounts_balance",
        summary="Get the balance of an account",
        tags=TAGS,
        responses={200: BalanceOut, 401: ProblemSerializer, 404: _NOT_FOUND},
        examples=[
            OpenApiExample(
                "With money reserved",
                response_only=True,
                value={"currency": "EUR", "balance": "1250.00", "held": "200.00", "available": "1550.00"},
            )
        ],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        account = queries.get_account_for(actor=request.user, account_id=account_id)
        return Response(BalanceOut.show(queries.holding_of(account)))


class Products(ApiView):
    # What the bank offers is public, as on its front page.
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="products_list",
        summary="List the products",
        tags=TAGS,
        auth=[],
        responses={200: ProductOut(many=True)},
        examples=[
            OpenApiExample(
                "Savings",
                response_only=True,
                value={
                    "code": "SAV-EUR",
                    "name": "Savings account",
                    "kind": "SAVINGS",
                    "currency": "EUR",
                    "description": "For money you want to keep: it earns interest and keeps a small minimum.",
                    "min_opening": "100.00",
                    "min_balance": "50.00",
                    "overdraft": "0.00",
                    "interest_rate": "2.50",
                    "overdraft_rate": "0.00",
                    "fees": [
                        {
                            "operation": "TRANSFER",
                            "text": "€0.50",
                            "bands": [{"from_amount": "0.00", "fixed": "0.50", "percent": "0"}],
                            "least": None,
                            "most": None,
                        }
                    ],
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        products = queries.open_products()
        prices = fees.price_lists(products, at=timezone.now())
        return Response(ProductOut(products, many=True, context={"prices": prices}).data)
