"""Shortcuts of the KYC tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from identity.models import User
from kyc import services
from kyc.models import Application
from tests.kyc import files
from tests.kyc.factories import DETAILS

COLORS = {"IDENTITY": "#a33", "ADDRESS": "#3a3", "SELFIE": "#33a"}


def draft(user: User, **details: Any) -> Application:
    """A draft with complete personal data and no documents."""
    application = services.start_or_resume(actor=user, now=timezone.now())
    return services.save_personal(
        actor=user, application_id=application.pk, details={**DETAILS, **details}, now=timezone.now()
    )


def upload(user: User, application: Application, kind: str = "IDENTITY", color: str = "") -> Any:
    return services.add_document(
        actor=user,
        application_id=application.pk,
        kind=kind,
        data=files.picture(color=color or COLORS[kind]),
        name=f"{kind.lower()}.jpg",
        now=timezone.now(),
    )


def pending(user: User, **details: Any) -> Application:
    """An application as the queue has it, with all three documents."""
    application = draft(user, **details)
    for kind in COLORS:
        upload(user, application, kind, color=COLORS[kind])
    return services.submit(actor=user, application_id=application.pk, now=timezone.now())
