"""The API of files of payments: upload, the check, the confirmation, progress and the result file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from audit.idempotency import IDEMPOTENCY_KEY, idempotent
from common import throttle
from common.downloads import attachment
from common.money import Money
from common.rest import ApiView, MoneyTextField, Page, ProblemSerializer
from identity import services as identity
from payments import queries, services
from payments.api.base import caller
from payments.models import BulkFile, BulkRow
from payments.rules import bulk_files
from payments.rules.bulk_checks import Check

TAGS = ["bulk files"]
_NOT_FOUND = OpenApiResponse(ProblemSerializer, description="`bulk_file_not_found`; also somebody else's.")


class BulkFileIn(serializers.Serializer[Any]):
    file = serializers.FileField(max_length=200, help_text=f"CSV with {', '.join(bulk_files.COLUMNS)}, in UTF-8.")
    debit_account = serializers.UUIDField(help_text="Id of your business account.")
    mode = serializers.ChoiceField(choices=BulkFile.Mode.choices, required=False, default="EACH")

    def validate_file(self, file: Any) -> Any:
        if file.size > bulk_files.MAX_BYTES:
            raise serializers.ValidationError(
                f"A file has {bulk_files.MAX_BYTES // 1024} kB at most.", code="too_large"
            )
        return file


class BulkConfirmIn(serializers.Serializer[Any]):
    sha256 = serializers.CharField(max_length=64, help_text="The file's digest, as the check told it.")
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")


class BulkCountsOut(serializers.Serializer[Any]):
    rows = serializers.IntegerField()
    payable = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Not payable, so the check leaves them out.")
    warned = serializers.IntegerField(help_text="Payable, with a name that is close or does not match.")
    waiting = serializers.IntegerField()
    done = serializers.IntegerField()
    held = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()


class BulkFileOut(serializers.Serializer[BulkFile]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    debit_account = serializers.UUIDField(source="debit_account_id")
    mode = serializers.ChoiceField(choices=BulkFile.Mode.choices)
    status = serializers.ChoiceField(choices=BulkFile.Status.choices)
    sha256 = serializers.CharField()
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="To be confirmed before.")
    confirmed_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class BulkFileWithCountsOut(BulkFileOut):
    counts = BulkCountsOut()
    percent = serializers.IntegerField(help_text="How many of the payable rows are through, 0 to 100.")
    payable_amount = MoneyTextField()
    fees = MoneyTextField()
    paid_amount = MoneyTextField()
    held_amount = MoneyTextField()

    def to_representation(self, instance: BulkFile) -> dict[str, Any]:
        sums = queries.bulk_sums(instance)
        amounts = {
            "payable_amount": sums.payable_minor,
            "fees": sums.fees_minor,
            "paid_amount": sums.paid_minor,
            "held_amount": sums.held_minor,
        }
        return {
            **BulkFileOut(instance).data,
            "counts": BulkCountsOut(sums).data,
            "percent": sums.percent,
            **{name: Money(minor, instance.currency).plain for name, minor in amounts.items()},
        }


class BulkRowOut(serializers.Serializer[BulkRow]):
    row = serializers.IntegerField(source="number", help_text="As a spreadsheet counts; the heading is row 1.")
    name = serializers.CharField(source="payee_name")
    account = serializers.CharField(source="payee_number")
    amount = serializers.SerializerMethodField()
    fee = serializers.SerializerMethodField()
    reference = serializers.CharField()
    name_check = serializers.CharField(source="name_match", help_text="MATCH, CLOSE, NO_MATCH, or empty.")
    check_code = serializers.ChoiceField(choices=[(each.value, each.label) for each in Check])
    check_text = serializers.CharField()
    status = serializers.ChoiceField(choices=BulkRow.Status.choices)
    payment = serializers.UUIDField(source="payment_id", allow_null=True)
    payment_status = serializers.SerializerMethodField()
    failure_code = serializers.CharField()
    failure_text = serializers.CharField()

    def get_amount(self, row: BulkRow) -> str:
        return row.amount(self.context["currency"]).plain

    def get_fee(self, row: BulkRow) -> str:
        return Money(row.fee_minor, self.context["currency"]).plain

    def get_payment_status(self, row: BulkRow) -> str:
        return row.payment.status if row.payment else ""


_FILE: dict[str, Any] = {
    "id": "5a5f3a0e-1c37-4b0e-9a7f-0a1f5f1f7c21",
    "name": "wages.csv",
    "debit_account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
    "mode": "EACH",
    "status": "CHECKED",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "currency": "EUR",
    "created_at": "2026-11-21T10:15:00Z",
    "expires_at": "2026-11-21T11:15:00Z",
    "confirmed_at": None,
    "started_at": None,
    "finished_at": None,
}
_COUNTED = _FILE | {
    "counts": {
        "rows": 10, "payable": 9, "skipped": 1, "warned": 1, "waiting": 9, "done": 0, "held": 0, "refused": 0, "failed": 0,
    },
    "percent": 0,
    "payable_amount": "18990.00",
    "fees": "0.00",
    "paid_amount": "0.00",
    "held_amount": "0.00",
}  # fmt: skip
_RESULT_EXAMPLE = (
    "row,name,account,amount,currency,reference,name check,outcome,explanation,fee,payment id\r\n"
    "2,Bob Baker,BP17210455678890,250.00,EUR,November,Match,Completed,,0.00,6b7a1f3e-3f0e-4a55-9d1e-0c4d4c1f9a10\r\n"
    "3,Eve Evans,BP00000000000000,80.00,EUR,November,,Unknown account,No account has this number. Check it with the payee.,,\r\n"
)
_ROW = {
    "row": 11,
    "name": "Former Employee",
    "account": "BP00000000000000",
    "amount": "1700.00",
    "fee": "0.00",
    "reference": "Wages",
    "name_check": "",
    "check_code": "UNKNOWN_PAYEE",
    "check_text": "No account has this number. Check it with the payee.",
    "status": "SKIPPED",
    "payment": None,
    "payment_status": "",
    "failure_code": "",
    "failure_text": "",
}
_EXAMPLE = OpenApiExample("Checked", response_only=True, value=_COUNTED)


class BulkFiles(ApiView):
    parser_classes = (MultiPartParser,)

    def get_throttles(self) -> list[Any]:
        return [throttle.by_user(throttle.BULK_UPLOADS)()] if self.request.method == "POST" else []

    @extend_schema(
        operation_id="bulk_files_list",
        summary="List your files of payments, newest first",
        tags=TAGS,
        parameters=[OpenApiParameter("page", int), OpenApiParameter("page_size", int)],
        responses={200: BulkFileOut(many=True), 401: ProblemSerializer},
        examples=[OpenApiExample("Checked", response_only=True, value=_FILE)],
    )
    def get(self, request: Request) -> Response:
        pages = Page()
        page: list[BulkFile] | None = pages.paginate_queryset(
            queries.bulk_files_for(caller(request)), request, view=self
        )
        return pages.get_paginated_response(BulkFileOut(page or [], many=True).data)

    @extend_schema(
        operation_id="bulk_files_create",
        summary="Upload a file and have every row checked",
        description="Nothing moves: read the rows, then confirm the file with its `sha256` within the hour. A file that "
        "cannot be read is refused with `data.problems`, each with its row and column. "
        f"Up to {bulk_files.MAX_ROWS} rows and {bulk_files.MAX_BYTES // 1024} kB.",
        tags=TAGS,
        request={"multipart/form-data": BulkFileIn},
        responses={
            201: BulkFileWithCountsOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: OpenApiResponse(ProblemSerializer, description="`bulk_not_allowed`: not a business account."),
            404: OpenApiResponse(ProblemSerializer, description="`account_not_found`"),
            409: OpenApiResponse(ProblemSerializer, description="`too_many_bulk_files`, `account_frozen`"),
            422: OpenApiResponse(ProblemSerializer, description="`bulk_file_unreadable`"),
            429: ProblemSerializer,
        },
        examples=[_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = BulkFileIn(data=request.data)
        body.is_valid(raise_exception=True)
        facts = body.validated_data
        file = services.check_bulk_file(
            actor=caller(request),
            debit_account_id=facts["debit_account"],
            data=facts["file"].read(),
            name=facts["file"].name,
            mode=facts["mode"],
            now=timezone.now(),
        )
        return Response(BulkFileWithCountsOut(file).data, status=201)


class BulkFileEntry(ApiView):
    @extend_schema(
        operation_id="bulk_files_retrieve",
        summary="One file: its check, its progress, its outcome in figures",
        tags=TAGS,
        responses={200: BulkFileWithCountsOut, 401: ProblemSerializer, 404: _NOT_FOUND},
        examples=[_EXAMPLE],
    )
    def get(self, request: Request, bulk_id: UUID) -> Response:
        file = queries.get_bulk_file_for(actor=caller(request), file_id=bulk_id)
        return Response(BulkFileWithCountsOut(file).data)


class BulkRows(ApiView):
    @extend_schema(
        operation_id="bulk_files_rows",
        summary="The rows of a file with what the check says and what became of them",
        tags=TAGS,
        parameters=[
            OpenApiParameter("show", enum=["all", "doubtful"], description="Only rows that somebody should look at."),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses={200: BulkRowOut(many=True), 401: ProblemSerializer, 404: _NOT_FOUND},
        examples=[OpenApiExample("Not payable", response_only=True, value=_ROW)],
    )
    def get(self, request: Request, bulk_id: UUID) -> Response:
        file = queries.get_bulk_file_for(actor=caller(request), file_id=bulk_id)
        rows = queries.bulk_rows(file)
        if request.query_params.get("show") == "doubtful":
            rows = queries.bulk_problems(rows)
        pages = Page()
        page: list[BulkRow] | None = pages.paginate_queryset(rows, request, view=self)
        context = {"currency": file.currency}
        return pages.get_paginated_response(BulkRowOut(page or [], many=True, context=context).data)


class ConfirmBulkFile(ApiView):
    throttle_classes = (throttle.by_user(throttle.TRANSFERS),)

    @extend_schema(
        operation_id="bulk_files_confirm",
        summary="Have a checked file paid",
        description="Once. The payments are made in the background; ask for the file to see how far it is.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY],
        request=BulkConfirmIn,
        responses={
            200: BulkFileWithCountsOut,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: ProblemSerializer,
            404: _NOT_FOUND,
            409: OpenApiResponse(
                ProblemSerializer,
                description="`bulk_file_over`, `bulk_file_expired`, `bulk_file_differs`, `bulk_file_not_payable`",
            ),
            422: OpenApiResponse(ProblemSerializer, description="`wrong_pin`"),
            429: ProblemSerializer,
        },
        examples=[
            OpenApiExample("As checked", request_only=True, value={"sha256": _FILE["sha256"], "pin": "4826"}),
            OpenApiExample("Confirmed", response_only=True, value=_COUNTED | {"status": "CONFIRMED"}),
        ],
    )
    def post(self, request: Request, bulk_id: UUID) -> HttpResponseBase:
        # Reading the body keeps its bytes for the idempotency record; the parser would use them up.
        assert request._request.body is not None
        body = BulkConfirmIn(data=request.data)
        body.is_valid(raise_exception=True)
        # Whether it is there comes before the PIN: a wrong try must not be counted for nothing.
        queries.get_bulk_file_for(actor=caller(request), file_id=bulk_id)
        identity.verify_pin(actor=caller(request), pin=body.validated_data["pin"], now=timezone.now())
        return self.once(request, bulk_id, body.validated_data["sha256"])

    @idempotent
    def once(self, request: Request, bulk_id: UUID, sha256: str) -> Response:
        file = services.confirm_bulk_file_within(
            actor=caller(request), file_id=bulk_id, sha256=sha256, country=services.location(), now=timezone.now()
        )
        return Response(BulkFileWithCountsOut(file).data)


class CancelBulkFile(ApiView):
    @extend_schema(
        operation_id="bulk_files_cancel",
        summary="Cancel a file before its payments start",
        tags=TAGS,
        request=None,
        responses={
            200: BulkFileWithCountsOut,
            401: ProblemSerializer,
            404: _NOT_FOUND,
            409: OpenApiResponse(ProblemSerializer, description="`bulk_file_started`, `bulk_file_over`"),
        },
        examples=[OpenApiExample("Cancelled", response_only=True, value=_COUNTED | {"status": "CANCELLED"})],
    )
    def post(self, request: Request, bulk_id: UUID) -> Response:
        file = services.cancel_bulk_file(actor=caller(request), file_id=bulk_id, now=timezone.now())
        return Response(BulkFileWithCountsOut(file).data)


class BulkResult(ApiView):
    throttle_classes = (throttle.by_user(throttle.STATEMENT_EXPORTS),)

    @extend_schema(
        operation_id="bulk_files_result",
        summary="The result file: every row with its outcome and payment id",
        description="CSV in UTF-8 with a mark; cells cannot become formulas.",
        tags=TAGS,
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (401, "application/problem+json"): ProblemSerializer,
            (404, "application/problem+json"): _NOT_FOUND,
            (429, "application/problem+json"): ProblemSerializer,
        },
        examples=[OpenApiExample("Two rows", response_only=True, media_type="text/csv", value=_RESULT_EXAMPLE)],
    )
    def get(self, request: Request, bulk_id: UUID) -> StreamingHttpResponse:
        file = queries.get_bulk_file_for(actor=caller(request), file_id=bulk_id)
        return attachment(
            name=f"result-{file.pk}.csv", content_type="text/csv; charset=utf-8", chunks=queries.bulk_result(file)
        )
