"""What lies around a case: the customer's payments, what is shared with others, similar cases, and what happened when."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log1p
from typing import Any

from audit.models import AuditEvent
from fraud.models import Activity, Case, CaseNote, CustomerAnswer, Decision, EntityReport, Label
from fraud.rules.entities import Entities, entities_of
from identity.models import User

HISTORY = timedelta(days=90)
MOST_PAYMENTS = 500
# How many payees, devices and addresses are drawn, and how many payments of each are looked at.
MOST_PAYEES, MOST_DEVICES, MOST_ADDRESSES = 4, 3, 3
MOST_OTHERS = 8
_LATEST = 300
_CANDIDATES = 300
MOST_SIMILAR = 5


def payments_before(decision: Decision) -> list[Decision]:
    """The customer's payments of the 90 days up to this one, it included, oldest first; the latest 500 of them."""
    found = Decision.objects.filter(customer_id=decision.customer_id, at__gt=decision.at - HISTORY, at__lte=decision.at)
    return list(reversed(found.order_by("-at", "-id")[:MOST_PAYMENTS]))


@dataclass(frozen=True, slots=True)
class Shared:
    """A payee, device or address of the customer: how often, how many frauds are known of it, and who else used it."""

    entity: str
    label: str
    payments: int
    frauds: int
    others: list[str]
    is_of_this: bool


@dataclass(frozen=True, slots=True)
class Links:
    """The customer's accounts and what ties the customer to others."""

    accounts: list[str]
    shared: list[Shared]


def links_of(decision: Decision, payments: Sequence[Decision]) -> Links:
    """What this payment and the customer's latest ones share with other customers of the last 90 days."""
    this = _named(decision)
    counts: dict[str, Counter[tuple[int, str]]] = {entity: Counter() for entity in this}
    for payment in reversed(payments):
        for entity, named in _named(payment).items():
            if named is not None:
                counts[entity][named] += 1
    chosen: list[tuple[str, int, str, int, bool]] = []
    for entity, most in (("payee", MOST_PAYEES), ("device", MOST_DEVICES), ("address", MOST_ADDRESSES)):
        named = this[entity]
        ranked = [] if named is None else [named]
        ranked += [other for other, _ in counts[entity].most_common(most) if other != named]
        chosen += [
            (entity, key, label, counts[entity][(key, label)], (key, label) == named) for key, label in ranked[:most]
        ]
    frauds = Counter(
        EntityReport.objects.filter(key__in=[key for _, key, *_ in chosen], is_fraud=True).values_list("key", flat=True)
    )
    users = {(entity, key): _other_users(decision, entity, key) for entity, key, *_ in chosen}
    names = _names({user for found in users.values() for user in found})
    shared = [
        Shared(
            entity, label, count, frauds[key], [names[user] for user in users[entity, key] if user in names], is_this
        )
        for entity, key, label, count, is_this in chosen
    ]
    accounts = dict.fromkeys(payment.account_label for payment in reversed(payments) if payment.account_label)
    return Links(list(accounts)[:4], shared)


def _named(decision: Decision) -> dict[str, tuple[int, str] | None]:
    """Key and words of payee, device and address; None where nothing was told."""
    keys: Entities = entities_of(beneficiary_ref=decision.beneficiary_ref, device=decision.device, ip=decision.ip or "")
    payee = decision.beneficiary_label or decision.beneficiary_ref or "Unnamed payee"
    return {
        "payee": (keys.beneficiary, payee),
        "device": None if keys.device is None else (keys.device, device_name(decision.device)),
        "address": None if keys.ip is None else (keys.ip, str(decision.ip)),
    }


_COLUMNS = {"payee": "payee_key", "device": "device_key", "address": "ip_key"}


def _other_users(decision: Decision, entity: str, key: int) -> list[uuid.UUID]:
    """Other customers among the latest payments of this payee, device or address, most frequent first."""
    found = Activity.objects.filter(**{_COLUMNS[entity]: key}, requested=True, at__gt=decision.at - HISTORY)
    latest = found.order_by("-at").values_list("customer_id", flat=True)[:_LATEST]
    counted = Counter(customer for customer in latest if customer != decision.customer_id)
    return [customer for customer, _ in counted.most_common(4)]


def _names(customers: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    known = User.objects.filter(public_id__in=customers).values_list("public_id", "full_name")
    return dict.fromkeys(customers, "Customer of another system") | dict(known)


def device_name(user_agent: str) -> str:
    """Browser and system of a user agent, as far as a person wants to read it."""
    systems = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")
    browsers = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    system = next((name for name in systems if name in user_agent), "")
    browser = next((name for sign, name in browsers.items() if sign in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or user_agent[:40]


@dataclass(frozen=True, slots=True)
class Similar:
    """A decided case about the same rule; `distance` is 0 for the same values."""

    case: Case
    is_fraud: bool
    distance: float


def similar_cases(case: Case) -> list[Similar]:
    """The decided cases about the same rule whose payments come closest, with what became of them."""
    labelled = Label.objects.filter(decision__case__dossier__rule=case.dossier.rule)
    labelled = labelled.exclude(decision__case__dossier=case.dossier_id)
    rows = labelled.select_related("decision__case", "decision").order_by("-labelled_at", "-pk")[:_CANDIDATES]
    here = _place(case.decision.features)
    found = [
        Similar(label.decision.case, label.is_fraud, _distance(here, _place(label.decision.features))) for label in rows
    ]
    return sorted(found, key=lambda each: (each.distance, each.case.pk))[:MOST_SIMILAR]


# What makes two payments alike to a person: size, how far from the usual, how fast, to whom, when.
_SCALES = {
    "transaction_amount": 1.0,
    "amount_to_max_ratio": 1.0,
    "txn_count_10min": 0.7,
    "txn_count_1hour": 0.5,
    "beneficiary_txn_count_30d": 0.7,
    "user_txn_frequency": 0.5,
}
_SWITCHES = ("is_new_beneficiary", "geo_anomaly_flag", "is_night", "transfer_type_encoded")


def _place(features: dict[str, Any]) -> list[float]:
    sizes = [scale * log1p(max(_number(features.get(name)), 0.0)) for name, scale in _SCALES.items()]
    return sizes + [_number(features.get(name)) for name in _SWITCHES]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _distance(one: list[float], other: list[float]) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a case's story. `action` is the trail's word for it."""

    at: datetime
    action: str
    who: str
    text: str
    case_id: uuid.UUID | None = None


def story_of(case: Case) -> list[Happening]:
    """What happened to a case and the others of its dossier, in order: the payment, the desk, the customer, the label."""
    cases = {str(each.pk): each for each in Case.objects.filter(dossier=case.dossier_id).select_related("decision")}
    notes = {str(note.pk): note.text for note in CaseNote.objects.filter(case__dossier=case.dossier_id)}
    found = [Happening(each.decision.at, "payment", "", "", each.pk) for each in cases.values()]
    events = AuditEvent.objects.filter(subject_kind="fraud_case", subject_id__in=list(cases)).select_related("actor")
    for event in events.order_by("id"):
        text = notes.get(str(event.data.get("note", "")), event.reason)
        if event.action == "fraud.case_assigned":
            text = str(event.data.get("name", ""))
        who = event.actor.get_full_name() if event.actor else ""
        found.append(Happening(event.at, event.action, who, text, cases[event.subject_id].pk))
    labels = Label.objects.filter(decision__case__dossier=case.dossier_id).select_related(
        "decision__case", "labelled_by"
    )
    found += [
        Happening(
            label.labelled_at,
            "label.fraud" if label.is_fraud else "label.honest",
            label.labelled_by.get_full_name(),
            "",
            label.decision.case.pk,
        )
        for label in labels
    ]
    return sorted(found, key=lambda each: each.at)


def answers_of(case: Case) -> list[CustomerAnswer]:
    """What the customer said about the payments of a dossier."""
    return list(CustomerAnswer.objects.filter(case__dossier=case.dossier_id).order_by("answered_at", "pk"))
