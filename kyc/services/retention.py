"""What is forgotten of people who did not become customers, and when."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Exists, OuterRef

from audit import services as audit
from common.db import use_case
from kyc.models import Application, Document, State
from kyc.rules import limits
from kyc.services.applications import SUBJECT

_AT_ONCE = 1000


def purge_applications(*, now: datetime) -> int:
    """Delete drafts that were never sent, and the papers of those that were declined, when their time is over.

    A draft goes with all it holds, 30 days after it ended. Of an application that was declined the decision stays, since a
    final one bars another try; its documents go after five years. Papers of customers stay as long as they are customers
    and are not touched here. The files follow with the next `sweep_files`. Returns how many applications lost something.
    """
    unsent = Application.objects.filter(state=State.EXPIRED, submitted_at=None, expires_at__lt=now - limits.UNSENT_KEPT)
    declined = Application.objects.filter(
        Exists(Document.objects.filter(application=OuterRef("pk"))),
        state=State.REJECTED,
        decided_at__lt=now - limits.DECLINED_KEPT,
    )
    return sum(
        _purge(application_id, whole=whole)
        for due, whole in ((unsent, True), (declined, False))
        for application_id in list(due.values_list("pk", flat=True)[:_AT_ONCE])
    )


def _purge(application_id: uuid.UUID, *, whole: bool) -> int:
    with use_case():
        application = Application.objects.select_for_update(skip_locked=True).filter(pk=application_id).first()
        if application is None:
            return 0
        _, gone = application.documents.all().delete()
        audit.record(
            actor=None,
            action="kyc.purged",
            subject_kind=SUBJECT,
            subject_id=application.pk,
            data={"documents": gone.get(Document._meta.label, 0), "whole": whole},
        )
        if whole:
            application.delete()
        return 1
