"""Another plan for a loan: what officers enter, and what it would come to beside today's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from common.errors import DomainError
from common.money import Money
from identity.backoffice import DecisionForm
from loans import queries, services
from loans.models import Instalment, Loan, Restructure
from loans.rules.servicing import Serviced

FIELDS = ("instalments", "annual_rate", "first_due_date", "pause_instalments")


class PlanForm(DecisionForm):
    """Another plan: at least one of the three, or a pause."""

    field_order = ["instalments", "annual_rate", "first_due_date", "pause_instalments", "reason"]
    instalments = forms.IntegerField(
        label="Instalments left", required=False, min_value=1, max_value=1200, widget=UnfoldAdminTextInputWidget
    )
    annual_rate = forms.DecimalField(
        label="Rate a year, in %",
        required=False,
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget,
    )
    first_due_date = forms.DateField(label="Next due date", required=False, widget=UnfoldAdminDateWidget)
    pause_instalments = forms.IntegerField(
        label="Or a pause: instalments without payment",
        required=False,
        min_value=1,
        max_value=24,
        widget=UnfoldAdminTextInputWidget,
    )


class TrialForm(PlanForm):
    """The same without a reason: nothing is proposed yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["reason"]


def outcome(proposal: Restructure) -> list[tuple[str, object]]:
    """What the plan comes to if it holds from today."""
    try:
        new = services.preview(proposal, day=timezone.now().date())
    except DomainError as refusal:
        return [("It comes to", refusal.text)]
    figures = compared(new, queries.instalments_of(proposal.loan), proposal.loan)["figures"]
    return [(label, f"{after}, today {before}") for label, before, after in figures]


def compared(new: Serviced, now: Sequence[Instalment], loan: Loan) -> dict[str, Any]:
    """Today's rows and those of another plan: the figures that differ, and the new rows that are not paid."""
    today = timezone.now().date()

    def money(minor: int) -> Money:
        return Money(minor, loan.currency)

    ahead = [row for row in new.rows if row.due_date > today]
    before = [row for row in now if row.due_date > today]
    figures = [
        ("Instalments to come", len(before), len(ahead)),
        (
            "Largest of them",
            money(max((row.total_minor for row in before), default=0)),
            money(max((row.due.total for row in ahead), default=0)),
        ),
        ("Last instalment", date_format(now[-1].due_date, "j M Y"), date_format(new.rows[-1].due_date, "j M Y")),
        (
            "Interest over the whole loan",
            money(sum(row.interest_minor for row in now)),
            money(sum(row.due.interest for row in new.rows)),
        ),
    ]
    rows = [
        (
            row.number,
            row.due_date,
            *(money(part) for part in (row.due.principal, row.due.interest, row.due.fees + row.due.penalties)),
            money(row.due.total),
            money(row.outstanding),
        )
        for row in ahead
    ]
    return {"figures": figures, "rows": rows}
