"""What the page of a case shows, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.defaultfilters import date
from django.urls import reverse
from django.utils import timezone

from common import geography
from common.money import Money
from fraud.admin.deciding import TogetherForm, money_of
from fraud.admin.files import CHANNELS, choice
from fraud.admin.queue import URGENCY_COLOURS, due_text
from fraud.models import Case, Decision
from fraud.queries import customer_of, desk
from fraud.services import CaseResult
from identity.models import User


def customer_name(customer: User | None) -> str:
    return _name(customer) or "Customer of another system"


def headline(case: Case, customer: User | None) -> str:
    decision = case.decision
    payer = _name(customer) or getattr(case, "customer_name", "") or "a customer of another system"
    payee = decision.beneficiary_label.rpartition(", ")[0] or decision.beneficiary_label or decision.beneficiary_ref
    return f"{money_of(case)} from {payer} to {payee or 'outside'}"


def payment_facts(case: Case, customer: User | None = None) -> list[tuple[str, object]]:
    """The payment itself, label by label."""
    decision = case.decision
    customer = customer or customer_of(case.customer_id)
    base = "" if decision.currency == settings.BASE_CURRENCY else f" ({in_base(decision.amount_base_minor)})"
    home = geography.country_name(decision.home_country) or "not known"
    return [
        ("Amount", f"{money_of(case)}{base}"),
        ("From", ", ".join(part for part in (_name(customer), decision.account_label) if part)),
        ("To", decision.beneficiary_label or decision.beneficiary_ref or "–"),
        ("When", date(decision.at, "j F Y, H:i:s e")),
        ("Asked for from", f"{geography.country_name(decision.country) or 'not known'}; at home in {home}"),
        ("Internet address", decision.ip or "not known"),
        ("Asked for through", choice(CHANNELS, decision.channel)),
    ]


def in_base(minor: int | None) -> str:
    return "not known" if minor is None else str(Money(minor, settings.BASE_CURRENCY))


def _name(customer: User | None) -> str:
    return customer.get_full_name() if customer else ""


def colleagues(request: HttpRequest, case: Case) -> list[User]:
    """Who else may take the case: not oneself, not whoever has it, not whom it is about."""
    left_out = {request.user.pk, case.dossier.assigned_to_id}
    return [
        officer for officer in desk.officers() if officer.pk not in left_out and officer.public_id != case.customer_id
    ]


def recent_rows(decisions: list[Decision]) -> list[dict[str, str]]:
    return [
        {
            "when": date(decision.at, "j M Y, H:i"),
            "amount": str(Money(decision.amount_minor, decision.currency)),
            "payee": decision.beneficiary_label or decision.beneficiary_ref or "–",
            "country": geography.country_name(decision.country) or "not known",
            "outcome": decision.get_outcome_display(),
            "url": reverse("admin:fraud_decision_change", args=[decision.pk]),
        }
        for decision in decisions
    ]


def case_rows(cases: list[Case], url: Callable[..., str]) -> list[dict[str, Any]]:
    return [
        {
            "url": url("change", case.pk),
            "opened": date(case.opened_at, "j M Y H:i"),
            "amount": str(money_of(case)),
            "payee": case.decision.beneficiary_label or case.decision.beneficiary_ref or "–",
            "status": case.get_status_display(),
            "reason": case.reason,
        }
        for case in cases
    ]


def choice_rows(
    cases: list[Case], form: TogetherForm, url: Callable[..., str], names: dict[str, str]
) -> list[dict[str, Any]]:
    """Cases to choose from; what was ticked stays ticked when something else is wrong."""
    ticked = set(form.data.getlist("cases")) if form.is_bound else set()  # type: ignore[attr-defined]
    now = timezone.now()
    return [
        {
            **row,
            "id": str(case.pk),
            "ticked": str(case.pk) in ticked,
            "customer": getattr(case, "customer_name", "") or "Customer of another system",
            "why": names.get(case.dossier.rule, case.dossier.rule),
            "urgency": case.dossier.get_urgency_display(),
            "urgency_colour": URGENCY_COLOURS[case.dossier.get_urgency_display()],
            "due": due_text(case, now),
            "kind": case.get_outcome_display(),
        }
        for case, row in zip(cases, case_rows(cases, url), strict=True)
    ]


def result_rows(results: list[CaseResult], cases: list[Case], url: Callable[..., str]) -> list[dict[str, Any]]:
    """What became of each case that was chosen."""
    known = {case.pk: case for case in cases}
    return [
        {
            "url": url("change", result.case_id),
            "headline": headline(known[result.case_id], None),
            "done": result.case is not None,
            "outcome": result.case.get_status_display() if result.case else f"Stays open. {result.refusal}",
        }
        for result in results
    ]
