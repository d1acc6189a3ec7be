"""A person's own application: started, filled, sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit import services as audit
from common import encryption
from common.db import require_transaction, use_case
from identity.models import User
from kyc import queries
from kyc.errors import AlreadyApproved, ApplicationNotFound, FinallyRejected, Incomplete, InvalidDetails, NotEditable
from kyc.models import Application, RejectionKind, State
from kyc.rules import limits, numbers, personal
from notifications import services as notifications

SUBJECT = "kyc_application"
STATUS_PATH = "/kyc/status/"


def start_or_resume(*, actor: User, now: datetime) -> Application:
    """The actor's open application, or a new draft, filled with what an earlier one told.

    Raises AlreadyApproved and FinallyRejected.
    """
    with use_case():
        return _start(actor, now)


def start_with(*, actor: User, details: Mapping[str, Any], now: datetime) -> Application:
    """Start or resume and store personal data, both or neither. Raises what the two raise."""
    with use_case():
        application = _start(actor, now)
        return _save(actor, application.pk, details, now) if details else application


def _start(actor: User, now: datetime) -> Application:
    # The user's row is the lock: two tabs that start at once get the same draft.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.pk)
    current = Application.objects.filter(user=actor).open().first()
    if current and not _is_over(current, now):
        return current
    if current:
        current.state = State.EXPIRED
        current.save(update_fields=["state"])
    latest = Application.objects.filter(user=actor).newest_first().first()
    if not queries.may_start(actor, now=now):
        raise FinallyRejected if latest and latest.rejection_kind == RejectionKind.FINAL else AlreadyApproved
    application = Application(user=actor, created_at=now, expires_at=now + limits.DRAFT_LIFETIME)
    if latest:
        fill(application, _known_details(latest))
    application.save(force_insert=True)
    audit.record(actor=actor, action="kyc.started", subject_kind=SUBJECT, subject_id=application.pk)
    return application


def save_personal(*, actor: User, application_id: uuid.UUID, details: Mapping[str, Any], now: datetime) -> Application:
    """Store personal data of a draft; fields that `details` does not name keep their value.

    Every named field must be good. Raises InvalidDetails (all faults in `data`), NotEditable, ApplicationNotFound.
    """
    with use_case():
        return _save(actor, application_id, details, now)


def _save(actor: User, application_id: uuid.UUID, details: Mapping[str, Any], now: datetime) -> Application:
    told = personal.tidy(details)
    application = lock_draft(actor, application_id, now)
    merged = {**queries.details(application), **told}
    faults = [problem for problem in personal.check(merged, today=now.date()) if _concerns(problem, told)]
    if faults:
        raise InvalidDetails(
            faults[0].message,
            field=faults[0].field,
            data={"errors": [{"field": f.field, "code": f.code, "message": f.message} for f in faults]},
        )
    fill(application, merged)
    application.expires_at = now + limits.DRAFT_LIFETIME
    application.save()
    audit.record(
        actor=actor,
        action="kyc.details_saved",
        subject_kind=SUBJECT,
        subject_id=application.pk,
        data={"fields": sorted(told)},
    )
    return application


def submit(*, actor: User, application_id: uuid.UUID, now: datetime) -> Application:
    """Send a complete draft to compliance: DRAFT becomes PENDING.

    Raises Incomplete (with what is missing), NotEditable, ApplicationNotFound.
    """
    with use_case():
        application = lock_draft(actor, application_id, now)
        lacking = queries.missing(application, today=now.date())
        if lacking:
            raise Incomplete(data={"missing": lacking})
        application.state = State.PENDING
        application.submitted_at = now
        application.expires_at = None
        application.save(update_fields=["state", "submitted_at", "expires_at"])
        audit.record(actor=actor, action="kyc.submitted", subject_kind=SUBJECT, subject_id=application.pk)
        notifications.notify(user_id=actor.pk, kind="kyc_submitted", data={"url": STATUS_PATH})
        return application


def lock_draft(actor: User, application_id: uuid.UUID, now: datetime) -> Application:
    require_transaction()
    application = Application.objects.select_for_update().filter(pk=application_id, user=actor).first()
    if application is None:
        raise ApplicationNotFound
    require_draft(application, now)
    return application


def require_draft(application: Application, now: datetime) -> None:
    """Raise NotEditable unless the application is a draft whose time is not over."""
    if application.state != State.DRAFT or _is_over(application, now):
        raise NotEditable


def _is_over(application: Application, now: datetime) -> bool:
    return application.state == State.DRAFT and application.expires_at is not None and application.expires_at <= now


def _known_details(application: Application) -> dict[str, Any]:
    try:
        return queries.details(application)
    except encryption.SealBroken:
        # The customer can type the number again; a lost key must not keep them out.
        return {**{name: getattr(application, name, "") for name in personal.FIELDS}, "document_number": ""}


def _concerns(problem: personal.Problem, told: Mapping[str, Any]) -> bool:
    """A fault counts when its field was named now, or when it follows from one that was."""
    together = {"document_kind", "document_country", "document_number"}
    if problem.field in told:
        return True
    return problem.code == "check_digit" and bool(together & told.keys())


def fill(application: Application, details: Mapping[str, Any]) -> None:
    for field in personal.FIELDS:
        if field != "document_number":
            setattr(application, field, details[field])
    number = str(details["document_number"] or "")
    context = queries.seal_context(application)
    application.number_sealed = encryption.seal(number, context=context) if number else b""
    application.number_masked = numbers.mask(number)
    key = f"{application.document_country}|{application.document_kind}|{numbers.compact(number)}"
    application.number_digest = encryption.digest(key, context="kyc.document_number") if number else ""
