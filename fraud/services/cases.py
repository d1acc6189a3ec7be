"""People deciding about payments that were flagged, blocked, or drawn by lot."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.db import require_transaction, use_case_or_part
from common.errors import DomainError
from fraud import subjects
from fraud.errors import ReasonMissing, UnknownFraudKind
from fraud.models import Case, CaseStatus, Label
from fraud.rules.facts import Outcome
from fraud.rules.fraud_kinds import WORDS
from fraud.services.desk import complete_checks
from fraud.services.dossiers import (
    close_when_done,
    locked_case,
    locked_open_case,
    record,
    refuse_own,
    refuse_taken,
)
from fraud.services.history import remember_release, report_entities
from identity import services as identity
from identity.models import User


class CaseDecision(StrEnum):
    RELEASE = "RELEASE"
    DECLINE = "DECLINE"


_STATUS = {CaseDecision.RELEASE: CaseStatus.RELEASED, CaseDecision.DECLINE: CaseStatus.DECLINED}


def decide_case(
    *,
    actor: User,
    case_id: uuid.UUID,
    decision: str,
    reason: str,
    now: datetime,
    checked: Collection[str] = (),
    kind: str = "",
) -> Case:
    """Release or decline: the money moves or comes back, the label is written, all in one transaction.

    For a blocked payment, whose money never moved, and for a sampled one, whose money is gone, it only clears
    (RELEASE) or confirms (DECLINE) the suspicion. `checked` names items of the checklist that were done meanwhile,
    `kind` the kind of a fraud, as far as it is known; what is released has none.
    Raises PermissionMissing, CaseNotFound, OwnCase, CaseTaken, CaseAlreadyDecided, ReasonMissing, ChecklistOpen,
    UnknownCheck, UnknownFraudKind, UnknownSubjectKind, and whatever the payment's own handler refuses with; then nothing is kept.
    """
    chosen = CaseDecision(decision)
    identity.require(actor, "fraud_decide")
    if not reason.strip():
        raise ReasonMissing
    is_fraud = chosen is CaseDecision.DECLINE
    if kind and (kind not in WORDS or not is_fraud):
        raise UnknownFraudKind(field="kind")
    with use_case_or_part():
        case = locked_open_case(case_id)
        refuse_own(actor, case.customer_id)
        refuse_taken(actor, case.dossier)
        complete_checks(case, actor=actor, checked=checked, now=now)
        case.status = _STATUS[chosen]
        case.decided_by = actor
        case.decided_at = now
        case.reason = reason.strip()
        case.save(update_fields=["status", "decided_by", "decided_at", "reason"])
        label = Label.objects.create(
            decision_id=case.decision_id, is_fraud=is_fraud, kind=kind, labelled_by=actor, labelled_at=now
        )
        report_entities(label)
        record(case, actor, f"fraud.case_{case.status.lower()}", reason=case.reason)
        close_when_done(case.dossier, now=now)
        if case.outcome == Outcome.FLAGGED:
            handlers = subjects.handlers_for(case.subject_kind)
            if not is_fraud:
                remember_release(decision=case.decision, now=now)
            carry_out = handlers.decline if is_fraud else handlers.release
            carry_out(subject_id=case.subject_id, actor=actor, reason=case.reason, now=now)
    return case


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one of several: the decided case, or why it stayed as it was."""

    case_id: uuid.UUID
    case: Case | None
    refusal: str = ""


def decide_cases(
    *,
    actor: User,
    case_ids: Sequence[uuid.UUID],
    decision: str,
    reason: str,
    now: datetime,
    checked: Collection[str] = (),
    kind: str = "",
) -> list[CaseResult]:
    """Decide several with one reason, each in a transaction of its own; one that is refused stops none of the others.

    `checked` counts for each case as far as the item is on its list. Raises PermissionMissing and ReasonMissing
    before the first.
    """
    identity.require(actor, "fraud_decide")
    if not reason.strip():
        raise ReasonMissing
    results = []
    for case_id in dict.fromkeys(case_ids):
        try:
            case = decide_case(
                actor=actor,
                case_id=case_id,
                decision=decision,
                reason=reason,
                now=now,
                checked=_of_its_list(case_id, checked),
                kind=kind,
            )
        except DomainError as refusal:
            results.append(CaseResult(case_id, None, refusal.text))
        else:
            results.append(CaseResult(case_id, case))
    return results


def _of_its_list(case_id: uuid.UUID, checked: Collection[str]) -> list[str]:
    about = Case.objects.filter(pk=case_id).values_list("subject_kind", "outcome").first()
    return [item.code for item in subjects.checklist(*about) if item.code in checked] if about else []


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
    open_ones = Case.objects.filter(subject_kind=subject_kind, subject_id=subject_id, status=CaseStatus.OPEN)
    case_id = open_ones.order_by("opened_at", "id").values_list("pk", flat=True).first()
    if case_id is None:
        return False
    case = locked_case(case_id)
    if case.status != CaseStatus.OPEN:
        return False
    case.status = CaseStatus(status)
    case.decided_by = None
    case.decided_at = now
    case.reason = reason
    case.save(update_fields=["status", "decided_by", "decided_at", "reason"])
    record(case, actor, f"fraud.case_{case.status.lower()}", reason=reason)
    close_when_done(case.dossier, now=now)
    return True
