"""The forms with which officers decide, and the words for what follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.defaultfilters import date
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from common.errors import Conflict
from common.money import Money
from fraud import services, subjects
from fraud.models import Case
from fraud.queries import desk
from fraud.rules.fraud_kinds import WORDS
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


def _kind() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Kind of fraud",
        required=False,
        choices=[("", "Not known"), *WORDS.items()],
        widget=UnfoldAdminSelectWidget,
        help_text="As far as it is clear: trainings report what they find of each kind.",
    )


class CaseDecisionForm(DecisionForm):
    """The reason, and what is still open on the checklist; with several payments, which of them are meant."""

    payments = forms.MultipleChoiceField(
        label="Payments",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={
            "required": "Choose at least one payment.",
            "invalid_choice": "The payments of this case have changed meanwhile: look at them again.",
        },
        help_text="Those you leave out stay open.",
    )
    kind = _kind()
    checks = forms.MultipleChoiceField(
        label="Checked",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="All of it has to be done before anybody decides.",
    )


def form_for(case: Case, cases: Sequence[Case], decision: str) -> type[CaseDecisionForm]:
    """The form about the open cases of one dossier; ticked is only the one whose page it was opened from."""
    open_items = desk.open_checks(cases)
    payments = [
        (_all_of(cases), f"All {len(cases)} that are open"),
        *((str(each.pk), _in_short(each)) for each in cases),
    ]

    class Form(CaseDecisionForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Whoever chose among several keeps the choice when another officer has decided all but one.
            self._offer("payments", payments if len(cases) > 1 or "payments" in self.data else [])
            if decision == "RELEASE":
                del self.fields["kind"]
            self._offer("checks", [(item.code, item.text) for item in open_items])
            self.initial.setdefault("payments", [str(case.pk)])

        def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
            if choices:
                self.fields[name].choices = choices  # type: ignore[attr-defined]
            else:
                del self.fields[name]

    return Form


def _all_of(cases: Sequence[Case]) -> str:
    """Stands for exactly these payments: one that joins after the page was shown is not decided unseen."""
    return "all-" + sha256("".join(sorted(str(case.pk) for case in cases)).encode()).hexdigest()[:16]


def _in_short(case: Case) -> str:
    held = "" if case.outcome == "FLAGGED" else f", {case.get_outcome_display().lower()}"
    return f"{money_of(case)} to {payee_of(case)}, {date(case.decision.at, 'j M, H:i')}{held}"


def payee_of(case: Case) -> str:
    decision = case.decision
    return decision.beneficiary_label.rpartition(", ")[0] or decision.beneficiary_label or "outside"


def decide(request: HttpRequest, cases: Sequence[Case], decision: str, cleaned: dict[str, Any], now: datetime) -> str:
    """Decide what was chosen of one dossier; returns what to tell. Raises DomainError when nothing was decided."""
    actor = request.user
    assert isinstance(actor, User)
    everything = _all_of(cases)
    ticked = cleaned.get("payments", [everything])
    chosen = {case.pk for case in cases if everything in ticked or str(case.pk) in ticked}
    reason, checked, kind = cleaned["reason"], cleaned.get("checks", []), cleaned.get("kind", "")
    left = _left_open(len(cases) - len(chosen))
    if len(chosen) == 1:
        case = services.decide_case(
            actor=actor, case_id=chosen.pop(), decision=decision, reason=reason, now=now, checked=checked, kind=kind
        )
        return f"{done_text(case, decision)}{left}"
    results = services.decide_cases(
        actor=actor,
        case_ids=[case.pk for case in cases if case.pk in chosen],
        decision=decision,
        reason=reason,
        now=now,
        checked=checked,
        kind=kind,
    )
    done = [result.case for result in results if result.case is not None]
    refusals = [told(result, cases) for result in results if result.case is None]
    if not done:
        raise Conflict(" ".join(refusals))
    return " ".join([f"You decided {len(done)} of {len(results)} payments.{left}", *refusals])


def _left_open(count: int) -> str:
    """What was not chosen, in words."""
    if not count:
        return ""
    return (
        f" {count} other payments of this case stay open."
        if count > 1
        else " One other payment of this case stays open."
    )


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
    kind = _kind()
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
        kind=cleaned["kind"] if cleaned["decision"] == "DECLINE" else "",
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
