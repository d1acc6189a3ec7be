"""The forms with which officers decide, and the words for what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from common.errors import Conflict
from common.money import Money
from fraud import services, subjects
from fraud.models import Case
from fraud.queries import desk
from fraud.services import CaseResult
from identity.backoffice import DecisionForm
from identity.models import User

MOST_AT_ONCE = 100


def money_of(case: Case) -> Money:
    return Money(case.decision.amount_minor, case.decision.currency)


def verb(case: Case, decision: str) -> str:
    """What the button says; only a held payment's money still waits."""
    release = decision == "RELEASE"
    if case.outcome == "FLAGGED":
        return "Release the payment" if release else "Decline the payment"
    if case.outcome == "BLOCKED":
        return "Clear this refused payment" if release else "Confirm fraud"
    return "Call it honest" if release else "Call it fraud"


def consequence(case: Case, decision: str) -> str:
    """What the decision brings about."""
    if case.outcome == "BLOCKED":
        return "The payment was refused and stays refused; your answer teaches us whether that was right."
    if case.outcome == "SAMPLED":
        return "The payment went through and stays as it is; your answer teaches us what honest payments look like."
    if decision == "RELEASE":
        return "The money goes to the payee at once."
    return "The customer gets the reserved money back at once."


def done_text(case: Case, decision: str) -> str:
    release = decision == "RELEASE"
    if case.outcome == "FLAGGED":
        return f"You released {money_of(case)}." if release else f"You declined {money_of(case)}."
    return "You cleared the suspicion." if release else "You confirmed the fraud."


class CaseDecisionForm(DecisionForm):
    """The reason, and what is still open on the checklist; with several payments, which of them are meant."""

    payments = forms.MultipleChoiceField(
        label="Payments",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": "Choose at least one payment."},
    )
    checks = forms.MultipleChoiceField(
        label="Checked",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="All of it has to be done before anybody decides.",
    )


def form_for(cases: Sequence[Case]) -> type[CaseDecisionForm]:
    """The form about these open cases of one dossier."""
    open_items = desk.open_checks(cases)
    payments = [(str(case.pk), f"{money_of(case)} to {payee_of(case)}") for case in cases]

    class Form(CaseDecisionForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._offer("payments", payments if len(payments) > 1 else [])
            self._offer("checks", [(item.code, item.text) for item in open_items])
            self.initial.setdefault("payments", [value for value, _ in payments])

        def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
            if choices:
                self.fields[name].choices = choices  # type: ignore[attr-defined]
            else:
                del self.fields[name]

    return Form


def payee_of(case: Case) -> str:
    decision = case.decision
    return decision.beneficiary_label.rpartition(", ")[0] or decision.beneficiary_label or "outside"


def decide(request: HttpRequest, cases: Sequence[Case], decision: str, cleaned: dict[str, Any], now: datetime) -> str:
    """Decide what was chosen of one dossier; returns what to tell. Raises DomainError when nothing was decided."""
    actor = request.user
    assert isinstance(actor, User)
    chosen = {UUID(value) for value in cleaned.get("payments", [])} or {case.pk for case in cases}
    reason, checked = cleaned["reason"], cleaned.get("checks", [])
    if len(chosen) == 1:
        case = services.decide_case(
            actor=actor, case_id=chosen.pop(), decision=decision, reason=reason, now=now, checked=checked
        )
        return done_text(case, decision)
    results = services.decide_cases(
        actor=actor,
        case_ids=[case.pk for case in cases if case.pk in chosen],
        decision=decision,
        reason=reason,
        now=now,
        checked=checked,
    )
    done = [result.case for result in results if result.case is not None]
    refusals = [told(result, cases) for result in results if result.case is None]
    if not done:
        raise Conflict(" ".join(refusals))
    return " ".join([f"You decided {len(done)} of {len(results)} payments.", *refusals])


def told(result: CaseResult, cases: Sequence[Case]) -> str:
    """What stayed as it was, and why."""
    amount = next((str(money_of(case)) for case in cases if case.pk == result.case_id), "One payment")
    return f"{amount} stayed as it was: {result.refusal}"


class TogetherForm(DecisionForm):
    """One decision and one reason for several cases."""

    cases = forms.MultipleChoiceField(error_messages={"required": "Choose at least one case."})
    decision = forms.ChoiceField(
        choices=(
            ("DECLINE", "Decline what is held, confirm the fraud of the rest"),
            ("RELEASE", "Release what is held, clear the rest"),
        ),
        widget=UnfoldAdminRadioSelectWidget(radio_style=0),
        error_messages={"required": "Choose what is decided."},
    )
    checks = forms.MultipleChoiceField(
        label="Checked for each of them",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="A case with something left on its checklist stays open.",
    )

    def __init__(self, *args: Any, items: Sequence[subjects.CheckItem], cases: Sequence[Case], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["checks"].choices = [(item.code, item.text) for item in items]  # type: ignore[attr-defined]
        self.fields["cases"].choices = [(str(case.pk), str(case)) for case in cases]  # type: ignore[attr-defined]


def decide_together(
    request: HttpRequest, waiting: Sequence[Case], cleaned: dict[str, Any], now: datetime
) -> list[CaseResult]:
    """Raises PermissionMissing and ReasonMissing; everything else stands in the results."""
    chosen = set(cleaned["cases"])
    assert isinstance(request.user, User)
    return services.decide_cases(
        actor=request.user,
        case_ids=[case.pk for case in waiting if str(case.pk) in chosen],
        decision=cleaned["decision"],
        reason=cleaned["reason"],
        now=now,
        checked=cleaned["checks"],
    )


def _hours(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=1, max_value=2160, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"})
    )


class DeskForm(DecisionForm):
    """What the desk goes by."""

    critical_hours = _hours("Hours for a critical case")
    suspicious_hours = _hours("Hours for a suspicious case")
    sample_hours = _hours("Hours for a sample")
    sample_percent = forms.DecimalField(
        label="Sample, % of approved payments",
        min_value=0,
        max_value=10,
        max_digits=5,
        decimal_places=3,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )
