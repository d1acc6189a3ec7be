"""Statements in the portal: any period on a page or as a file, and the monthly ones that were issued."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.forms import PeriodForm
from accounts.models import Account
from accounts.queries import statements
from accounts.queries.statements import Statement
from accounts.rules import periods
from accounts.rules.periods import Choice, Period
from accounts.rules.statements.formats import Export, Format
from accounts.views.base import AccountPage, own_account
from common.downloads import attachment
from common.errors import DomainError, NotFound, TooMany
from common.throttle import STATEMENT_EXPORTS, enforce

LINES_PER_PAGE = 100
NEWEST = 6
_CHOICES = {
    Choice.THIS_MONTH: "This month",
    Choice.LAST_MONTH: "Last month",
    Choice.THIS_QUARTER: "This quarter",
    Choice.LAST_QUARTER: "Last quarter",
    Choice.THIS_YEAR: "This year",
    Choice.LAST_YEAR: "Last year",
}
_FILES = [
    (Format.PDF, "PDF", "To keep, print or send"),
    (Format.CSV, "CSV", "For spreadsheets"),
    (Format.OFX, "OFX", "For finance programs"),
    (Format.CAMT053, "camt.053", "For accounting, ISO 20022"),
]


class StatementPage(AccountPage):
    def get(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        form, period = _asked(request)
        if period is None:
            return self.show(request, account, form, status=422)
        return self.show(request, account, form, statement=statements.statement(account, period=period))

    def show(
        self,
        request: HttpRequest,
        account: Account,
        form: PeriodForm,
        *,
        statement: Statement | None = None,
        status: int = 200,
    ) -> HttpResponse:
        issued = statements.monthly_statements(account)
        context: dict[str, Any] = {
            "account": account,
            "form": form,
            "crumbs": self.trail(account, "Statements"),
            "choices": _choices(account, statement.period if statement else None),
            "issued": issued[:NEWEST],
            "issued_count": issued.count(),
        }
        if statement is not None:
            page = Paginator(statement.pages, LINES_PER_PAGE).get_page(request.GET.get("page"))
            context |= {"statement": statement, "page_obj": page, "files": _files(account, statement.period)}
        return self.page(request, "statement", context, status=status)


class StatementFile(StatementPage):
    """The same period as a file; what the format cannot hold is said on the page."""

    form: Format = Format.PDF

    def get(self, request: HttpRequest, account_id: UUID) -> HttpResponseBase:  # type: ignore[override]
        account = own_account(request.user, account_id)
        form, period = _asked(request)
        if period is None:
            return self.show(request, account, form, status=422)
        try:
            enforce(STATEMENT_EXPORTS, f"user:{request.user.pk}")
        except TooMany as error:
            return _too_many(request, error)
        statement = statements.statement(account, period=period)
        try:
            return _download(statements.export(statement, form=self.form, now=timezone.now()))
        except DomainError as error:
            form.attach(error)
            return self.show(request, account, form, statement=statement, status=422)


class MonthlyList(AccountPage):
    def get(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        account = own_account(request.user, account_id)
        issued = statements.monthly_statements(account)
        years = [{"year": year, "issued": list(rows)} for year, rows in groupby(issued, key=lambda row: row.month.year)]
        crumbs = [
            *self.trail(account, "Statements")[:-1],
            {"label": "Statements", "url": reverse("accounts:statement", args=[account.pk])},
            {"label": "Monthly statements"},
        ]
        return self.page(request, "statements", {"account": account, "years": years, "crumbs": crumbs})


class MonthlyFile(AccountPage):
    def get(self, request: HttpRequest, account_id: UUID, month: str) -> HttpResponseBase:
        try:
            issued = statements.get_monthly_for(
                actor=request.user, account_id=account_id, month=periods.month_of(month)
            )
            enforce(STATEMENT_EXPORTS, f"user:{request.user.pk}")
            return _download(statements.issued_file(issued))
        except NotFound as error:
            raise Http404 from error
        except TooMany as error:
            return _too_many(request, error)


def _asked(request: HttpRequest) -> tuple[PeriodForm, Period | None]:
    """The form as it was asked, and its period unless it is refused. Without a question: this month."""
    today = timezone.now().date()
    if {"since", "until"} & set(request.GET):
        form = PeriodForm(request.GET, today=today)
        return form, form.cleaned_data.get("period") if form.is_valid() else None
    try:
        choice = Choice(request.GET.get("period", Choice.THIS_MONTH))
    except ValueError as error:
        raise Http404 from error
    period = periods.chosen(choice, today=today)
    form = PeriodForm({"since": period.since.isoformat(), "until": period.last_day.isoformat()}, today=today)
    form.is_valid()
    return form, period


def _choices(account: Account, period: Period | None) -> list[dict[str, Any]]:
    """Tabs of the usual periods. Two can be the same days, as in January: the first of them is the current one."""
    address = reverse("accounts:statement", args=[account.pk])
    today = timezone.now().date()
    current = next((choice for choice in _CHOICES if periods.chosen(choice, today=today) == period), None)
    return [
        {"label": label, "url": f"{address}?period={choice}", "current": choice is current}
        for choice, label in _CHOICES.items()
    ]


def _files(account: Account, period: Period) -> list[dict[str, str]]:
    days = urlencode({"since": period.since.isoformat(), "until": period.last_day.isoformat()})
    return [
        {
            "label": label,
            "note": note,
            "url": f"{reverse(f'accounts:statement-{form.suffix}', args=[account.pk])}?{days}",
        }
        for form, label, note in _FILES
    ]


def _download(export: Export) -> HttpResponseBase:
    return attachment(name=export.name, content_type=export.content_type, chunks=export.chunks)


def _too_many(request: HttpRequest, error: TooMany) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response.headers["Retry-After"] = str(error.data["retry_after"])
    return response
