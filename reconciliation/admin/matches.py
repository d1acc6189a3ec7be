"""What was matched, by a rule or by a person, and how it is taken back."""

from __future__ import annotations

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from unfold.decorators import action, display

from identity.backoffice import ReadOnlyAdmin, decision_page
from reconciliation import services
from reconciliation.models import Line, Match


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
        numbers = match.postings.order_by("entry_id", "no").values_list("entry_id", flat=True)
        rows = ((reverse("admin:ledger_entry_change", args=[number]), number) for number in numbers)
        return format_html_join(", ", '<a class="office-link" href="{}">entry {}</a>', rows)

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
