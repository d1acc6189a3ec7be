"""Taking a completed payment back: a new journal entry that mirrors the first, decided by somebody else."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from common.db import as_use_case, require_transaction
from common.rows import insert
from identity import services as identity
from identity.models import User
from ledger import services as ledger
from payments.errors import NotEnoughMoney, NotReversible, PaymentNotFound, ReasonMissing
from payments.models import Payment, PaymentQuerySet, Status
from payments.rules.requests import reversal_ref
from payments.services import orders, parties, telling


def reverse_payment_within(*, actor: User, payment_id: UUID, reason: str, now: datetime) -> Payment:
    """Post the mirror image of a completed payment, its fee included, and tell both sides.

    Raises PermissionMissing (payment_reverse), ReasonMissing, PaymentNotFound, NotReversible, OwnDecision (initiator
    and parties may not), NotEnoughMoney (the payee has spent it), and AccountNotUsable of the ledger.

    Inside the caller's transaction; `reverse_payment` opens one.
    """
    require_transaction()
    identity.require(actor, "payment_reverse")
    if not reason.strip():
        raise ReasonMissing(field="reason")
    rows = PaymentQuerySet(Payment).with_parties().select_for_update(of=("self",))
    payment = rows.filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound
    if payment.status != Status.COMPLETED or payment.entry_id is None:
        raise NotReversible(data={"status": payment.status})
    parties.require_uninvolved(actor, payment)
    try:
        entry = ledger.reverse_entry(
            entry_id=payment.entry_id,
            external_ref=reversal_ref(payment.pk),
            description=f"Reversal: {payment.description or payment.get_kind_display()}"[:200],
            booked_at=now,
            source_kind=orders.SUBJECT_KIND,
            source_id=payment.pk,
        )
    except ledger.InsufficientFunds as refusal:
        raise NotEnoughMoney(
            "The account that received the money no longer has it, so the payment cannot be reversed.",
            data=refusal.data,
        ) from refusal
    payment.status = Status.REVERSED
    payment.reversal_entry_id = entry.entry_id
    payment.reversed_at = now
    payment.reversed_by = actor
    payment.save(update_fields=["status", "reversal_entry_id", "reversed_at", "reversed_by"])
    insert(*telling.reversed_(payment, actor=actor, reason=reason))
    return payment


reverse_payment = as_use_case(reverse_payment_within)
