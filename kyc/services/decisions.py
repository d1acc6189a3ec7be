"""What compliance does with an application: look, approve, reject. Each look and decision is on the trail."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta

from audit import services as audit
from common import encryption
from common.db import require_transaction, use_case
from identity import services as identity
from identity.models import User
from kyc import queries
from kyc.errors import ApplicationNotFound, Incomplete, InvalidDetails, NotPending, OwnApplication, ReasonMissing
from kyc.models import Application, Document, RejectionKind, State
from kyc.rules import limits
from kyc.services.applications import STATUS_PATH, SUBJECT
from notifications import services as notifications


def approve(*, actor: User, application_id: uuid.UUID, comment: str = "", now: datetime) -> Application:
    """Confirm a person's identity: PENDING becomes APPROVED until the document expires, two years at most.

    Raises PermissionMissing, OwnApplication, NotPending, Incomplete (for example a document that expired while waiting)
    and ApplicationNotFound.
    """
    with use_case():
        application = _lock_pending(actor, application_id)
        lacking = queries.missing(application, today=now.date())
        if lacking:
            raise Incomplete("This application cannot be approved as it is.", data={"missing": lacking})
        earlier = Application.objects.select_for_update().filter(user_id=application.user_id, state=State.APPROVED)
        for previous in earlier:
            previous.state = State.EXPIRED
            previous.expires_at = now
            previous.save(update_fields=["state", "expires_at"])
            audit.record(actor=actor, action="kyc.superseded", subject_kind=SUBJECT, subject_id=previous.pk)
        assert application.document_expiry is not None
        _decide(application, actor, now, comment)
        application.state = State.APPROVED
        application.expires_at = _approval_end(application.document_expiry, now)
        application.save()
        audit.record(
            actor=actor,
            action="kyc.approved",
            subject_kind=SUBJECT,
            subject_id=application.pk,
            reason=comment,
            data={"expires_at": application.expires_at.isoformat()},
        )
        notifications.notify(user_id=application.user_id, kind="kyc_approved", data={"url": STATUS_PATH})
        return application


def reject(
    *,
    actor: User,
    application_id: uuid.UUID,
    kind: str,
    public_reason: str,
    internal_comment: str = "",
    now: datetime,
) -> Application:
    """Decline: PENDING becomes REJECTED. `kind` RETRY lets the customer try again, FINAL does not.

    The customer reads `public_reason` and never `internal_comment`. Raises PermissionMissing, OwnApplication,
    NotPending, ReasonMissing, InvalidDetails (unknown kind), ApplicationNotFound.
    """
    if not public_reason.strip():
        raise ReasonMissing(field="public_reason")
    if kind not in RejectionKind.values:
        raise InvalidDetails("Say whether the customer may try again.", field="kind")
    with use_case():
        application = _lock_pending(actor, application_id)
        _decide(application, actor, now, internal_comment)
        application.state = State.REJECTED
        application.rejection_kind = kind
        application.public_reason = public_reason.strip()
        application.save()
        audit.record(
            actor=actor,
            action="kyc.rejected",
            subject_kind=SUBJECT,
            subject_id=application.pk,
            reason=application.public_reason,
            data={"kind": kind, "internal_comment": application.internal_comment},
        )
        notifications.notify(
            user_id=application.user_id,
            kind="kyc_rejected",
            data={"url": STATUS_PATH, "reason": application.public_reason, "may_retry": kind == RejectionKind.RETRY},
        )
        return application


def expire_applications(*, now: datetime) -> int:
    """End drafts nobody touched for 30 days and approvals past their end. Returns how many ended."""
    due = Application.objects.filter(state__in=[State.DRAFT, State.APPROVED], expires_at__lte=now).values_list(
        "pk", flat=True
    )
    return sum(_expire_one(pk, now) for pk in list(due))


def _expire_one(application_id: uuid.UUID, now: datetime) -> int:
    with use_case():
        application = (
            Application.objects.select_for_update(skip_locked=True)
            .filter(pk=application_id, state__in=[State.DRAFT, State.APPROVED], expires_at__lte=now)
            .first()
        )
        if application is None:
            return 0
        before = application.state
        application.state = State.EXPIRED
        application.save(update_fields=["state"])
        audit.record(
            actor=None, action="kyc.expired", subject_kind=SUBJECT, subject_id=application.pk, data={"from": before}
        )
        if before == State.APPROVED:
            notifications.notify(user_id=application.user_id, kind="kyc_expired", data={"url": STATUS_PATH})
        return 1


def view_as_staff(*, actor: User, document_id: uuid.UUID, purpose: str) -> Document:
    """A document for a reviewer's eyes; the look is put on the trail first. `purpose` is `download` or `preview`.

    Raises PermissionMissing, DocumentNotFound.
    """
    identity.require(actor, "kyc_document_view")
    with use_case():
        document = queries.get_document_for(actor=actor, document_id=document_id)
        audit.record(
            actor=actor,
            action="kyc.document_viewed",
            subject_kind="kyc_document",
            subject_id=document.pk,
            data={"application": str(document.application_id), "kind": document.kind, "purpose": purpose},
        )
        return document


def read_preview_as_staff(*, actor: User, document_id: uuid.UUID, page: int, side: int) -> tuple[bytes, str]:
    """`queries.preview` for a reviewer, on the trail. Raises what `view_as_staff` and `queries.preview` raise."""
    document = view_as_staff(actor=actor, document_id=document_id, purpose=f"preview page {page}")
    return queries.preview(document, page=page, side=side)


def reveal_number(*, actor: User, application_id: uuid.UUID, reason: str) -> str:
    """The identity document's number in full, for those who decide; who asked and why is put on the trail.

    Raises PermissionMissing, ReasonMissing, ApplicationNotFound, and SealBroken (put on the trail, too) when the stored
    value was changed.
    """
    identity.require(actor, "kyc_decide")
    if not reason.strip():
        raise ReasonMissing("Say why you need the number.", field="reason")
    with use_case():
        application = Application.objects.filter(pk=application_id).first()
        if application is None:
            raise ApplicationNotFound
        audit.record(
            actor=actor,
            action="kyc.number_revealed",
            subject_kind=SUBJECT,
            subject_id=application.pk,
            reason=reason.strip(),
        )
    try:
        return queries.document_number(application)
    except encryption.SealBroken:
        with use_case():
            audit.record(actor=actor, action="kyc.seal_broken", subject_kind=SUBJECT, subject_id=application.pk)
        raise


def _lock_pending(actor: User, application_id: uuid.UUID) -> Application:
    require_transaction()
    identity.require(actor, "kyc_decide")
    application = Application.objects.select_for_update().filter(pk=application_id).first()
    if application is None:
        raise ApplicationNotFound
    if application.user_id == actor.pk:
        raise OwnApplication
    if application.state != State.PENDING:
        raise NotPending
    return application


def _decide(application: Application, actor: User, now: datetime, comment: str) -> None:
    application.decided_at = now
    application.decided_by = actor
    application.internal_comment = comment.strip()


def _approval_end(document_expiry: date, now: datetime) -> datetime:
    """The first moment at which the document is no longer valid, two years from now at most."""
    end = datetime.combine(document_expiry + timedelta(days=1), time.min, tzinfo=UTC)
    return min(end, now + limits.APPROVAL_LIFETIME)
