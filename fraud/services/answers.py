"""What the customer says about a payment under review: "this was me", or not. It informs officers and decides nothing."""

from __future__ import annotations

import uuid
from datetime import datetime

from common import request_context
from common.db import use_case
from common.money import Money, display
from fraud.errors import AlreadyAnswered, CaseNotFound, NotUnderReview
from fraud.models import Case, CaseStatus, CustomerAnswer
from fraud.queries import desk
from fraud.rules.desk import Urgency
from fraud.rules.entities import address_of
from fraud.rules.facts import Outcome
from fraud.services.dossiers import locked_case, record
from identity import services as identity
from identity.models import User
from notifications import services as notifications


def answer_for_subject(
    *, actor: User, subject_kind: str, subject_id: uuid.UUID, is_mine: bool, pin: str, now: datetime
) -> CustomerAnswer:
    """Keep the customer's one answer about their own payment under review. A "no" makes the case critical.

    Raises CaseNotFound (also when it is somebody else's), NotUnderReview, AlreadyAnswered, and what the PIN check
    raises: WrongPin, PinLocked, PinNotSet.
    """
    case = _case_of(actor, subject_kind, subject_id)
    _require_open(case)
    identity.verify_pin(actor=actor, pin=pin, now=now)
    with use_case():
        case = locked_case(case.pk)
        _require_open(case)
        answer = CustomerAnswer.objects.create(
            case=case,
            is_mine=is_mine,
            answered_by=actor,
            answered_at=now,
            ip=address_of(request_context.current().ip),
        )
        if not is_mine:
            _hurry(case, now=now)
        record(case, actor, "fraud.customer_confirmed" if is_mine else "fraud.customer_denied")
        _thank(case, actor, is_mine=is_mine)
    return answer


def _case_of(actor: User, subject_kind: str, subject_id: uuid.UUID) -> Case:
    own = Case.objects.filter(subject_kind=subject_kind, subject_id=subject_id, customer_id=actor.public_id)
    case = own.order_by("-opened_at", "id").first()
    if case is None:
        raise CaseNotFound
    return case


def _require_open(case: Case) -> None:
    if CustomerAnswer.objects.filter(case=case).exists():
        raise AlreadyAnswered
    if case.status != CaseStatus.OPEN or case.outcome != Outcome.FLAGGED:
        raise NotUnderReview


def _hurry(case: Case, *, now: datetime) -> None:
    """The customer disowns the payment: it goes to the front of the queue."""
    dossier = case.dossier
    dossier.urgency = Urgency.CRITICAL
    dossier.due_at = min(dossier.due_at, desk.desk_settings().due_at(Urgency.CRITICAL, now))
    dossier.save(update_fields=["urgency", "due_at"])


def _thank(case: Case, actor: User, *, is_mine: bool) -> None:
    decision = case.decision
    notifications.notify(
        user_id=actor.pk,
        kind="payment_owned" if is_mine else "payment_disowned",
        data={
            "amount": display(Money(decision.amount_minor, decision.currency)),
            "payee": decision.beneficiary_label.rpartition(", ")[0] or decision.beneficiary_label or "its payee",
        },
    )
