"""The officers' side: approve or decline a referred application, with a second officer above the policy's limit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts import queries as accounts
from audit import services as audit
from common.db import use_case
from identity import queries as identity_queries
from identity import services as identity
from identity.models import User
from loans.errors import (
    NotPossibleNow,
    OwnDecision,
    ReasonRequired,
    RelatedDecision,
    SecondOfficerNeeded,
    UnknownApplication,
)
from loans.models import Application, Decision
from loans.rules.deciding import Reason
from loans.services import applications, underwriting


def approve(*, actor: User, application_id: UUID, reason: str, now: datetime) -> Application:
    """Approve a referred application. Above the policy's limit the first approval is a recommendation to a second officer.

    Raises PermissionMissing (loan_decide), UnknownApplication, OwnDecision, RelatedDecision, NotPossibleNow,
    ReasonRequired, SecondOfficerNeeded for the officer who recommended it.
    """
    with use_case():
        application = _lock_to_decide(actor, application_id, reason)
        assessment = underwriting.assess(application, now=now)
        amount = accounts.to_base(application.amount)
        needs_two = amount is None or amount > assessment.policy.second_officer_above_minor
        outcome = Decision.Outcome.APPROVE
        if application.first_approver_id == actor.pk:
            raise SecondOfficerNeeded()
        if application.first_approver_id is not None:
            application.second_approver = actor
        else:
            application.first_approver = actor
            if needs_two:
                outcome = Decision.Outcome.RECOMMEND
        applications.record_decision(
            application, assessment, outcome=outcome, officer=actor, reason=reason.strip(), reasons=(), now=now
        )
        if outcome == Decision.Outcome.APPROVE:
            applications.offer(application, assessment, now=now)
        else:
            application.changed_at = now
            application.save()
        _trail(application, actor, outcome, reason)
        return application


def decline(*, actor: User, application_id: UUID, reason: str, told: str, now: datetime) -> Application:
    """Decline a referred application. `reason` stays in the bank; `told` is what the customer reads.

    Raises as `approve` does, but any officer may decline.
    """
    with use_case():
        application = _lock_to_decide(actor, application_id, reason)
        if not told.strip():
            raise ReasonRequired("Tell the customer why.", field="told")
        assessment = underwriting.assess(application, now=now)
        applications.record_decision(
            application,
            assessment,
            outcome=Decision.Outcome.DECLINE,
            officer=actor,
            reason=reason.strip(),
            reasons=(Reason("officer", told.strip()),),
            now=now,
        )
        applications.decline(application, [told.strip()], now=now)
        _trail(application, actor, Decision.Outcome.DECLINE, reason)
        return application


def _lock_to_decide(actor: User, application_id: UUID, reason: str) -> Application:
    identity.require(actor, "loan_decide")
    rows = Application.objects.select_for_update(of=("self",)).select_related("product", "customer", "account")
    application = rows.filter(pk=application_id).first()
    if application is None:
        raise UnknownApplication()
    if application.customer_id == actor.pk:
        raise OwnDecision()
    if identity_queries.are_connected(actor, application.customer):
        raise RelatedDecision()
    if application.status != Application.Status.REFERRED:
        raise NotPossibleNow(data={"status": application.status})
    if not reason.strip():
        raise ReasonRequired(field="reason")
    return application


def _trail(application: Application, actor: User, outcome: str, reason: str) -> None:
    audit.record(
        actor=actor,
        action="loan_application.decided",
        subject_kind="loan_application",
        subject_id=application.pk,
        data={"outcome": str(outcome), "status": application.status, "amount_minor": application.amount_minor},
        reason=reason.strip(),
    )
