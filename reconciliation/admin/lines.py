"""The queue: what the other bank booked and we have not found; matched by the rules again, or by hand with a reason."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common.money import Money
from identity.backoffice import DecisionForm, ReadOnlyAdmin, decision_page
from reconciliation import queries, services
from reconciliation.admin.statements import CurrencyForm
from reconciliation.models import Line
from reconciliation.rules.matching import WINDOW_DAYS

MOST_CHOICES = 100


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
    fields = ["statement", "number", "booked_date", "shown_amount", "reference", "description", "state", "match_of"]
    readonly_fields = ["shown_amount", "state", "match_of"]
    actions_list = ["match_again"]
    actions_detail = ["match"]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """An empty queue is no search that found nothing."""
        changelist = super().get_changelist_instance(request)
        if request.GET.dict() == {"matched": "no"}:
            changelist.all_done = "Every line of the statements that were imported is matched."
        return changelist

    def get_queryset(self, request: HttpRequest) -> QuerySet[Line]:
        return queries.with_state()

    @display(description="amount", ordering="amount_minor")
    def shown_amount(self, line: Line) -> str:
        return str(line.amount)

    @display(description="state", label={"Open": "warning", "Matched": "success"})
    def state(self, line: Line) -> str:
        return "Matched" if getattr(line, "is_matched", False) else "Open"

    @display(description="match")
    def match_of(self, line: Line) -> str:
        """The way to what it was matched with, and to taking that back."""
        match = queries.standing_match(line)
        if match is None:
            return "–"
        url = reverse("admin:reconciliation_match_change", args=[match.pk])
        made = f"{match.get_rule_display()}, {date_format(timezone.localtime(match.made_at), 'j M Y, H:i')}"
        return format_html('<a class="office-link" href="{}">{}</a>', url, made)

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
        postings, others, open_postings = _choices(line)
        # Whoever looks for one that is not here has to know that there are more.
        listed = "Open postings"
        if open_postings > len(postings):
            listed = f"The nearest {len(postings)} of {open_postings:,} open postings"

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
            note=f"{listed} within {WINDOW_DAYS} days, as the other bank would write them. The sums must agree.",
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


def _matched_again(matched: int) -> str:
    if not matched:
        return "The rules found nothing new."
    return "1 line has found its posting." if matched == 1 else f"{matched} lines have found their postings."


def _line(object_id: str) -> Line:
    try:
        return queries.get_line(UUID(str(object_id)))
    except (ValueError, services.UnknownLine) as error:
        raise Http404 from error


def _choices(line: Line) -> tuple[list[tuple[str, str]], list[tuple[str, str]], int]:
    """What the line may be matched with, the same amount and the nearest days first; and how many open postings there are."""
    account_id, day = line.statement.ledger_account_id, line.booked_date
    found = list(queries.open_postings(account_id, day, day).items())
    items = [(key, queries.item_of_posting(posting), posting.description) for key, posting in found]
    items.sort(key=lambda each: (each[1].amount != line.amount_minor, abs((each[1].day - day).days), str(each[0])))
    postings = [
        (_text_of(key), _label(item.day, Money(item.amount, line.currency), f"{text}, entry {key[0]}"))
        for key, item, text in items[:MOST_CHOICES]
    ]
    window = timedelta(days=WINDOW_DAYS)
    near = queries.open_lines(account_id).filter(booked_date__range=(day - window, day + window)).exclude(pk=line.pk)
    others = [
        (str(other.pk), _label(other.booked_date, other.amount, other.description)) for other in near[:MOST_CHOICES]
    ]
    return postings, others, len(items)


def _label(day: date, amount: Money, text: str) -> str:
    return f"{date_format(day, 'j M Y')}, {amount}, {text[:160]}"


def _text_of(key: queries.PostingKey) -> str:
    return f"{key[0]}/{key[1]}"


def _key(text: str) -> tuple[int, int]:
    entry_id, _, no = text.partition("/")
    return int(entry_id), int(no)
