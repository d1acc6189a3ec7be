"""Statements in the API: any period in five formats, and the monthly ones as they were issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.queries import get_account_for, statements
from accounts.rules import periods
from accounts.rules.periods import Period
from accounts.rules.statements.formats import Export, Format
from accounts.serializers import MonthlyStatementOut, PeriodIn, StatementOut
from common.downloads import attachment
from common.rest import ApiView, Page, ProblemSerializer
from common.throttle import STATEMENT_EXPORTS, by_user

TAGS = ["accounts"]
_NOT_FOUND = OpenApiResponse(ProblemSerializer, description="`unknown_account`: there is none, or it is not yours.")
_EXAMPLE = {
    "account": "0b0f8a1e-6a0c-4f0e-8f0e-2b6a3f9d1c11",
    "number": "BP42123456789012",
    "statement_number": None,
    "currency": "EUR",
    "first_day": "2026-11-01",
    "last_day": "2026-11-21",
    "opening": "1000.00",
    "paid_in": "250.00",
    "paid_out": "0.00",
    "closing": "1250.00",
    "lines": [
        {
            "entry_id": 4711,
            "reference": "4711-12",
            "booked_at": "2026-11-20T09:30:00Z",
            "value_date": "2026-11-20",
            "kind": "transfer",
            "description": "Asha Rao to Alice Archer. Rent",
            "amount": "250.00",
            "balance": "1250.00",
        }
    ],
}
_CSV_EXAMPLE = (
    "Booked,Value date,Description,Amount,Currency,Balance,Reference\r\n"
    "2026-11-01,,Opening balance,,EUR,1000.00,\r\n"
    "2026-11-20 09:30:00,2026-11-20,Asha Rao to Alice Archer. Rent,250.00,EUR,1250.00,4711-12\r\n"
    "2026-11-21,,Paid in,250.00,EUR,,\r\n"
    "2026-11-21,,Paid out,0.00,EUR,,\r\n"
    "2026-11-21,,Closing balance,,EUR,1250.00,\r\n"
)
_OFX_EXAMPLE = (
    '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?><OFX>…'
    "<STMTTRN><TRNTYPE>XFER</TRNTYPE><DTPOSTED>20261120093000.000[0:GMT]</DTPOSTED><TRNAMT>250.00</TRNAMT>"
    "<FITID>4711-12</FITID><NAME>Asha Rao to Alice Archer. Rent</NAME></STMTTRN>…</OFX>"
)
_CAMT_EXAMPLE = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>…<Ntry>'
    '<NtryRef>4711-12</NtryRef><Amt Ccy="EUR">250.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>…'
    "</Ntry></Stmt></BkToCstmrStmt></Document>"
)


class _FileRenderer(JSONRenderer):
    """Stands for a file format in the negotiation; the view streams the file, and what it refuses stays JSON."""

    media_type = ""
    format = ""
    charset = None


def _renderer(form: Format) -> type[BaseRenderer]:
    members = {"media_type": form.content_type.partition(";")[0], "format": form.value}
    return type(f"{form.name.title()}Renderer", (_FileRenderer,), members)


class _Negotiation(DefaultContentNegotiation):
    """`?format=` or `Accept`; a format that we do not have is 406, not a missing page."""

    def filter_renderers(self, renderers: Sequence[BaseRenderer], format: str) -> list[BaseRenderer]:  # noqa: A002
        found = [renderer for renderer in renderers if renderer.format == format]
        if not found:
            raise NotAcceptable(available_renderers=list(renderers))
        return found


class AccountStatement(ApiView):
    """Any period of one of the caller's accounts."""

    renderer_classes = [JSONRenderer, *(_renderer(form) for form in Format)]
    content_negotiation_class = _Negotiation
    throttle_classes = [by_user(STATEMENT_EXPORTS)]

    @extend_schema(
        operation_id="accounts_statement",
        summary="Get a statement",
        description=(
            "Opening balance, every posting of the period, sums and closing balance, as JSON, PDF/A, CSV, OFX 2.1.1 or "
            "ISO 20022 camt.053.001.08. Choose the format with `format` or with `Accept`. A period has at most 366 days "
            "and ends today at the latest. JSON holds up to 5,000 postings and PDF up to 2,000; the other formats are "
            "streamed and have no limit. Every format of a period shows the same figures."
        ),
        tags=TAGS,
        parameters=[
            PeriodIn,
            OpenApiParameter("format", enum=["json", *Format], description="Comes before `Accept`. Default: `json`."),
        ],
        responses={
            (200, "application/json"): StatementOut,
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/x-ofx"): OpenApiTypes.STR,
            (200, "application/xml"): OpenApiTypes.STR,
            (400, "application/problem+json"): ProblemSerializer,
            (401, "application/problem+json"): ProblemSerializer,
            (404, "application/problem+json"): _NOT_FOUND,
            (406, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="No such format."),
            (422, "application/problem+json"): OpenApiResponse(
                ProblemSerializer, description="`period_not_allowed`, `statement_too_long`"
            ),
            (429, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="Wait `Retry-After`."),
        },
        examples=[
            OpenApiExample("One posting", response_only=True, media_type="application/json", value=_EXAMPLE),
            OpenApiExample("As CSV", response_only=True, media_type="text/csv", value=_CSV_EXAMPLE),
            OpenApiExample("As OFX", response_only=True, media_type="application/x-ofx", value=_OFX_EXAMPLE),
            OpenApiExample("As camt.053", response_only=True, media_type="application/xml", value=_CAMT_EXAMPLE),
        ],
    )
    def get(self, request: Request, account_id: UUID) -> Response | StreamingHttpResponse:
        account = get_account_for(actor=request.user, account_id=account_id)
        statement = statements.statement(account, period=_period(request))
        if request.accepted_renderer.format == "json":
            return Response(StatementOut(statement).data)
        form = Format(request.accepted_renderer.format)
        return _download(statements.export(statement, form=form, now=timezone.now()))


class Issued(ApiView):
    """The monthly statements of one of the caller's accounts."""

    @extend_schema(
        operation_id="accounts_statements",
        summary="List the monthly statements",
        description="Each is issued once, shortly after its month has ended, and never changes.",
        tags=TAGS,
        parameters=[OpenApiParameter("page", int), OpenApiParameter("page_size", int)],
        responses={200: MonthlyStatementOut(many=True), 401: ProblemSerializer, 404: _NOT_FOUND},
        examples=[
            OpenApiExample(
                "October",
                response_only=True,
                value={
                    "month": "2026-10",
                    "number": 3,
                    "closing": "1000.00",
                    "format": "pdf",
                    "size": 91060,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "issued_at": "2026-11-01T01:05:00Z",
                },
            )
        ],
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        account = get_account_for(actor=request.user, account_id=account_id)
        pages = Page()
        page: list[Any] | None = pages.paginate_queryset(statements.monthly_statements(account), request, view=self)
        return pages.get_paginated_response(MonthlyStatementOut(page or [], many=True).data)


class IssuedFile(ApiView):
    """One monthly statement, byte for byte as it was issued."""

    renderer_classes = [JSONRenderer, _renderer(Format.PDF), _renderer(Format.CSV)]
    throttle_classes = [by_user(STATEMENT_EXPORTS)]

    @extend_schema(
        operation_id="accounts_statements_file",
        summary="Download a monthly statement",
        tags=TAGS,
        parameters=[OpenApiParameter("month", str, OpenApiParameter.PATH, description="For example 2026-10.")],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "text/csv"): OpenApiTypes.STR,
            (401, "application/problem+json"): ProblemSerializer,
            (404, "application/problem+json"): OpenApiResponse(
                ProblemSerializer, description="`unknown_account`, `unknown_statement`"
            ),
            (429, "application/problem+json"): ProblemSerializer,
            (503, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="`statement_damaged`"),
        },
        examples=[OpenApiExample("As CSV", response_only=True, media_type="text/csv", value=_CSV_EXAMPLE)],
    )
    def get(self, request: Request, account_id: UUID, month: str) -> StreamingHttpResponse:
        issued = statements.get_monthly_for(actor=request.user, account_id=account_id, month=periods.month_of(month))
        return _download(statements.issued_file(issued))


def _period(request: Request) -> Period:
    given = PeriodIn(data={name: value for name, value in request.query_params.items() if name in {"from", "to"}})
    given.is_valid(raise_exception=True)
    today = timezone.now().date()
    last = given.validated_data.get("to", today)
    first = given.validated_data.get("from", last.replace(day=1))
    try:
        return periods.from_days(first, last, today=today)
    except services.PeriodNotAllowed as error:
        # The parameters of the API have names of their own.
        field = "from" if error.field == "since" else "to"
        raise services.PeriodNotAllowed(error.text, field=field, data=error.data) from error


def _download(export: Export) -> StreamingHttpResponse:
    return attachment(name=export.name, content_type=export.content_type, chunks=export.chunks)
