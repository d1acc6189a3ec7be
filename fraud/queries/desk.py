"""What officers look at: open cases, their checklists, and what lies beside a case."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from fraud import subjects
from fraud.models import (
    AnomalyScore,
    Case,
    CaseCheck,
    CaseNote,
    CaseQuerySet,
    CustomerAnswer,
    Decision,
    DeskConfig,
    Dossier,
)
from fraud.queries import case_queue, customer_of
from fraud.rules.desk import DeskSettings
from fraud.rules.facts import Outcome
from fraud.subjects import CheckItem
from identity.models import User
from identity.permissions import roles_with


def desk_settings() -> DeskSettings:
    """What the fraud desk goes by now."""
    latest = DeskConfig.objects.order_by("-pk").first()
    if latest is None:
        return DeskSettings()
    return DeskSettings(
        critical_hours=latest.critical_hours,
        suspicious_hours=latest.suspicious_hours,
        sample_hours=latest.sample_hours,
        sample_share=latest.sample_share,
    )


def open_cases_of(case: Case) -> list[Case]:
    """The open cases of the same dossier, oldest first, this one among them."""
    open_ones = Case.objects.filter(dossier_id=case.dossier_id, status=Case.Status.OPEN).select_related("decision")
    return list(open_ones.order_by("opened_at", "id"))


def checks_done(dossier_id: uuid.UUID) -> dict[str, CaseCheck]:
    """What is ticked on the checklist of a dossier, by item."""
    found = CaseCheck.objects.filter(dossier_id=dossier_id).select_related("done_by")
    return {check.item: check for check in found}


def checklist_of(cases: Sequence[Case]) -> list[CheckItem]:
    """Everything that has to be checked before these cases are decided, each item once."""
    items = (item for case in cases for item in subjects.checklist(case.subject_kind, case.outcome))
    return list(dict.fromkeys(items))


def open_checks(cases: Sequence[Case]) -> list[CheckItem]:
    """What is not ticked yet for every one of these cases."""
    done = set(
        CaseCheck.objects.filter(dossier_id__in={case.dossier_id for case in cases}).values_list("dossier_id", "item")
    )
    items = (
        item
        for case in cases
        for item in subjects.checklist(case.subject_kind, case.outcome)
        if (case.dossier_id, item.code) not in done
    )
    return list(dict.fromkeys(items))


def rules_with_cases() -> list[str]:
    """What open cases are filed under."""
    return list(Dossier.objects.filter(closed_at=None).order_by("rule").values_list("rule", flat=True).distinct())


def decidable_cases(*, actor: User, limit: int) -> CaseQuerySet:
    """Open cases that the actor may decide: with the actor or with nobody, and not about the actor."""
    mine_or_free = Q(dossier__assigned_to=None) | Q(dossier__assigned_to=actor)
    waiting = case_queue().filter(mine_or_free, status=Case.Status.OPEN).exclude(customer_id=actor.public_id)
    return waiting[:limit]


@dataclass(frozen=True, slots=True)
class ReviewState:
    """How far the review of a payment is, for its customer."""

    may_answer: bool
    answer: CustomerAnswer | None


def review_of(*, actor: User, subject_kind: str, subject_id: uuid.UUID) -> ReviewState:
    """Whether the actor may still say that the payment was theirs, and what they said."""
    own = Case.objects.filter(subject_kind=subject_kind, subject_id=subject_id, customer_id=actor.public_id)
    case = own.select_related("answer").order_by("-opened_at", "id").first()
    answer = getattr(case, "answer", None)
    waits = case is not None and case.status == Case.Status.OPEN and case.outcome == Outcome.FLAGGED
    return ReviewState(may_answer=waits and answer is None, answer=answer)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What an analyst looks at beside the payment itself."""

    customer: User | None
    recent: list[Decision]
    largest_90d_minor: int | None
    earlier_cases: list[Case]
    notes: list[CaseNote]
    checks: list[tuple[CheckItem, CaseCheck | None]]
    together: list[Case]
    anomaly: AnomalyScore | None


def case_file(case: Case) -> CaseFile:
    """The customer's last decisions up to the case's, largest amount, other cases, notes and anomaly score."""
    decision = case.decision
    recent = Decision.objects.filter(customer_id=case.customer_id, at__lte=decision.at).exclude(pk=decision.pk)
    others = Case.objects.filter(customer_id=case.customer_id).exclude(pk=case.pk).select_related("decision")
    others = others.exclude(dossier=case.dossier_id, status=Case.Status.OPEN)
    together, ticked = open_cases_of(case), checks_done(case.dossier_id)
    return CaseFile(
        customer=customer_of(case.customer_id),
        recent=list(recent.order_by("-at", "-id")[:15]),
        largest_90d_minor=decision.features.get("max_amount_90d"),
        earlier_cases=list(others.order_by("-opened_at", "-id")[:10]),
        notes=list(
            CaseNote.objects.filter(case__dossier=case.dossier_id).select_related("author").order_by("at", "id")
        ),
        checks=[(item, ticked.get(item.code)) for item in checklist_of(together or [case])],
        together=together,
        anomaly=AnomalyScore.objects.filter(decision_id=decision.pk).first(),
    )


def officers() -> list[User]:
    """Everybody who may decide a case, by name."""
    roles = roles_with("fraud_decide")
    found = User.objects.filter(is_active=True, is_staff=True, groups__name__in=roles).distinct()
    return list(found.order_by("full_name", "pk"))
