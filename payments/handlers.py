"""What fraud calls when somebody has decided about a held payment."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from fraud import subjects
from payments import services
from payments.models import Payment, Status
from payments.services.orders import SUBJECT_KIND

_HISTORY = subjects.CheckItem("history", "The amount and the time compared with the customer's other payments")
_LINKS = subjects.CheckItem("links", "The payee, the device and the address looked at")
_CUSTOMER = subjects.CheckItem("customer", "The customer's own answer read, or the customer called")
CHECKLISTS = {
    "FLAGGED": (_HISTORY, _LINKS, _CUSTOMER),
    "BLOCKED": (_HISTORY, _LINKS),
    "SAMPLED": (_HISTORY,),
}


def register() -> None:
    """Called once, when the apps are ready."""
    subjects.register(
        SUBJECT_KIND,
        release=services.release_held,
        decline=services.decline_held,
        describe=describe_payment,
        checklists=CHECKLISTS,
    )


def describe_payment(*, subject_id: UUID) -> subjects.SubjectPage | None:
    """The payment's page in the back office and how it stands now."""
    payment = Payment.objects.filter(pk=subject_id).first()
    if payment is None:
        return None
    return subjects.SubjectPage(
        url=reverse("admin:payments_payment_change", args=[payment.pk]),
        standing=str(Status(payment.status).label),
        expires_at=payment.expires_at if payment.status == Status.HELD else None,
    )
