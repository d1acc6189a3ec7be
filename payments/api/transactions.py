"""The transactions API: deposit, withdraw, transfer, history. Every money POST takes an Idempotency-Key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, key_of, once
from common import throttle
from common.rest import ApiView, Page, ProblemSerializer
from common.shapes import Shape
from identity import services as identity
from identity.authentication import ApiKey
from identity.models import ApiClient
from payments import queries, services
from payments.api.base import caller
from payments.filters import PaymentFilter
from payments.models import Channel, Kind, Payment, Status
from payments.rules.requests import client_id_of
from payments.serializers import DepositIn, PaymentOut, TransferIn, WithdrawIn

TAGS = ["transactions"]
PROBLEMS = {
    400: ProblemSerializer,
    401: ProblemSerializer,
    403: ProblemSerializer,
    404: OpenApiResponse(ProblemSerializer, description="The account is not there, or it is not yours."),
    409: ProblemSerializer,
    429: OpenApiResponse(ProblemSerializer, description="Too many requests; wait as `Retry-After` says."),
    422: OpenApiResponse(ProblemSerializer, description="An input cannot be accepted; `errors` names the field."),
}
_COMPLETED = OpenApiExample(
    "A completed transfer",
    response_only=True,
    status_codes=["201", "200"],
    value={
        "id": "6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10",
        "kind": "TRANSFER",
        "status": "COMPLETED",
        "direction": "OUT",
        "account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
        "account_number": "BP42123456789012",
        "other_name": "Bob Baker",
        "other_number": "BP17 2104 5567 8890",
        "amount": "250.00",
        "fee": "0.00",
        "fee_note": "",
        "currency": "EUR",
        "description": "Rent",
        "name_check": "MATCH",
        "reasons": [],
        "refusal_code": "",
        "refusal_text": "",
        "created_at": "2026-11-21T10:15:00Z",
        "decided_at": "2026-11-21T10:15:00Z",
        "expires_at": None,
        "reversed_at": None,
    },
)
_TRANSFER = OpenApiExample(
    "To somebody else",
    request_only=True,
    value={
        "debit_account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
        "payee_number": "BP17210455678890",
        "payee_name": "Bob Baker",
        "amount": "250.00",
        "currency": "EUR",
        "description": "Rent",
        "pin": "4826",
    },
)
_DEPOSIT = OpenApiExample(
    "Into an account",
    request_only=True,
    value={"account_number": "BP42123456789012", "amount": "250.00", "currency": "EUR", "description": "Wages"},
)
_DEPOSITED = OpenApiExample(
    "A deposit",
    response_only=True,
    status_codes=["201"],
    value={
        **_COMPLETED.value,
        "kind": "DEPOSIT",
        "direction": "IN",
        "other_name": "",
        "other_number": "",
        "description": "Wages",
        "name_check": "",
    },
)
_WITHDRAW = OpenApiExample(
    "To another bank",
    request_only=True,
    value={
        "debit_account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
        "iban": "DE89370400440532013000",
        "amount": "250.00",
        "currency": "EUR",
        "description": "Rent",
        "pin": "4826",
    },
)
_WITHDRAWN = OpenApiExample(
    "A completed withdrawal",
    response_only=True,
    status_codes=["201"],
    value={
        **_COMPLETED.value,
        "kind": "WITHDRAWAL",
        "other_name": "",
        "other_number": "DE89 3704 0044 0532 0130 00",
        "name_check": "",
    },
)


def _client_id(request: Request) -> UUID:
    """Of the one effect that the caller's key stands for; one without a key has none."""
    return client_id_of(customer=caller(request).public_id, key=key_of(request))


class MoneyView(ApiView):
    """A money POST. Its transaction begins with the PIN: a wrong try ends it there, and counts."""

    serializer: type[Shape[Any]]
    throttle_classes = (throttle.by_user(throttle.TRANSFERS),)

    def post(self, request: Request) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        facts = self.serializer.read(request.data)
        check = None
        if "pin" in facts:
            check = identity.PinCheck(actor=caller(request), pin=facts.pop("pin"), now=timezone.now())
        facts |= self.ahead(request, facts)
        return once(self, request, lambda: self.answer(request, facts), check=check, ahead=facts.get("ahead"))

    def ahead(self, request: Request, facts: dict[str, Any]) -> dict[str, services.Ahead]:
        """One more of the facts, `ahead`: what the payment asks first, in the transaction's first trip."""
        return {}

    def answer(self, request: Request, facts: dict[str, Any]) -> Response:
        payment = self.carry_out(request, facts, _client_id(request))
        return Response(PaymentOut.show(queries.slip(payment)), status=201)

    def carry_out(self, request: Request, facts: dict[str, Any], client_id: UUID) -> Payment:
        raise NotImplementedError


class Deposit(MoneyView):
    """Who calls decides where the money comes from: an integrator, a teller, or in a sandbox the customer."""

    serializer = DepositIn
    key_scope = ApiClient.Scope.DEPOSITS_WRITE

    def get_throttles(self) -> list[Any]:
        by_key = isinstance(self.request.auth, ApiKey)
        return [throttle.by_user(throttle.KEY_DEPOSITS)()] if by_key else super().get_throttles()

    @extend_schema(
        operation_id="transactions_deposit",
        summary="Pay money into an account",
        description="For integrators with the scope `deposits:write` and tellers into any account; in a sandbox, for "
        "customers into their own.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=DepositIn,
        responses={201: PaymentOut, **PROBLEMS},
        examples=[_DEPOSIT, _DEPOSITED],
    )
    def post(self, request: Request) -> HttpResponseBase:
        return super().post(request)

    def carry_out(self, request: Request, facts: dict[str, Any], client_id: UUID) -> Payment:
        actor, now = caller(request), timezone.now()
        if isinstance(request.auth, ApiKey):
            return services.deposit_from_integrator_within(
                actor=actor, scopes=request.auth.scopes, client_id=client_id, now=now, **facts
            )
        if actor.has_perm("identity.payment_deposit"):
            return services.deposit_cash_within(actor=actor, client_id=client_id, now=now, channel=Channel.API, **facts)
        return services.deposit_from_sandbox_within(
            actor=actor, client_id=client_id, channel=Channel.API, now=now, **facts
        )


class Withdraw(MoneyView):
    serializer = WithdrawIn

    @extend_schema(
        operation_id="transactions_withdraw",
        summary="Send money to an account at another bank",
        description="`status` in the answer is the outcome: COMPLETED, HELD or REFUSED.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=WithdrawIn,
        responses={201: PaymentOut, **PROBLEMS},
        examples=[_WITHDRAW, _WITHDRAWN],
    )
    def post(self, request: Request) -> HttpResponseBase:
        return super().post(request)

    def carry_out(self, request: Request, facts: dict[str, Any], client_id: UUID) -> Payment:
        place = services.location(facts.pop("country"))
        return services.withdraw_within(
            actor=caller(request),
            debit_account_id=facts.pop("debit_account"),
            client_id=client_id,
            channel=Channel.API,
            country=place,
            now=timezone.now(),
            **facts,
        )


class Transfer(MoneyView):
    serializer = TransferIn

    @extend_schema(
        operation_id="transactions_transfer",
        summary="Pay somebody else, or move money between your accounts",
        description="Name a payee by number and name, or an own account by `credit_account`. `status` in the answer is "
        "the outcome: COMPLETED, HELD (reserved until a person decides) or REFUSED, with reasons.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=TransferIn,
        responses={201: PaymentOut, **PROBLEMS},
        examples=[_TRANSFER, _COMPLETED],
    )
    def post(self, request: Request) -> HttpResponseBase:
        return super().post(request)

    def ahead(self, request: Request, facts: dict[str, Any]) -> dict[str, services.Ahead]:
        looking = services.looking_for(
            actor=caller(request),
            client_id=_client_id(request),
            debit_account_id=facts["debit_account"],
            payee_number=facts.get("payee_number", ""),
            credit_account_id=facts.get("credit_account"),
            channel=Channel.API,
            now=timezone.now(),
        )
        return {"ahead": services.Ahead(looking)}

    def carry_out(self, request: Request, facts: dict[str, Any], client_id: UUID) -> Payment:
        shared: dict[str, Any] = {
            "actor": caller(request),
            "debit_account_id": facts.pop("debit_account"),
            "client_id": client_id,
            "channel": Channel.API,
            "country": services.location(facts.pop("country")),
            "now": facts["ahead"].looking.now,
        }
        if "credit_account" in facts:
            credit = facts.pop("credit_account")
            return services.submit_own_transfer_within(credit_account_id=credit, **shared, **facts)
        return services.submit_transfer_within(**shared, **facts)


class History(ApiView):
    @extend_schema(
        operation_id="transactions_history",
        summary="List your payments, newest first",
        tags=TAGS,
        parameters=[
            OpenApiParameter("account", UUID),
            OpenApiParameter("direction", enum=["IN", "OUT", "OWN"]),
            OpenApiParameter("status", enum=Status.values),
            OpenApiParameter("kind", enum=Kind.values),
            OpenApiParameter("since", description="First day, YYYY-MM-DD."),
            OpenApiParameter("until", description="Last day, YYYY-MM-DD."),
            OpenApiParameter("amount_from", description="In major units."),
            OpenApiParameter("amount_to", description="In major units."),
            OpenApiParameter("text", description="Part of a name, number or description."),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses={200: PaymentOut(many=True), 400: ProblemSerializer, 401: ProblemSerializer},
        examples=[_COMPLETED],
    )
    def get(self, request: Request) -> Response:
        actor = caller(request)
        found = PaymentFilter(request.query_params, queryset=queries.history_for(actor), request=request)
        if not found.is_valid():
            raise ValidationError(found.errors)
        pages = Page()
        page: list[Payment] | None = pages.paginate_queryset(found.qs, request, view=self)
        rows = [PaymentOut.show(one) for one in queries.documents(page or [], actor=actor)]
        return pages.get_paginated_response(rows)


class HistoryEntry(ApiView):
    @extend_schema(
        operation_id="transactions_retrieve",
        summary="One payment of yours",
        tags=TAGS,
        responses={200: PaymentOut, 401: ProblemSerializer, 404: ProblemSerializer},
        examples=[_COMPLETED],
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        return Response(PaymentOut.show(queries.get_payment_for(actor=caller(request), payment_id=payment_id)))
