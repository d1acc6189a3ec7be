"""The drawings and lists around a case: history, links, layers, similar cases, story."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.template.defaultfilters import date

from audit.rules.actions import told
from common import geography
from common.money import Money
from fraud.admin.deciding import money_of
from fraud.admin.report_charts import short_money
from fraud.models import Case, Decision
from fraud.queries import casebook
from fraud.queries.casebook import Happening, Links
from fraud.rules.drawing import Chart, Drawing, Mark, Node, across, ceiling, lay_out, ticks, upwards
from fraud.rules.facts import Outcome, risk_level

LAYER_NAMES = {
    "rules": "Rules",
    "supervised": "Learnt from labels",
    "isolation_forest": "Isolation Forest",
    "one_class_svm": "One-Class SVM",
    "autoencoder": "Autoencoder",
}
_KINDS = {"payee": "Payee", "device": "Device", "address": "Internet address"}
_TONES = {Outcome.APPROVED: "accent", Outcome.FLAGGED: "wait", Outcome.BLOCKED: "bad"}
_STORY = {
    "payment": "The payment was asked for",
    "label.fraud": "The payment counts as fraud from now on",
    "label.honest": "The payment counts as honest from now on",
}
_BAD = ("fraud.customer_denied", "fraud.case_declined", "label.fraud")


def history_chart(decision: Decision, payments: Sequence[Decision]) -> Chart | None:
    """The customer's payments of 90 days by amount, this one marked; None when it is the only one."""
    known = [payment for payment in payments if payment.amount_base_minor is not None]
    if len(known) < 2:
        return None
    start = decision.at - casebook.HISTORY
    currency = settings.BASE_CURRENCY
    x = across(0.0, casebook.HISTORY.total_seconds())
    y = upwards(ceiling(max(_major(payment) for payment in known)))
    dots = []
    for payment in sorted(known, key=lambda each: each.pk == decision.pk):
        this = payment.pk == decision.pk
        money = Money(payment.amount_minor, payment.currency)
        dots.append(
            Mark(
                x.at((payment.at - start).total_seconds()),
                y.at(_major(payment)),
                _TONES[Outcome(payment.outcome)] + (" this" if this else ""),
                f"{date(payment.at, 'j M Y, H:i')}: {money}, {payment.get_outcome_display().lower()}"
                + (" (this payment)" if this else ""),
                radius=7.0 if this else 3.5,
            )
        )
    amounts = sorted(_major(payment) for payment in known if payment.pk != decision.pk)
    return Chart(
        title="Amounts of 90 days",
        summary=(
            f"{len(known)} payments in 90 days. The others lie between {_money(amounts[0])} and {_money(amounts[-1])}, "
            f"half of them up to {_money(amounts[len(amounts) // 2])}; this one is {money_of_decision(decision)}."
        ),
        note=f"in {currency} at the rates of then",
        x_ticks=ticks(x, lambda seconds: date(start + casebook.HISTORY * (seconds / x.high), "j M"), parts=3),
        y_ticks=ticks(y, short_money, parts=4),
        dots=dots,
    )


def money_of_decision(decision: Decision) -> Money:
    return Money(decision.amount_minor, decision.currency)


def _major(decision: Decision) -> float:
    """For drawing only."""
    return (decision.amount_base_minor or 0) / 100


def _money(major: float) -> str:
    return str(Money(round(major * 100), settings.BASE_CURRENCY))


def links_drawing(links: Links, name: str) -> Drawing:
    """The customer with accounts on the left, what is used in the middle, whoever else uses it on the right."""
    nodes = [Node("customer", 0, name, "Customer", here=True)]
    nodes += [Node(f"account {label}", 0, label, "Account") for label in links.accounts]
    ties = []
    others: dict[str, None] = {}
    for number, shared in enumerate(links.shared):
        key = f"shared {number}"
        kind = f"{_KINDS[shared.entity]}, {shared.payments} {'payment' if shared.payments == 1 else 'payments'}"
        name_only = shared.label.rpartition(", ")[0] or shared.label
        nodes.append(Node(key, 1, name_only, kind, alarm=shared.frauds > 0, here=shared.is_of_this))
        ties.append(("customer", key))
        for other in shared.others:
            if other in others or len(others) < casebook.MOST_OTHERS:
                others[other] = None
                ties.append((key, f"other {other}"))
    nodes += [Node(f"other {other}", 2, other, "Other customer") for other in others]
    return lay_out(nodes, ties)


def links_rows(links: Links) -> list[dict[str, Any]]:
    """The drawing in words."""
    return [
        {
            "kind": _KINDS[shared.entity],
            "label": shared.label,
            "payments": shared.payments,
            "frauds": shared.frauds,
            "others": ", ".join(shared.others) or "nobody else",
        }
        for shared in links.shared
    ]


def layer_rows(decision: Decision) -> list[dict[str, Any]]:
    """What each layer said, most suspicious first."""
    return [
        {
            "name": LAYER_NAMES.get(name, name),
            "score": f"{score:.2f}",
            "percent": round(100 * score),
            "level": risk_level(score).value.capitalize(),
            "decided": name == decision.primary_method,
        }
        for name, score in sorted(decision.layers.items(), key=lambda item: -item[1])
    ]


def similar_rows(case: Case, url: Callable[..., str]) -> list[dict[str, Any]]:
    return [
        {
            "url": url("change", found.case.pk),
            "opened": date(found.case.opened_at, "j M Y"),
            "amount": str(money_of(found.case)),
            "payee": found.case.decision.beneficiary_label.rpartition(", ")[0]
            or found.case.decision.beneficiary_label
            or "–",
            "country": geography.country_name(found.case.decision.country) or "not known",
            "was_fraud": found.is_fraud,
            "reason": found.case.reason,
        }
        for found in casebook.similar_cases(case)
    ]


def story_rows(case: Case) -> list[dict[str, str]]:
    """The timeline; with several payments each line says which."""
    found = casebook.story_of(case)
    several = len({each.case_id for each in found}) > 1
    amounts = {each.pk: str(money_of(each)) for each in case.dossier.cases.select_related("decision")}
    return [
        {
            "at": date(each.at, "j M Y, H:i"),
            "title": _STORY.get(each.action) or told(each.action),
            "which": amounts.get(each.case_id, "") if several and each.case_id else "",
            "who": each.who,
            "text": each.text,
            "tone": _tone(each),
        }
        for each in found
    ]


def _tone(each: Happening) -> str:
    return "bad" if each.action in _BAD else ""
