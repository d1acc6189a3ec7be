"""Reading the holds of integrators."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from identity.models import User
from payments.errors import IntegratorHoldNotFound
from payments.models import IntegratorHold


def integrator_holds_for(actor: User) -> QuerySet[IntegratorHold]:
    """The holds of the API client that this service user acts for, newest first; nobody else has any."""
    holds = IntegratorHold.objects.filter(api_client__user=actor).select_related("payment")
    return holds.order_by("-created_at", "pk")


def get_integrator_hold_for(*, actor: User, hold_id: UUID) -> IntegratorHold:
    """Raises IntegratorHoldNotFound, also when it is another client's."""
    hold = integrator_holds_for(actor).filter(pk=hold_id).first()
    if hold is None:
        raise IntegratorHoldNotFound
    return hold
