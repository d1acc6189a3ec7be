"""Reconciliation for programs of the bank's own staff: import, the queue, match, take back, try the rules again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.rest import ApiView, MoneyTextField, Page, ProblemSerializer
from identity import services as identity
from identity.models import User
from reconciliation import queries, services
from reconciliation.models import Line, Match, OutsideStatement, Rule
from reconciliation.rules.from_csv import DATE_FORMATS
from reconciliation.rules.outside import MAX_BYTES

TAGS = ["reconciliation"]
_COLUMNS = ("date", "amount", "reference", "description")
_FORBIDDEN = OpenApiResponse(ProblemSerializer, description="`permission_missing`: for staff who may.")
_PAGES = [OpenApiParameter("page", int), OpenApiParameter("page_size", int)]


def _known(currency: str) -> str:
    if currency not in queries.currencies():
        raise serializers.ValidationError("We hold no account in this currency.", code="unknown_currency")
    return currency


class StatementIn(serializers.Serializer[Any]):
    file = serializers.FileField(max_length=200, help_text="Up to 5 MB.")
    source = serializers.ChoiceField(choices=[source.value for source in services.Source])  # type: ignore[assignment]
    currency = serializers.CharField(max_length=3, help_text="Which settlement account.")
    date_column = serializers.CharField(max_length=60, required=False, help_text="CSV only; `Date` unless told.")
    amount_column = serializers.CharField(max_length=60, required=False, help_text="`Amount` unless told.")
    reference_column = serializers.CharField(max_length=60, required=False, help_text="`Reference` unless told.")
    description_column = serializers.CharField(max_length=60, required=False, help_text="`Description` unless told.")
    date_format = serializers.ChoiceField(choices=list(DATE_FORMATS.items()), required=False)
    decimal_mark = serializers.ChoiceField(choices=[".", ","], required=False)

    def validate_file(self, file: Any) -> Any:
        if file.size > MAX_BYTES:
            raise serializers.ValidationError("A file has 5 MB at most.", code="too_large")
        return file

    def validate_currency(self, currency: str) -> str:
        return _known(currency)


class OutsideStatementOut(serializers.Serializer[OutsideStatement]):
    id = serializers.UUIDField()
    file_name = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    currency = serializers.CharField()
    first_date = serializers.DateField()
    last_date = serializers.DateField()
    line_count = serializers.IntegerField()
    sha256 = serializers.CharField()
    imported_at = serializers.DateTimeField()


class ImportedOut(serializers.Serializer[services.Imported]):
    statement = OutsideStatementOut()
    again = serializers.BooleanField(help_text="This very file was imported before; nothing was added.")
    matched = serializers.IntegerField(help_text="Lines that found their postings at once.")


class LineOut(serializers.Serializer[Line]):
    id = serializers.UUIDField()
    statement = serializers.UUIDField(source="statement_id")
    number = serializers.IntegerField()
    booked_date = serializers.DateField()
    amount = MoneyTextField(help_text="Positive: it came in at the other bank.")
    currency = serializers.CharField()
    reference = serializers.CharField()
    description = serializers.CharField()
    is_matched = serializers.BooleanField()


class RulesIn(serializers.Serializer[Any]):
    currency = serializers.CharField(max_length=3)

    def validate_currency(self, currency: str) -> str:
        return _known(currency)


class RulesOut(serializers.Serializer[Any]):
    matched = serializers.IntegerField()


class PostingIn(serializers.Serializer[Any]):
    entry = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    no = serializers.IntegerField(min_value=1, max_value=32_000, help_text="Its place in the entry.")


class MatchIn(serializers.Serializer[Any]):
    lines = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)
    postings = serializers.ListField(child=PostingIn(), min_length=1, max_length=100)
    reason = serializers.CharField(min_length=3, max_length=2000)


class UndoIn(serializers.Serializer[Any]):
    reason = serializers.CharField(min_length=3, max_length=2000)


class MatchOut(serializers.Serializer[Match]):
    id = serializers.UUIDField()
    rule = serializers.ChoiceField(choices=Rule.choices)
    amount = MoneyTextField()
    currency = serializers.CharField()
    made_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


_MATCHED = OpenApiExample(
    "By hand",
    response_only=True,
    value={
        "id": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
        "rule": "MANUAL",
        "amount": "250.00",
        "currency": "EUR",
        "made_at": "2026-11-21T10:15:00Z",
        "undone_at": None,
    },
)
_STATEMENT = {
    "id": "3a1f9a10-6b7a-4a55-9d1e-0c4d4c1f0e3f",
    "file_name": "november.xml",
    "source": "camt053",
    "currency": "EUR",
    "first_date": "2026-11-01",
    "last_date": "2026-11-20",
    "line_count": 214,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "imported_at": "2026-11-21T10:15:00Z",
}
_LINE = {
    "id": "7c6f0b1e-1c2d-4e5f-8a9b-0c1d2e3f4a5b",
    "statement": _STATEMENT["id"],
    "number": 17,
    "booked_date": "2026-11-19",
    "amount": "250.00",
    "currency": "EUR",
    "reference": "NOTPROVIDED",
    "description": "Incoming credit",
    "is_matched": False,
}


def _answers(name: str, value: dict[str, Any]) -> list[OpenApiExample]:
    return [OpenApiExample(name, response_only=True, value=value)]


def _staff(request: Request, permission: str) -> User:
    """The caller, who holds a permission. Raises PermissionMissing (403)."""
    assert isinstance(request.user, User), "the default permission lets nobody else in"
    identity.require(request.user, permission)
    return request.user


class Statements(ApiView):
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="reconciliation_statements_list",
        summary="List imported statements, newest first",
        tags=TAGS,
        parameters=_PAGES,
        responses={200: OutsideStatementOut(many=True), 401: ProblemSerializer, 403: _FORBIDDEN},
        examples=_answers("A month of camt.053", _STATEMENT),
    )
    def get(self, request: Request) -> Response:
        _staff(request, "ledger_view")
        pages = Page()
        rows = OutsideStatement.objects.order_by("-imported_at", "pk")
        page: list[OutsideStatement] | None = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(OutsideStatementOut(page or [], many=True).data)

    @extend_schema(
        operation_id="reconciliation_statements_import",
        summary="Import a statement of another bank",
        description="What is beyond doubt is matched at once. The same file again adds nothing.",
        tags=TAGS,
        request={"multipart/form-data": StatementIn},
        responses={
            201: ImportedOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: _FORBIDDEN,
            422: OpenApiResponse(ProblemSerializer, description="`unreadable_statement`, `currency_mismatch`"),
        },
        examples=_answers("Imported", {"statement": _STATEMENT, "again": False, "matched": 209}),
    )
    def post(self, request: Request) -> Response:
        actor = _staff(request, "ledger_reconcile")
        body = StatementIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts = body.validated_data
        columns = {name: facts[f"{name}_column"] for name in _COLUMNS if facts.get(f"{name}_column")}
        format_ = {name: facts[name] for name in ("date_format", "decimal_mark") if facts.get(name)}
        imported = services.import_statement(
            actor=actor,
            data=facts["file"].read(),
            source=services.Source(facts["source"]),
            currency=facts["currency"],
            file_name=facts["file"].name,
            mapping=services.Mapping(**columns, **format_),
            now=timezone.now(),
        )
        return Response(ImportedOut(imported).data, status=201)


class Lines(ApiView):
    @extend_schema(
        operation_id="reconciliation_lines",
        summary="Bookings of the other bank; the queue with `matched=no`",
        tags=TAGS,
        parameters=[OpenApiParameter("matched", enum=["no", "yes"]), *_PAGES],
        responses={200: LineOut(many=True), 401: ProblemSerializer, 403: _FORBIDDEN},
        examples=_answers("It waits", _LINE),
    )
    def get(self, request: Request) -> Response:
        _staff(request, "ledger_view")
        rows = queries.with_state().order_by("booked_date", "statement_id", "number")
        wanted = request.query_params.get("matched")
        if wanted in ("yes", "no"):
            rows = queries.in_state(rows, matched=wanted == "yes")
        pages = Page()
        page: list[Line] | None = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(LineOut(page or [], many=True).data)


class TryRules(ApiView):
    @extend_schema(
        operation_id="reconciliation_rules",
        summary="Try the rules again on everything open in a currency",
        tags=TAGS,
        request=RulesIn,
        responses={200: RulesOut, 400: ProblemSerializer, 401: ProblemSerializer, 403: _FORBIDDEN},
        examples=[
            OpenApiExample("Euro", request_only=True, value={"currency": "EUR"}),
            *_answers("Three more", {"matched": 3}),
        ],
    )
    def post(self, request: Request) -> Response:
        actor = _staff(request, "ledger_reconcile")
        body = RulesIn(data=request.data)
        body.is_valid(raise_exception=True)
        matched = services.match_open_lines(actor=actor, currency=body.validated_data["currency"], now=timezone.now())
        return Response({"matched": matched})


class Matches(ApiView):
    @extend_schema(
        operation_id="reconciliation_match",
        summary="Say that these lines and postings are the same money",
        description="Their sums must agree, and none of them may be matched already.",
        tags=TAGS,
        request=MatchIn,
        responses={
            201: MatchOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: _FORBIDDEN,
            404: OpenApiResponse(ProblemSerializer, description="`unknown_line`"),
            409: OpenApiResponse(ProblemSerializer, description="`already_matched`"),
            422: OpenApiResponse(ProblemSerializer, description="`not_balanced`"),
        },
        examples=[
            OpenApiExample(
                "Two bookings, one posting",
                request_only=True,
                value={
                    "lines": ["6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10", "3c1f5c55-4f6e-4c0e-9d2b-9d1c0c1f7a33"],
                    "postings": [{"entry": 2611000000000042, "no": 1}],
                    "reason": "One transfer that they booked in two parts.",
                },
            ),
            _MATCHED,
        ],
    )
    def post(self, request: Request) -> Response:
        actor = _staff(request, "ledger_reconcile")
        body = MatchIn(data=request.data)
        body.is_valid(raise_exception=True)
        made = services.match_by_hand(
            actor=actor,
            line_ids=body.validated_data["lines"],
            postings=[(each["entry"], each["no"]) for each in body.validated_data["postings"]],
            reason=body.validated_data["reason"],
            now=timezone.now(),
        )
        return Response(MatchOut(made).data, status=201)


class UndoMatch(ApiView):
    @extend_schema(
        operation_id="reconciliation_match_undo",
        summary="Take a match back",
        tags=TAGS,
        request=UndoIn,
        responses={
            200: MatchOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: _FORBIDDEN,
            404: OpenApiResponse(ProblemSerializer, description="`unknown_match`; also one taken back before."),
        },
        examples=[OpenApiExample("Why", request_only=True, value={"reason": "It was another deposit."}), _MATCHED],
    )
    def post(self, request: Request, match_id: UUID) -> Response:
        actor = _staff(request, "ledger_reconcile")
        body = UndoIn(data=request.data)
        body.is_valid(raise_exception=True)
        undone = services.undo_match(
            actor=actor, match_id=match_id, reason=body.validated_data["reason"], now=timezone.now()
        )
        return Response(MatchOut(undone).data)
