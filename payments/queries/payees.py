"""Reading saved payees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from identity.models import User
from payments.errors import PayeeNotFound
from payments.models import Payee
from payments.queries.limits import COOLING_OFF
from payments.rules.ibans import grouped


@dataclass(frozen=True, slots=True)
class SavedPayee:
    """A payee as its customer sees it. `is_new` while the cooling-off period lasts."""

    payee: Payee
    is_new: bool

    @property
    def number(self) -> str:
        """The account number or IBAN, in groups of four."""
        return self.payee.account.grouped_number if self.payee.account else grouped(self.payee.iban)


def payees_for(actor: User, *, now: datetime) -> list[SavedPayee]:
    """The actor's saved payees, by name."""
    return [_saved(payee, now=now) for payee in saved_payees(actor).order_by("name", "created_at")]


def get_payee_for(*, actor: User, payee_id: UUID, now: datetime) -> SavedPayee:
    """Raises PayeeNotFound, also when it is somebody else's or was removed."""
    payee = saved_payees(actor).filter(pk=payee_id).first()
    if payee is None:
        raise PayeeNotFound
    return _saved(payee, now=now)


def saved_payees(actor: User) -> QuerySet[Payee]:
    return Payee.objects.filter(customer=actor, removed_at__isnull=True).select_related("account")


def _saved(payee: Payee, *, now: datetime) -> SavedPayee:
    return SavedPayee(payee, is_new=payee.created_at > now - COOLING_OFF)
