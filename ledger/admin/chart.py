"""The chart of accounts and the books as reports: each a page, and a CSV file that is harmless in a spreadsheet program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.widgets import INPUT_CLASSES

from common.downloads import csv_response
from common.money import Money, display
from common.subjects import words
from ledger import reports
from ledger.admin.base import ReadOnly, account_url, entry_url
from ledger.models import GlCode, LedgerAccount


@dataclass(frozen=True, slots=True)
class Cell:
    """`amount` makes it a figure, `url` a link; `is_total` sets it apart. `on_page`: what stands there in place of the text."""

    text: str = ""
    amount: Money | None = None
    url: str = ""
    is_total: bool = False
    on_page: str = ""

    @property
    def shown(self) -> str:
        return self.on_page or self.text if self.amount is None else display(self.amount)

    @property
    def plain(self) -> str | Decimal:
        return self.text if self.amount is None else self.amount.decimal


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a report. `verdict` says whether its sides agree; `is_right` None: nothing to agree."""

    title: str
    headers: Sequence[str]
    figures_from: int
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] = ()
    verdict: str = ""
    is_right: bool | None = None


class DayInput(forms.DateInput):
    """The browser's own calendar, in unfold's look."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"class": " ".join(INPUT_CLASSES)})


class DayForm(forms.Form):
    """As of which day; today when it is left empty."""

    day = forms.DateField(label="At the end of", required=False, widget=DayInput)

    def chosen(self) -> dict[str, date]:
        return {"day": self.cleaned_data["day"] or _today()}


class PeriodForm(forms.Form):
    """From one day to another, both included; the present year when left empty."""

    first = forms.DateField(label="From", required=False, widget=DayInput)
    last = forms.DateField(label="To", required=False, widget=DayInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and first > last:
            raise forms.ValidationError("The period ends before it begins.")
        return data

    def chosen(self) -> dict[str, date]:
        last = self.cleaned_data["last"] or max(_today(), self.cleaned_data["first"] or _today())
        return {"since": self.cleaned_data["first"] or last.replace(month=1, day=1), "until": last + timedelta(days=1)}


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


@admin.register(GlCode)
class GlCodeAdmin(ReadOnly):
    list_display = ("code", "name", "kind", "normal_side", "accounts")
    ordering = ("code",)
    fields = ("code", "name", "kind", "normal_side", "accounts")
    readonly_fields = fields

    @admin.display(description="Accounts")
    def accounts(self, code: GlCode) -> str:
        """How many it has by its nature, and the way to them."""
        text = "One of the bank's for each currency" if code.is_internal else "One for each account of a customer"
        return format_html('<a class="office-link" href="{}">{}</a>', _accounts_of(code.code), text)

    def get_urls(self) -> list[Any]:
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("trial-balance/", "ledger_trialbalance_changelist", self.trial_balance),
            ("balance-sheet/", "ledger_balancesheet_changelist", self.balance_sheet),
            ("income-statement/", "ledger_incomestatement_changelist", self.income_statement),
            ("general-ledger/<int:account_id>/", "ledger_generalledger", self.general_ledger),
        ]
        views = [path(route, self.admin_site.admin_view(view), name=name) for route, name, view in pages]
        return [*views, *super().get_urls()]

    def trial_balance(self, request: HttpRequest) -> HttpResponse:
        """All codes at the end of a day; in each currency debits equal credits."""

        def sections(day: date) -> list[Section]:
            return [
                Section(
                    f"Trial balance in {each.currency}",
                    ("Code", "Name", "Accounts", "Debit", "Credit"),
                    2,
                    [
                        (
                            Cell(figure.gl_code, url=_accounts_url(figure)),
                            Cell(figure.name),
                            Cell(f"{figure.accounts:,}"),
                            _side(figure.debit_minor, each.currency),
                            _side(figure.credit_minor, each.currency),
                        )
                        for figure in each.figures
                    ],
                    (Cell(), Cell("Total"), Cell(), _money(each.debit_minor, each), _money(each.credit_minor, each)),
                    "Debits equal credits." if each.is_balanced else "Debits and credits differ.",
                    each.is_balanced,
                )
                for each in reports.trial_balance(day=day)
            ]

        return self._report(request, "Trial balance", "trial-balance", DayForm, sections)

    def balance_sheet(self, request: HttpRequest) -> HttpResponse:
        """What the bank has, what it owes, and what is its own."""

        def sections(day: date) -> list[Section]:
            return [
                Section(
                    f"Balance sheet in {each.currency}",
                    ("Code", "Name", "Amount"),
                    2,
                    [
                        *_group("assets", each.assets, each.assets_minor, each.currency),
                        *_group("liabilities", each.liabilities, each.liabilities_minor, each.currency),
                        *_group(
                            "equity",
                            each.equity,
                            each.equity_minor,
                            each.currency,
                            ("Result to date", each.result_minor),
                        ),
                    ],
                    (
                        Cell(),
                        Cell("Liabilities and equity"),
                        _money(each.liabilities_minor + each.equity_minor, each),
                    ),
                    "Assets equal liabilities and equity." if each.is_balanced else "The two sides differ.",
                    each.is_balanced,
                )
                for each in reports.balance_sheet(day=day)
            ]

        return self._report(request, "Balance sheet", "balance-sheet", DayForm, sections)

    def income_statement(self, request: HttpRequest) -> HttpResponse:
        """What came in over a period, and what it cost."""

        def sections(since: date, until: date) -> list[Section]:
            return [
                Section(
                    f"Income statement in {each.currency}",
                    ("Code", "Name", "Amount"),
                    2,
                    [
                        *_group("income", each.income, each.income_minor, each.currency),
                        *_group("expense", each.expense, each.expense_minor, each.currency),
                    ],
                    (Cell(), Cell("Result"), _money(each.result_minor, each)),
                )
                for each in reports.income_statement(since=since, until=until)
            ]

        return self._report(request, "Income statement", "income-statement", PeriodForm, sections)

    def general_ledger(self, request: HttpRequest, account_id: int) -> HttpResponse:
        """Every posting of one account, newest first, a page at a time."""
        self._allow(request)
        account = LedgerAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise Http404
        limit = 5_000 if request.GET.get("format") == "csv" else 50
        page = reports.general_ledger(account=account, before=request.GET.get("before", ""), limit=limit)
        section = Section(
            str(account),
            ("Booked", "Value date", "Entry", "Kind", "Description", "Debit", "Credit", "Balance after"),
            5,
            [
                (
                    _at(line.booked_at),
                    Cell(f"{line.value_date:%Y-%m-%d}", on_page=date_format(line.value_date, "j M Y")),
                    Cell(str(line.entry_id), url=entry_url(line.entry_id)),
                    Cell(line.kind, on_page=words(line.kind)),
                    Cell(line.description),
                    _side(max(-line.amount_minor, 0), account.currency),
                    _side(max(line.amount_minor, 0), account.currency),
                    Cell("–")
                    if line.balance_after is None
                    else Cell(amount=Money(line.balance_after, account.currency)),
                )
                for line in page.lines
            ],
        )
        if limit > 50:
            return csv_response(name=f"general-ledger-{account_id}.csv", rows=_rows([section]))
        older = f"?before={page.older}" if page.older else ""
        context = {
            "older": older,
            "back": account_url(account_id),
            "csv": f"?format=csv&before={request.GET.get('before', '')}",
        }
        return self._page(request, f"General ledger: {account}", [section], context)

    def _report(
        self,
        request: HttpRequest,
        title: str,
        name: str,
        form_class: type[DayForm] | type[PeriodForm],
        sections: Callable[..., list[Section]],
    ) -> HttpResponse:
        self._allow(request)
        form = form_class(request.GET)
        if not form.is_valid():
            return self._page(request, title, [], {"form": form}, status=422)
        chosen = form.chosen()
        made = sections(**chosen)
        if request.GET.get("format") == "csv":
            days = "-".join(f"{day:%Y%m%d}" for day in chosen.values())
            return csv_response(name=f"{name}-{days}.csv", rows=_rows(made))
        values = request.GET.copy()
        values["format"] = "csv"
        # Shown with the days that were chosen for whoever chose none.
        first, last = next(iter(chosen.values())), list(chosen.values())[-1] - timedelta(days=len(chosen) - 1)
        shown = form_class(initial={"day": first, "first": first, "last": last})
        return self._page(request, title, made, {"form": shown, "csv": f"?{values.urlencode()}"})

    def _page(
        self, request: HttpRequest, title: str, sections: list[Section], extra: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        request.crumb = title  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "sections": sections,
            **extra,
        }
        return TemplateResponse(request, "admin/ledger/report.html", context, status=status)

    def _allow(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _at(moment: datetime) -> Cell:
    """As a spreadsheet reads it in the file, as people do on the page."""
    utc = moment.astimezone(UTC)
    return Cell(f"{utc:%Y-%m-%d %H:%M}", on_page=date_format(utc, "j M Y, H:i"))


def _money(amount_minor: int, report: Any) -> Cell:
    return Cell(amount=Money(amount_minor, report.currency))


def _side(amount_minor: int, currency: str) -> Cell:
    return Cell(amount=Money(amount_minor, currency)) if amount_minor else Cell()


def _group(
    title: str, figures: Iterable[reports.Figure], total: int, currency: str, extra: tuple[str, int] | None = None
) -> list[tuple[Cell, ...]]:
    rows = [
        (Cell(each.gl_code, url=_accounts_url(each)), Cell(each.name), Cell(amount=Money(each.normal_minor, currency)))
        for each in figures
    ]
    if extra is not None:
        rows.append((Cell(), Cell(extra[0]), Cell(amount=Money(extra[1], currency))))
    sum_of_them = Cell(amount=Money(total, currency), is_total=True)
    return [*rows, (Cell(), Cell(f"Total {title}", is_total=True), sum_of_them)]


def _accounts_url(figure: reports.Figure) -> str:
    return f"{_accounts_of(figure.gl_code)}&currency={figure.currency}"


def _accounts_of(gl_code: str) -> str:
    return f"{reverse('admin:ledger_ledgeraccount_changelist')}?gl_code__code__exact={gl_code}"


def _rows(sections: Sequence[Section]) -> Iterable[Sequence[object]]:
    for section in sections:
        yield [section.title]
        yield list(section.headers)
        for row in section.rows:
            yield [cell.plain for cell in row]
        if section.total:
            yield [cell.plain for cell in section.total]
        if section.verdict:
            yield [section.verdict]
