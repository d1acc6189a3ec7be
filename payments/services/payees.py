"""Payees that a customer keeps: checked by name, and saved with the PIN."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from audit import services as audit
from common.db import use_case
from identity import services as identity
from identity.models import User
from notifications import services as notifications
from payments import queries
from payments.errors import PayeeNotFound, PayeeSaved, TooManyPayees
from payments.models import Payee
from payments.services import parties, withdrawals

MOST_PAYEES = 200


def check_payee(*, actor: User, name: str, number: str = "", iban: str = "") -> Payee:
    """The payee as it would be saved, with the outcome of the name check; nothing is written.

    Give either the `number` of an account of this bank or an `iban`; names at other banks cannot be checked. Raises
    UnknownPayee, PayeeIsOwnAccount, PayeeCannotReceive, InvalidIban, PayeeNameMissing, PayeeSaved.
    """
    if iban:
        found = Payee(customer=actor, name=parties.clean_name(name), iban=withdrawals.clean_iban(iban))
    else:
        account = parties.find_payee(actor=actor, number=number)
        match = parties.check_payee_name(typed=name, payee=account)
        found = Payee(customer=actor, name=parties.clean_name(name), account=account, name_match=match.result.value)
    if queries.saved_payees(actor).filter(account=found.account, iban=found.iban).exists():
        raise PayeeSaved(field="iban" if iban else "payee_number")
    return found


def save_payee(*, actor: User, name: str, pin: str, now: datetime, number: str = "", iban: str = "") -> Payee:
    """Keep a payee; its cooling-off period begins. The PIN is asked because a saved payee gets higher limits.

    Raises WrongPin, PinLocked, PinNotSet, what `check_payee` raises, and TooManyPayees.
    """
    identity.verify_pin(actor=actor, pin=pin, now=now)
    with use_case():
        # One at a time for each customer, so that the count holds.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        payee = check_payee(actor=actor, name=name, number=number, iban=iban)
        if queries.saved_payees(actor).count() >= MOST_PAYEES:
            raise TooManyPayees
        payee.created_at = now
        payee.save(force_insert=True)
        audit.record(
            actor=actor,
            action="payee.saved",
            subject_kind="payee",
            subject_id=payee.pk,
            data={"name_match": payee.name_match, "account_id": str(payee.account_id or ""), "iban": payee.iban},
        )
        notifications.notify(user_id=actor.pk, kind="payee_saved", data={"payee": payee.name, "link_id": str(payee.pk)})
        return payee


def remove_payee(*, actor: User, payee_id: UUID, now: datetime) -> None:
    """Forget a payee. Saving it again starts a new cooling-off period. Raises PayeeNotFound."""
    with use_case():
        payee = queries.saved_payees(actor).select_for_update(of=("self",)).filter(pk=payee_id).first()
        if payee is None:
            raise PayeeNotFound
        payee.removed_at = now
        payee.save(update_fields=["removed_at"])
        audit.record(actor=actor, action="payee.removed", subject_kind="payee", subject_id=payee.pk)
