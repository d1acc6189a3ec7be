"""Work at the fraud desk: who has which case, notes, checklists, and what the desk goes by."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db.models import F

from audit import services as audit
from common.db import require_transaction, use_case
from common.errors import Invalid
from fraud import subjects
from fraud.errors import CaseNotFound, ChecklistOpen, ReasonMissing, UnknownCheck
from fraud.models import Case, CaseCheck, CaseNote, CaseStatus, DeskConfig, Dossier
from fraud.rules.desk import DeskSettings
from fraud.services.dossiers import locked_open_case, record, refuse_own, refuse_taken
from identity import services as identity
from identity.models import User

LONGEST_HOURS = 24 * 90
HIGHEST_SHARE = 0.1


def claim_next(*, actor: User, now: datetime) -> Case | None:
    """Take what is most urgent, and of that what is due first; None when nothing waits for this officer.

    Two officers at once get two different cases: each passes over what the other is just taking. Raises
    PermissionMissing.
    """
    identity.require(actor, "fraud_decide")
    with use_case():
        waiting = Dossier.objects.filter(closed_at=None, assigned_to=None).exclude(customer_id=actor.public_id)
        ordered = waiting.order_by(F("urgency").desc(), "due_at", "id")
        dossier = ordered.select_for_update(skip_locked=True, of=("self",)).first()
        if dossier is None:
            return None
        case = _leading_case(dossier)
        _give(dossier, case, actor=actor, assignee=actor, now=now)
    return case


def assign_case(*, actor: User, case_id: uuid.UUID, assignee: User, now: datetime) -> Case:
    """Give an open case, with all others of its dossier, to somebody who may decide it, or take it oneself.

    What a colleague has is not taken away: they give it to you, or put it back. Raises PermissionMissing (also when
    the assignee may not decide), CaseNotFound, OwnCase, CaseTaken, CaseAlreadyDecided.
    """
    identity.require(actor, "fraud_decide")
    identity.require(assignee, "fraud_decide")
    with use_case():
        case = locked_open_case(case_id)
        refuse_own(assignee, case.customer_id)
        if assignee.pk == actor.pk:
            refuse_taken(actor, case.dossier)
        _give(case.dossier, case, actor=actor, assignee=assignee, now=now)
    return case


def release_assignment(*, actor: User, case_id: uuid.UUID) -> Case:
    """Put an open case back into the queue. Raises PermissionMissing, CaseNotFound, CaseAlreadyDecided."""
    identity.require(actor, "fraud_decide")
    with use_case():
        case = locked_open_case(case_id)
        case.dossier.assigned_to = None
        case.dossier.assigned_at = None
        case.dossier.save(update_fields=["assigned_to", "assigned_at"])
        record(case, actor, "fraud.case_unassigned")
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
        record(case, actor, "fraud.case_noted", note=note.pk)
    return note


def check_items(*, actor: User, case_id: uuid.UUID, items: Collection[str], now: datetime) -> Case:
    """Tick items of the checklist; what is ticked stays so. Raises PermissionMissing, CaseNotFound, OwnCase,
    CaseTaken, CaseAlreadyDecided, UnknownCheck.
    """
    identity.require(actor, "fraud_decide")
    with use_case():
        case = locked_open_case(case_id)
        refuse_own(actor, case.customer_id)
        refuse_taken(actor, case.dossier)
        _tick(case, actor=actor, items=items, now=now)
    return case


def complete_checks(case: Case, *, actor: User, checked: Collection[str], now: datetime) -> None:
    """Tick `checked` and see to it that nothing of the case's checklist is left open.

    Call it under the case's locks. Raises NoTransaction, UnknownCheck, ChecklistOpen.
    """
    require_transaction()
    done = _tick(case, actor=actor, items=checked, now=now)
    missing = [item for item in subjects.checklist(case.subject_kind, case.outcome) if item.code not in done]
    if missing:
        raise ChecklistOpen([(item.code, item.text) for item in missing])


def set_desk(*, actor: User, settings: DeskSettings, reason: str, now: datetime) -> DeskConfig:
    """When cases are due (for those that open from now on), and which share of approved payments is sampled.

    Raises PermissionMissing, Invalid, ReasonMissing.
    """
    identity.require(actor, "fraud_approve_rules")
    for name in ("critical_hours", "suspicious_hours", "sample_hours"):
        if not 1 <= getattr(settings, name) <= LONGEST_HOURS:
            raise Invalid(f"Give a number of hours from 1 to {LONGEST_HOURS}.", field=name)
    if not 0.0 <= settings.sample_share <= HIGHEST_SHARE:
        raise Invalid(f"Sample between 0 % and {HIGHEST_SHARE:.0%} of approved payments.", field="sample_share")
    if not reason.strip():
        raise ReasonMissing
    with use_case():
        change = DeskConfig.objects.create(
            critical_hours=settings.critical_hours,
            suspicious_hours=settings.suspicious_hours,
            sample_hours=settings.sample_hours,
            sample_share=settings.sample_share,
            reason=reason.strip(),
            changed_by=actor,
            changed_at=now,
        )
        audit.record(
            actor=actor,
            action="fraud.desk_set",
            subject_kind="fraud_switch",
            subject_id="desk",
            reason=reason.strip(),
            data={"desk": str(change)},
        )
    return change


def _leading_case(dossier: Dossier) -> Case:
    """The oldest open case; an open dossier has one."""
    return Case.objects.filter(dossier=dossier, status=CaseStatus.OPEN).order_by("opened_at", "id")[0]


def _give(dossier: Dossier, case: Case, *, actor: User, assignee: User, now: datetime) -> None:
    dossier.assigned_to = assignee
    dossier.assigned_at = now
    dossier.save(update_fields=["assigned_to", "assigned_at"])
    case.dossier = dossier
    record(case, actor, "fraud.case_assigned", assignee=str(assignee.public_id), name=assignee.get_full_name())


def _tick(case: Case, *, actor: User, items: Collection[str], now: datetime) -> set[str]:
    """Write down what is new among `items`; returns everything that is done."""
    known = {item.code for item in subjects.checklist(case.subject_kind, case.outcome)}
    if not set(items) <= known:
        raise UnknownCheck(field="checks")
    done = set(CaseCheck.objects.filter(dossier_id=case.dossier_id).values_list("item", flat=True))
    new = sorted(set(items) - done)
    CaseCheck.objects.bulk_create(
        CaseCheck(dossier_id=case.dossier_id, item=item, done_by=actor, done_at=now) for item in new
    )
    if new:
        record(case, actor, "fraud.case_checked", items=new)
    return done | set(new)
