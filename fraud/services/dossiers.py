"""What everything about a case begins and ends with: its locks, its trail, and closing its dossier."""

from __future__ import annotations

import uuid
from datetime import datetime

from audit import services as audit
from fraud.errors import CaseAlreadyDecided, CaseNotFound, CaseTaken, OwnCase
from fraud.models import Case, CaseStatus, Dossier
from fraud.services.history import lock_customer
from identity.models import User


def locked_case(case_id: uuid.UUID) -> Case:
    """The case, locked after its customer and its dossier. Raises CaseNotFound."""
    about = Case.objects.filter(pk=case_id).values_list("customer_id", "dossier_id").first()
    if about is None:
        raise CaseNotFound
    customer_id, dossier_id = about
    lock_customer(customer_id=customer_id)
    dossier = Dossier.objects.select_for_update(of=("self",)).get(pk=dossier_id)
    case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
    case.dossier = dossier
    return case


def locked_open_case(case_id: uuid.UUID) -> Case:
    """Raises CaseNotFound, and CaseAlreadyDecided, which says what became of it and who decided."""
    case = locked_case(case_id)
    if case.status != CaseStatus.OPEN:
        raise CaseAlreadyDecided(_what_became_of(case), data={"status": case.status})
    return case


def _what_became_of(case: Case) -> str:
    status = case.get_status_display().lower()
    if case.decided_by is None:
        return f"This case was decided in the meantime: it is {status}."
    return f"This case was decided in the meantime: {case.decided_by.get_full_name()} {status} it."


def refuse_own(actor: User, customer_id: uuid.UUID) -> None:
    """Raises OwnCase: nobody touches a case about a payment of their own."""
    if customer_id == actor.public_id:
        raise OwnCase


def refuse_taken(actor: User, dossier: Dossier) -> None:
    """Raises CaseTaken, which names the colleague."""
    holder = dossier.assigned_to
    if holder is not None and holder.pk != actor.pk:
        raise CaseTaken(f"{holder.get_full_name()} has this case.")


def close_when_done(dossier: Dossier, *, now: datetime) -> None:
    """Close the dossier after the last of its open cases; the caller holds its lock."""
    if not Case.objects.filter(dossier=dossier, status=CaseStatus.OPEN).exists():
        dossier.closed_at = now
        dossier.save(update_fields=["closed_at"])


def record(case: Case, actor: User | None, action: str, *, reason: str = "", **data: object) -> None:
    """Write what happened to a case into the trail."""
    audit.record(
        actor=actor,
        action=action,
        subject_kind="fraud_case",
        subject_id=case.pk,
        reason=reason,
        data={"payment_kind": case.subject_kind, "payment": str(case.subject_id), "outcome": case.outcome, **data},
    )
