"""Statements of other banks: the list of what was imported, and the page that imports a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from identity.backoffice import DecisionForm, ReadOnlyAdmin, decision_page
from reconciliation import queries, services
from reconciliation.models import OutsideStatement
from reconciliation.rules.from_csv import DATE_FORMATS

_SOURCES = {
    services.Source.CAMT053: "camt.053 (ISO 20022)",
    services.Source.OFX: "OFX",
    services.Source.CSV: "CSV",
}


class CurrencyForm(DecisionForm):
    """Which settlement account; nothing is decided that would need a reason."""

    reason = None  # type: ignore[assignment]
    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = self.fields["currency"]
        assert isinstance(currency, forms.ChoiceField)
        currency.choices = [(code, code) for code in queries.currencies()]


class ImportForm(CurrencyForm):
    """A file of the other bank; the columns matter for CSV only."""

    field_order = ["file", "source", "currency"]
    file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="Up to 5 MB.")
    source = forms.ChoiceField(label="Format", choices=list(_SOURCES.items()), widget=UnfoldAdminSelectWidget)
    date_column = forms.CharField(
        label="CSV: column of the date",
        initial="Date",
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        required=False,
    )
    amount_column = forms.CharField(
        label="CSV: column of the amount",
        initial="Amount",
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        required=False,
    )
    reference_column = forms.CharField(
        label="CSV: column of the reference",
        initial="Reference",
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        required=False,
    )
    description_column = forms.CharField(
        label="CSV: column of the description",
        initial="Description",
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        required=False,
    )
    date_format = forms.ChoiceField(
        label="CSV: how dates are written",
        choices=list(DATE_FORMATS.items()),
        widget=UnfoldAdminSelectWidget,
        required=False,
    )
    decimal_mark = forms.ChoiceField(
        label="CSV: decimal mark",
        choices=[(".", "1,234.56"), (",", "1.234,56")],
        widget=UnfoldAdminSelectWidget,
        required=False,
    )

    def mapping(self) -> services.Mapping:
        """The columns of a valid form; an empty field stands for its usual name."""
        given = {
            "date": self.cleaned_data["date_column"],
            "amount": self.cleaned_data["amount_column"],
            "reference": self.cleaned_data["reference_column"],
            "description": self.cleaned_data["description_column"],
            "date_format": self.cleaned_data["date_format"],
            "decimal_mark": self.cleaned_data["decimal_mark"],
        }
        return services.Mapping(**{name: value for name, value in given.items() if value})


@admin.register(OutsideStatement)
class OutsideStatementAdmin(ReadOnlyAdmin):
    view_permission = "ledger_view"
    list_display = ["file_name", "currency", "source", "first_date", "last_date", "line_count", "imported_at"]
    list_filter = ["currency", "source"]
    search_fields = ["file_name__icontains", "sha256"]
    ordering = ["-imported_at", "pk"]
    fields = [
        "file_name",
        "currency",
        "source",
        "first_date",
        "last_date",
        "line_count",
        "sha256",
        "imported_by",
        "imported_at",
    ]
    actions_list = ["import_file"]

    @action(description="Import a statement", url_path="import", permissions=["reconcile"], icon="upload_file")
    def import_file(self, request: HttpRequest) -> HttpResponse:
        bound: list[ImportForm] = []

        class Form(ImportForm):
            """The same form with the file of this request."""

            def __init__(self, data: Any = None, **kwargs: Any) -> None:
                super().__init__(data, request.FILES or None, **kwargs)
                bound.append(self)

        def decide(given: dict[str, Any]) -> services.Imported:
            return services.import_statement(
                actor=request.user,
                data=given["file"].read(),
                source=services.Source(given["source"]),
                currency=given["currency"],
                file_name=given["file"].name,
                mapping=bound[-1].mapping(),
                now=timezone.now(),
            )

        return decision_page(
            self,
            request,
            permission="ledger_reconcile",
            title="Import a statement of another bank",
            facts=[],
            note="It is compared with our settlement account in this currency. What is beyond doubt is matched at once; "
            "the rest waits in the queue. The same file again changes nothing.",
            form_class=Form,
            decide=decide,
            done=_imported,
            confirm="Import the statement",
            back=reverse("admin:reconciliation_line_changelist") + "?matched=no",
        )

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("identity.ledger_reconcile"))


def _imported(imported: services.Imported) -> str:
    if imported.again:
        return "You imported this file before, so nothing was added."
    waiting = imported.statement.line_count - imported.matched
    return f"You imported {imported.statement.line_count} bookings: {imported.matched} matched, {waiting} wait for you."
