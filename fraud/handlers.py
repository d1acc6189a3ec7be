"""What happens when somebody has decided about a gateway's transaction, and what its case shows of it."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from fraud import subjects
from fraud.models import GatewayTransaction
from fraud.rules.gateway import SUBJECT_KIND
from fraud.services.gateway import decline_transaction, release_transaction


def register() -> None:
    """Called once, when the apps are ready."""
    subjects.register(
        SUBJECT_KIND, release=release_transaction, decline=decline_transaction, describe=describe_transaction
    )


def describe_transaction(*, subject_id: UUID) -> subjects.SubjectPage | None:
    """The decision's page, and whose transaction it is under which id."""
    made = GatewayTransaction.objects.select_related("client").filter(pk=subject_id).first()
    if made is None:
        return None
    return subjects.SubjectPage(
        url=reverse("admin:fraud_decision_change", args=[made.decision_id]),
        standing=f"{made.client.name}, {made.reference}",
    )
