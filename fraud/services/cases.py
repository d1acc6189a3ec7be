"""People deciding about flagged and blocked payments."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from audit import services as audit
from common.db import require_transaction, use_case, use_case_or_part
from fraud import subjects
from fraud.errors import CaseAlreadyDecided, CaseNotFound, OwnCase, ReasonMissing
from fraud.models import Case, CaseNote, CaseStatus, Label
from fraud.rules.facts import Outcome
from fraud.services.history import remember_release, report_entities
from identity import services as identity
from identity.models import User


class CaseDecision(StrEnum):
    RELEASE = "RELEASE"
    DECLINE = "DECLINE"


_STATUS = {CaseDecision.RELEASE: CaseStatus.RELEASED, CaseDecision.DECLINE: CaseStatus.DECLINED}


def decide_case(*, actor: User, case_id: uuid.UUID, decision: str, reason: str, now: datetime) -> Case:
    """Release or decline: the money moves or comes back, the label is written, all in one transaction.

    A blocked payment's money never moved: deciding its case only confirms (DECLINE) or clears (RELEASE) the suspicion.
    Raises PermissionMissing, CaseNotFound, OwnCase, CaseAlreadyDecided, ReasonMissing, UnknownSubjectKind, and whatever
    the payment's own handler refuses with; then nothing is kept.
    """
    chosen = CaseDecision(decision)
    identity.require(actor, "fraud_decide")
    if not reason.strip():
        raise ReasonMissing
    with use_case_or_part():
        case = _locked_open_case(case_id)
        _refuse_own(actor, case)
        case.status = _STATUS[chosen]
        case.decided_by = actor
        case.decided_at = now
        case.reason = reason.strip()
        case.save(update_fields=["status", "decided_by", "decided_at", "reason"])
        is_fraud = chosen is CaseDecision.DECLINE
        label = Label.objects.create(
            decision_id=case.decision_id, is_fraud=is_fraud, labelled_by=actor, labelled_at=now
        )
        report_entities(label)
        _record(case, actor, f"fraud.case_{case.status.lower()}", reason=case.reason)
        if case.outcome == Outcome.FLAGGED:
            handlers = subjects.handlers_for(case.subject_kind)
            if not is_fraud:
                remember_release(decision=case.decision, now=now)
            carry_out = handlers.decline if is_fraud else handlers.release
            carry_out(subject_id=case.subject_id, actor=actor, reason=case.reason, now=now)
    return case


def close_case_for_subject(
    *,
    subject_kind: str,
    subject_id: uuid.UUID,
    status: str,
    now: datetime,
    reason: str = "",
    actor: User | None = None,
) -> bool:
    """The payment ended by itself: its open case becomes EXPIRED or CANCELLED. True when one was closed.

    Call it before locking the payment: a case is always locked first. Raises NoTransaction outside a transaction, and
    ValueError for any other status.
    """
    require_transaction()
    if status not in (CaseStatus.EXPIRED, CaseStatus.CANCELLED):
        raise ValueError(f"a payment's end makes its case EXPIRED or CANCELLED, not {status}")
    case = (
        Case.objects.select_for_update()
        .filter(subject_kind=subject_kind, subject_id=subject_id, status=CaseStatus.OPEN)
        .order_by("opened_at", "id")
        .first()
    )
    if case is None:
        return False
    case.status = CaseStatus(status)
    case.decided_by = None
    case.decided_at = now
    case.reason = reason
    case.save(update_fields=["status", "decided_by", "decided_at", "reason"])
    _record(case, actor, f"fraud.case_{case.status.lower()}", reason=reason)
    return True


def assign_case(*, actor: User, case_id: uuid.UUID, assignee: User) -> Case:
    """Give an open case to somebody who may decide it (or take it oneself).

    Raises PermissionMissing (also when the assignee may not decide), CaseNotFound, OwnCase, CaseAlreadyDecided.
    """
    identity.require(actor, "fraud_decide")
    identity.require(assignee, "fraud_decide")
    with use_case():
        case = _locked_open_case(case_id)
        _refuse_own(assignee, case)
        case.assigned_to = assignee
        case.save(update_fields=["assigned_to"])
        _record(case, actor, "fraud.case_assigned", assignee=str(assignee.public_id))
    return case


def release_assignment(*, actor: User, case_id: uuid.UUID) -> Case:
    """Put an open case back into the queue. Raises PermissionMissing, CaseNotFound, CaseAlreadyDecided."""
    identity.require(actor, "fraud_decide")
    with use_case():
        case = _locked_open_case(case_id)
        case.assigned_to = None
        case.save(update_fields=["assigned_to"])
        _record(case, actor, "fraud.case_unassigned")
    return case


def add_note(*, actor: User, case_id: uuid.UUID, text: str, now: datetime) -> CaseNote:
    """Write a note beside a case, also after it was decided. Raises PermissionMissing, CaseNotFound, ReasonMissing."""
    identity.require(actor, "fraud_decide")
    if not text.strip():
        raise ReasonMissing
    with use_case():
        case = Case.objects.filter(pk=case_id).first()
        if case is None:
            raise CaseNotFound
        note = CaseNote.objects.create(case=case, author=actor, text=text.strip()[:2000], at=now)
        _record(case, actor, "fraud.case_noted", note=note.pk)
    return note


def _locked_open_case(case_id: uuid.UUID) -> Case:
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise CaseNotFound
    if case.status != CaseStatus.OPEN:
        raise CaseAlreadyDecided(_what_became_of(case), data={"status": case.status})
    return case


def _what_became_of(case: Case) -> str:
    status = case.get_status_display().lower()
    if case.decided_by is None:
        return f"This case was decided in the meantime: it is {status}."
    return f"This case was decided in the meantime: {case.decided_by.get_full_name()} {status} it."


def _refuse_own(actor: User, case: Case) -> None:
    if case.customer_id == actor.public_id:
        raise OwnCase


def _record(case: Case, actor: User | None, action: str, *, reason: str = "", **data: object) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject_kind="fraud_case",
        subject_id=case.pk,
        reason=reason,
        data={"payment_kind": case.subject_kind, "payment": str(case.subject_id), "outcome": case.outcome, **data},
    )
