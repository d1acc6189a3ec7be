"""Files of payments: the list, a new one, its check with the confirmation, its progress, and its result."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts import queries as accounts
from common import throttle
from common.downloads import attachment
from common.errors import DomainError, NotFound, TooMany
from common.money import Money, display
from identity import queries as identity
from payments import queries, services
from payments.forms import BulkConfirmForm, BulkFileForm
from payments.models import BulkFile, BulkRow
from payments.queries import BulkSums
from payments.rules import bulk_files
from payments.views.base import PaymentPage
from payments.views.rows import account_label

ROWS_PER_PAGE = 50
_EXAMPLE = (
    "name,account,amount,currency,reference\n"
    "Asha Example,BP00 0000 0000 0000,1250.00,EUR,Salary November\n"
    "Landlord Ltd,DE89 3704 0044 0532 0130 00,900.00,EUR,Rent November\n"
)
_GOING_ON = (BulkFile.Status.CONFIRMED, BulkFile.Status.RUNNING)


class BulkFilesPage(PaymentPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        page = Paginator(queries.bulk_files_for(self.actor), 25).get_page(request.GET.get("page"))
        context = {
            "files": [_listed(file) for file in page.object_list],
            "page_obj": page,
            "can_pay": any(one.account.product.allows_bulk for one in accounts.accounts_for(self.actor)),
            "crumbs": _crumbs(),
        }
        return self.page("bulk", context)


class NewBulkFilePage(PaymentPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        form = BulkFileForm(holdings=accounts.accounts_for(self.actor))
        if form.holdings:
            form.initial["debit_account"] = str(form.holdings[0].account.pk)
        return self._show(form)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = BulkFileForm(request.POST, request.FILES, holdings=accounts.accounts_for(self.actor))
        problems: dict[str, Any] = {}
        if form.is_valid():
            facts = form.cleaned_data
            try:
                throttle.enforce(throttle.BULK_UPLOADS, f"user:{self.actor.pk}")
                file = services.check_bulk_file(
                    actor=self.actor,
                    debit_account_id=facts["debit_account"],
                    data=facts["file"].read(),
                    name=facts["file"].name,
                    mode=facts["mode"],
                    now=timezone.now(),
                )
            except NotFound as error:
                raise Http404 from error
            except TooMany as error:
                return throttle.page(request, error)
            except services.BulkFileUnreadable as error:
                form.attach(error)
                problems = dict(error.data)
            except DomainError as error:
                form.attach(error)
            else:
                return redirect("payments:bulk_file", bulk_id=file.pk)
        return self._show(form, status=422, **problems)

    def _show(self, form: BulkFileForm, *, status: int = 200, **problems: Any) -> HttpResponse:
        context = {
            "form": form,
            "can_pay": bool(form.holdings),
            "max_rows": bulk_files.MAX_ROWS,
            "crumbs": _crumbs("New"),
            **problems,
        }
        return self.page("bulk_new", context, status=status)


class BulkExample(PaymentPage):
    """A file to start from; its accounts do not exist."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        chunks = [("\ufeff" + _EXAMPLE).encode()]
        return attachment(name="payments-example.csv", content_type="text/csv; charset=utf-8", chunks=chunks)


class BulkFilePage(PaymentPage):
    """What would become of each row, with the PIN; then how far it is; then what became of each."""

    def get(self, request: HttpRequest, bulk_id: UUID) -> HttpResponse:
        file = self._file(bulk_id)
        if getattr(request, "htmx", None):
            return self._progress(file)
        return self._show(file, BulkConfirmForm(initial={"sha256": file.sha256}))

    def post(self, request: HttpRequest, bulk_id: UUID) -> HttpResponse:
        form = BulkConfirmForm(request.POST)
        if not form.is_valid():
            return self._show(self._file(bulk_id), form, status=422)
        try:
            throttle.enforce(throttle.TRANSFERS, f"user:{self.actor.pk}")
            services.confirm_bulk_file(
                actor=self.actor,
                file_id=bulk_id,
                sha256=form.cleaned_data["sha256"],
                pin=form.cleaned_data["pin"],
                country=services.location(),
                now=timezone.now(),
            )
        except NotFound as error:
            raise Http404 from error
        except TooMany as error:
            return throttle.page(request, error)
        except services.BulkFileOver as error:
            messages.error(request, error.text)
        except DomainError as error:
            form.attach(error)
            return self._show(self._file(bulk_id), form, status=422)
        return redirect("payments:bulk_file", bulk_id=bulk_id)

    def _file(self, bulk_id: UUID) -> BulkFile:
        try:
            return queries.get_bulk_file_for(actor=self.actor, file_id=bulk_id)
        except NotFound as error:
            raise Http404 from error

    def _progress(self, file: BulkFile) -> HttpResponse:
        """The part that the page asks for again and again; when nothing more happens, the whole page is drawn anew."""
        response = self.page("_bulk_progress", {"file": file, "sums": queries.bulk_sums(file)})
        if file.status not in _GOING_ON:
            response.headers["HX-Refresh"] = "true"
        return response

    def _show(self, file: BulkFile, form: BulkConfirmForm, *, status: int = 200) -> HttpResponse:
        sums = queries.bulk_sums(file)
        rows = queries.bulk_rows(file)
        doubtful = queries.bulk_problems(rows)
        only_doubtful = self.request.GET.get("show") == "doubtful"
        page = Paginator(doubtful if only_doubtful else rows, ROWS_PER_PAGE).get_page(self.request.GET.get("page"))
        is_open = file.status == BulkFile.Status.CHECKED and file.expires_at > timezone.now()
        holding = accounts.holding_of(file.debit_account)
        total = queries.total_of(sums, file.currency)
        context = {
            "file": file,
            "form": form,
            "sums": sums,
            "facts": _facts(file, sums, holding.available if is_open else None),
            "rows": [_row(row, file) for row in page.object_list],
            "tabs": _tabs(file, sums, doubtful.count(), only_doubtful=only_doubtful),
            "page_obj": page,
            "is_open": is_open,
            "is_expired": file.status == BulkFile.Status.CHECKED and not is_open,
            "is_going_on": file.status in _GOING_ON,
            "can_confirm": is_open and sums.payable > 0 and not (sums.skipped and file.mode == BulkFile.Mode.WHOLE),
            "total": total,
            "paid_before": queries.paid_before(file) if is_open else None,
            "needs_pin": not identity.has_pin(self.actor),
            "crumbs": _crumbs(file.name),
        }
        return self.page("bulk_file", context, status=status)


class CancelBulkFile(PaymentPage):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, bulk_id: UUID) -> HttpResponse:
        try:
            services.cancel_bulk_file(actor=self.actor, file_id=bulk_id, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            messages.error(request, error.text)
        else:
            messages.success(request, "The file is cancelled. Nothing of it was paid.")
        return redirect("payments:bulk_file", bulk_id=bulk_id)


class BulkResult(PaymentPage):
    def get(self, request: HttpRequest, bulk_id: UUID) -> HttpResponseBase:
        try:
            file = queries.get_bulk_file_for(actor=self.actor, file_id=bulk_id)
        except NotFound as error:
            raise Http404 from error
        return attachment(
            name=f"result-{file.created_at:%Y-%m-%d}-{str(file.pk)[:8]}.csv",
            content_type="text/csv; charset=utf-8",
            chunks=queries.bulk_result(file),
        )


def _listed(file: BulkFile) -> dict[str, Any]:
    return {
        "file": file,
        "url": reverse("payments:bulk_file", args=[file.pk]),
        "account": account_label(file.debit_account),
        **_state(file),
    }


def _state(file: BulkFile) -> dict[str, str]:
    status = BulkFile.Status(file.status)
    if status is BulkFile.Status.CHECKED and file.expires_at <= timezone.now():
        return {"state": "expired", "state_label": "Expired"}
    states = {"CHECKED": "pending", "CONFIRMED": "pending", "RUNNING": "pending", "DONE": "completed"}
    return {"state": states.get(status.value, status.value), "state_label": str(status.label)}


def _facts(file: BulkFile, sums: BulkSums, available: Money | None) -> list[dict[str, Any]]:
    """The file as definition rows; while it can be confirmed, against what is in the account."""
    currency = file.currency
    rows: list[dict[str, Any]] = [
        {"label": "From", "value": account_label(file.debit_account), "note": file.debit_account.grouped_number},
        {"label": "When a row cannot be paid", "value": "Pay the others" if file.mode == "EACH" else "Pay nothing"},
    ]
    if file.status in (BulkFile.Status.DONE, BulkFile.Status.REFUSED):
        rows.append({"label": "Paid", "value": display(Money(sums.paid_minor, currency)), "money": True})
        if sums.held_minor:
            rows.append({"label": "Under review", "value": display(Money(sums.held_minor, currency)), "money": True})
        return rows
    count = f"{sums.payable} of {sums.rows} payments"
    rows.append(
        {"label": "To pay", "value": display(Money(sums.payable_minor, currency)), "note": count, "money": True}
    )
    if sums.fees_minor:
        rows.append({"label": "Fees", "value": display(Money(sums.fees_minor, currency)), "money": True})
    if available is not None:
        total = queries.total_of(sums, currency)
        rows.append({"label": "Available now", "value": display(available), "money": True})
        rows.append({"label": "Left afterwards", "value": display(available - total), "money": True, "total": True})
    return rows


def _row(row: BulkRow, file: BulkFile) -> dict[str, Any]:
    state, label, text = queries.bulk_outcome(row, file)
    return {
        "row": row,
        "amount": display(row.amount(file.currency)),
        "state": state,
        "label": label,
        "text": text,
        "url": reverse("payments:receipt", args=[row.payment.pk]) if row.payment else "",
    }


def _tabs(file: BulkFile, sums: BulkSums, doubtful: int, *, only_doubtful: bool) -> list[dict[str, Any]]:
    url = reverse("payments:bulk_file", args=[file.pk])
    return [
        {"label": "All rows", "url": url, "current": not only_doubtful, "count": sums.rows},
        {"label": "To look at", "url": f"{url}?show=doubtful", "current": only_doubtful, "count": doubtful},
    ]


def _crumbs(label: str = "") -> list[dict[str, str]]:
    crumbs = [{"label": "Transfer", "url": reverse("payments:transfer")}]
    crumbs.append({"label": "Many at once", "url": reverse("payments:bulk")})
    return [*crumbs, {"label": label}] if label else crumbs
