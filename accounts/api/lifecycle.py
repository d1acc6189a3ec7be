"""Waking an account that sleeps and closing one, through the API."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries, services
from accounts.api.accounts import ACCOUNT, TAGS
from accounts.queries.closing import settlement
from accounts.serializers import AccountOut, CloseIn, ClosingOut, ReactivateIn
from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common import throttle
from common.money import Money
from common.rest import ApiView, ProblemSerializer
from identity import services as identity


class Reactivate(ApiView):
    throttle_classes = (throttle.by_user(throttle.TRANSFERS),)

    @extend_schema(
        operation_id="accounts_reactivate",
        summary="Reactivate a dormant account",
        description="An account that its owner has not used for a long time lets no money out until this.",
        tags=TAGS,
        request=ReactivateIn,
        responses={
            200: AccountOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: OpenApiResponse(ProblemSerializer, description="`pin_locked`"),
            404: OpenApiResponse(ProblemSerializer, description="`unknown_account`"),
            409: OpenApiResponse(
                ProblemSerializer, description="`status_not_allowed`: it is not dormant; `pin_not_set`"
            ),
            422: OpenApiResponse(ProblemSerializer, description="`wrong_pin`"),
            429: ProblemSerializer,
        },
        examples=[OpenApiExample("With the PIN", request_only=True, value={"pin": "4826"}), ACCOUNT],
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        given = ReactivateIn(data=request.data)
        given.is_valid(raise_exception=True)
        queries.get_account_for(actor=request.user, account_id=account_id)
        account = services.reactivate_account(
            actor=request.user, account_id=account_id, pin=given.validated_data["pin"], now=timezone.now()
        )
        return Response(AccountOut(queries.holding_of(account)).data)


_SHOWN = {
    "currency": "EUR",
    "balance": "500.00",
    "held": "0.00",
    "interest": "0.62",
    "overdraft_interest": "0.00",
    "fees": [{"month": "2026-10", "amount": "3.00", "note": "€3.00"}],
    "rest": "497.62",
    "obstacles": [],
}


class Closing(ApiView):
    @extend_schema(
        operation_id="accounts_closing",
        summary="See what closing an account now would settle",
        tags=TAGS,
        responses={200: ClosingOut, 401: ProblemSerializer, 404: ProblemSerializer},
        examples=[OpenApiExample("A savings account", response_only=True, value=_SHOWN)],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        account = queries.get_account_for(actor=request.user, account_id=account_id)
        return Response(ClosingOut(settlement(account, now=timezone.now())).data)


class Close(ApiView):
    """The PIN is checked in a transaction of its own before the idempotent one begins: a wrong try counts."""

    throttle_classes = (throttle.by_user(throttle.TRANSFERS),)

    @extend_schema(
        operation_id="accounts_close",
        summary="Close an account for good",
        description="Posts the interest up to yesterday, takes the open fees, pays the rest to `payout_account` and "
        "closes, all at once. Read `closing` first and send its `rest` as `expected_rest`.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=CloseIn,
        responses={
            200: AccountOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: OpenApiResponse(ProblemSerializer, description="`pin_locked`"),
            404: OpenApiResponse(ProblemSerializer, description="`unknown_account`"),
            409: OpenApiResponse(
                ProblemSerializer,
                description="`closing_outdated`, `account_in_use`, `account_not_empty`, `account_owes`, "
                "`account_frozen`, `account_dormant`, `status_not_allowed`",
            ),
            422: OpenApiResponse(ProblemSerializer, description="`wrong_pin`, `invalid_amount`, `currency_mismatch`"),
            429: ProblemSerializer,
        },
        examples=[
            OpenApiExample(
                "With a rest",
                request_only=True,
                value={
                    "pin": "4826",
                    "expected_rest": "497.62",
                    "payout_account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
                },
            ),
            OpenApiExample(
                "A closed account",
                response_only=True,
                value={
                    **ACCOUNT.value,
                    "status": "CLOSED",
                    "balance": "0.00",
                    "available": "0.00",
                    "closed_at": "2026-11-22T09:00:00Z",
                },
            ),
        ],
    )
    def post(self, request: Request, account_id: UUID) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        given = CloseIn(data=request.data)
        given.is_valid(raise_exception=True)
        facts = dict(given.validated_data)
        account = queries.get_account_for(actor=request.user, account_id=account_id)
        rest = _minor(facts["expected_rest"], account.currency)
        identity.verify_pin(actor=request.user, pin=facts["pin"], now=timezone.now())
        return self.once(request, account_id, rest, facts["payout_account"])

    @idempotent
    def once(self, request: Request, account_id: UUID, rest: int, payout_account: UUID | None) -> Response:
        closed = services.close_account_within(
            actor=request.user,
            account_id=account_id,
            expected_rest_minor=rest,
            payout_account_id=payout_account,
            now=timezone.now(),
        )
        return Response(AccountOut(queries.holding_of(closed)).data)


def _minor(text: str, currency: str) -> int:
    """An amount of zero or more. Raises InvalidAmount."""
    plain = text.strip()
    if plain and not plain.strip("0."):
        return 0
    return Money.parse(plain, currency, field="expected_rest").amount_minor
