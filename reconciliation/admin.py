"""The reconciliation desk: import a file, look at what is open, match and unmatch with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from common.money import Money
from identity.backoffice import DecisionForm, ReadOnlyAdmin, decision_page
from reconciliation import queries, services
from reconciliation.models import Line, Match, OutsideStatement
from reconciliation.rules.from_csv import DATE_FORMATS
from reconciliation.rules.matching import WINDOW_DAYS

MOST_CHOICES = 100
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


class MatchedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "matched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Open"), ("yes", "Matched")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Line]) -> QuerySet[Line]:
        wanted = self.value()
        return queries.in_state(queryset, matched=wanted == "yes") if wanted in {"yes", "no"} else queryset


@admin.register(Line)
class LineAdmin(ReadOnlyAdmin):
    """The queue: what the other bank booked and we have not found."""

    view_permission = "ledger_view"
    list_display = ["booked_date", "shown_amount", "reference", "description", "state", "statement"]
    list_filter = [MatchedFilter, "currency"]
    search_fields = ["reference__icontains", "description__icontains"]
    list_select_related = ["statement"]
    ordering = ["booked_date", "statement", "number"]
    fields = ["statement", "number", "booked_date", "shown_amount", "reference", "description", "state"]
    readonly_fields = ["shown_amount", "state"]
    actions_list = ["match_again"]
    actions_detail = ["match"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Line]:
        return queries.with_state()

    @display(description="amount", ordering="amount_minor")
    def shown_amount(self, line: Line) -> str:
        return str(line.amount)

    @display(description="state", label={"Open": "warning", "Matched": "success"})
    def state(self, line: Line) -> str:
        return "Matched" if getattr(line, "is_matched", False) else "Open"

    @action(description="Try the rules again", url_path="match-again", permissions=["match_again"], icon="sync")
    def match_again(self, request: HttpRequest) -> HttpResponse:
        return decision_page(
            self,
            request,
            permission="ledger_reconcile",
            title="Try the rules again",
            facts=[],
            note="Whatever is open in this currency is compared with our postings once more: what was booked since the "
            "import may belong to it. What is in doubt stays in the queue.",
            form_class=CurrencyForm,
            decide=lambda given: services.match_open_lines(
                actor=request.user, currency=given["currency"], now=timezone.now()
            ),
            done=_matched_again,
            confirm="Try again",
            back=reverse("admin:reconciliation_line_changelist") + "?matched=no",
        )

    def has_match_again_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("identity.ledger_reconcile"))

    @action(description="Match", url_path="match", permissions=["match"], icon="link")
    def match(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line = _line(object_id)
        back = reverse("admin:reconciliation_line_changelist") + "?matched=no"
        postings, others = _choices(line)

        class MatchForm(DecisionForm):
            postings_chosen = forms.MultipleChoiceField(
                label="Postings of ours", choices=postings, widget=UnfoldAdminCheckboxSelectMultipleWidget
            )
            lines_chosen = forms.MultipleChoiceField(
                label="Together with these lines of theirs",
                choices=others,
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
                required=False,
            )

        return decision_page(
            self,
            request,
            permission="ledger_reconcile",
            title="Match a booking of the other bank",
            facts=[
                ("Booked there", date_format(line.booked_date, "j M Y")),
                ("Amount", line.amount),
                ("Reference", line.reference or "–"),
                ("Description", line.description or "–"),
                ("Statement", line.statement),
            ],
            note=f"Open postings within {WINDOW_DAYS} days, as the other bank would write them. The sums must agree.",
            form_class=MatchForm,
            decide=lambda given: services.match_by_hand(
                actor=request.user,
                line_ids=[line.pk, *(UUID(pk) for pk in given["lines_chosen"])],
                postings=[_key(text) for text in given["postings_chosen"]],
                reason=given["reason"],
                now=timezone.now(),
            ),
            done=lambda made: f"You matched {made.amount}.",
            confirm="Match them",
            back=back,
            audit_subject=("statement_line", line.pk),
        )

    def has_match_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if not request.user.has_perm("identity.ledger_reconcile"):
            return False
        return object_id is None or queries.is_open(_line(object_id))


@admin.register(Match)
class MatchAdmin(ReadOnlyAdmin):
    view_permission = "ledger_view"
    list_display = ["made_at", "shown_amount", "rule", "made_by", "state"]
    list_filter = ["rule", "currency", ("undone_at", admin.EmptyFieldListFilter)]
    list_select_related = ["made_by"]
    ordering = ["-made_at", "pk"]
    fields = [
        "shown_amount",
        "rule",
        "theirs",
        "ours",
        "made_by",
        "made_at",
        "reason",
        "undone_by",
        "undone_at",
        "undo_reason",
    ]
    readonly_fields = ["shown_amount", "theirs", "ours"]
    actions_detail = ["undo"]

    @display(description="amount", ordering="amount_minor")
    def shown_amount(self, match: Match) -> str:
        return str(match.amount)

    @display(description="state", label={"Stands": "success", "Taken back": "default"})
    def state(self, match: Match) -> str:
        return "Taken back" if match.undone_at else "Stands"

    @display(description="bookings of theirs")
    def theirs(self, match: Match) -> str:
        lines = Line.objects.filter(matches__match=match).order_by("booked_date", "number")
        return "; ".join(
            f"{date_format(line.booked_date, 'j M Y')}, {line.amount}, {line.description}" for line in lines
        )

    @display(description="entries of ours")
    def ours(self, match: Match) -> str:
        return ", ".join(f"entry {posting.entry_id}" for posting in match.postings.order_by("entry_id", "no"))

    @action(description="Take back", url_path="undo", permissions=["undo"], icon="link_off")
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        match = self.get_object(request, object_id)
        if match is None:
            raise Http404
        return decision_page(
            self,
            request,
            permission="ledger_reconcile",
            title="Take a match back",
            facts=[("Amount", match.amount), ("Theirs", self.theirs(match)), ("Ours", self.ours(match))],
            note="Both sides are open again.",
            decide=lambda given: services.undo_match(
                actor=request.user, match_id=match.pk, reason=given["reason"], now=timezone.now()
            ),
            done="You took the match back.",
            confirm="Take the match back",
            danger=True,
            back=reverse("admin:reconciliation_match_changelist"),
            audit_subject=("match", match.pk),
        )

    def has_undo_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if not request.user.has_perm("identity.ledger_reconcile"):
            return False
        if object_id is None:
            return True
        match = self.get_object(request, object_id)
        return match is not None and match.undone_at is None


def _matched_again(matched: int) -> str:
    if not matched:
        return "The rules found nothing new."
    return "1 line has found its posting." if matched == 1 else f"{matched} lines have found their postings."


def _line(object_id: str) -> Line:
    try:
        return queries.get_line(UUID(str(object_id)))
    except (ValueError, services.UnknownLine) as error:
        raise Http404 from error


def _choices(line: Line) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What the line may be matched with; the same amount and the nearest days first."""
    account_id, day = line.statement.ledger_account_id, line.booked_date
    items = [queries.item_of_posting(posting) for posting in queries.open_postings(account_id, day, day).values()]
    items.sort(key=lambda item: (item.amount != line.amount_minor, abs((item.day - day).days), str(item.key)))
    postings = [
        (_text_of(item.key), _label(item.day, Money(item.amount, line.currency), item.text))
        for item in items[:MOST_CHOICES]
    ]
    window = timedelta(days=WINDOW_DAYS)
    near = queries.open_lines(account_id).filter(booked_date__range=(day - window, day + window)).exclude(pk=line.pk)
    others = [
        (str(other.pk), _label(other.booked_date, other.amount, other.description)) for other in near[:MOST_CHOICES]
    ]
    return postings, others


def _label(day: Any, amount: Money, text: str) -> str:
    return f"{date_format(day, 'j M Y')}, {amount}, {text[:120]}"


def _text_of(key: Any) -> str:
    return f"{key[0]}/{key[1]}"


def _key(text: str) -> tuple[int, int]:
    entry_id, _, no = text.partition("/")
    return int(entry_id), int(no)


def _imported(imported: services.Imported) -> str:
    if imported.again:
        return "You imported this file before, so nothing was added."
    waiting = imported.statement.line_count - imported.matched
    return f"You imported {imported.statement.line_count} bookings: {imported.matched} matched, {waiting} wait for you."
