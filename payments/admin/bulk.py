"""Files of payments in the back office: to look up, never to change."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from common.money import Money
from common.money import display as money_text
from identity.backoffice import ReadOnlyAdmin
from payments import queries
from payments.models import BulkFile, BulkRow

_STATES = {
    "To be confirmed": "info",
    "Waiting to start": "warning",
    "Being paid": "warning",
    "Done": "success",
    "Nothing was paid": "danger",
    "Cancelled": "default",
}


@admin.register(BulkFile)
class BulkFileAdmin(ReadOnlyAdmin):
    view_permission = "payment_view"
    list_display = ("name", "customer", "mode", "created_at", "state")
    list_filter = ("status", "mode")
    search_fields = ("name__istartswith", "customer__email__istartswith", "customer__full_name__istartswith", "sha256")
    search_help_text = "File, customer's name or e-mail address, or SHA-256"
    list_select_related = ("customer",)
    ordering = ("-created_at", "pk")
    fields = (
        "name",
        "customer",
        "account",
        "mode",
        "state",
        "rows_shown",
        "result",
        "paid",
        "under_review",
        "country",
        "created_at",
        "confirmed_at",
        "started_at",
        "finished_at",
        "size",
        "sha256",
    )
    readonly_fields = ("account", "state", "rows_shown", "result", "paid", "under_review")

    @display(description="Account")  # type: ignore[untyped-decorator]
    def account(self, file: BulkFile) -> str:
        return file.debit_account.grouped_number

    @display(description="State", ordering="status", label=_STATES)  # type: ignore[untyped-decorator]
    def state(self, file: BulkFile) -> str:
        return str(BulkFile.Status(file.status).label)

    @display(description="Rows")  # type: ignore[untyped-decorator]
    def rows_shown(self, file: BulkFile) -> SafeString:
        url = f"{reverse('admin:payments_bulkrow_changelist')}?{urlencode({'file__id__exact': str(file.pk)})}"
        return format_html('<a class="office-link" href="{}">{} rows</a>', url, queries.bulk_sums(file).rows)

    @display(description="Result")  # type: ignore[untyped-decorator]
    def result(self, file: BulkFile) -> str:
        return queries.bulk_sums(file).in_words

    @display(description="Paid")  # type: ignore[untyped-decorator]
    def paid(self, file: BulkFile) -> str:
        return money_text(Money(queries.bulk_sums(file).paid_minor, file.currency))

    @display(description="Under review")  # type: ignore[untyped-decorator]
    def under_review(self, file: BulkFile) -> str:
        return money_text(Money(queries.bulk_sums(file).held_minor, file.currency))


@admin.register(BulkRow)
class BulkRowAdmin(ReadOnlyAdmin):
    """The rows of one file, led to from its page; `file` is in the address."""

    view_permission = "payment_view"
    list_display = ("number", "payee_name", "payee_number", "amount_shown", "check_shown", "outcome", "file")
    list_filter = ("status", "check_code", "name_match")
    search_fields = ("payee_name__istartswith", "payee_number__istartswith", "id__exact", "payment__id__exact")
    search_help_text = "Payee's name or account, or the id of a payment"
    list_select_related = ("file", "payment")
    ordering = ("-file__created_at", "number", "pk")
    list_per_page = 100
    fields = (
        "file",
        "number",
        "payee_name",
        "payee_number",
        "amount_shown",
        "reference",
        "name_match",
        "check_shown",
        "check_text",
        "outcome",
        "failure_text",
        "payment_shown",
    )
    readonly_fields = ("amount_shown", "check_shown", "outcome", "payment_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("file", "payment")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "file__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    @display(description="Amount", ordering="amount_minor")  # type: ignore[untyped-decorator]
    def amount_shown(self, row: BulkRow) -> str:
        return money_text(row.amount(row.file.currency))

    @display(description="Check", ordering="check_code")  # type: ignore[untyped-decorator]
    def check_shown(self, row: BulkRow) -> str:
        return str(row.get_check_code_display())

    @display(description="Outcome", ordering="status")  # type: ignore[untyped-decorator]
    def outcome(self, row: BulkRow) -> str:
        return queries.bulk_outcome(row, row.file)[1]

    @display(description="Payment")  # type: ignore[untyped-decorator]
    def payment_shown(self, row: BulkRow) -> str:
        if row.payment is None:
            return "None was made"
        url = reverse("admin:payments_payment_change", args=[row.payment.pk])
        return format_html('<a class="office-link" href="{}">{}</a>', url, row.payment)
