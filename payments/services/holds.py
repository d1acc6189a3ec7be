"""What becomes of a held payment: released, declined, cancelled by its owner, or expired. Locks: case, then payment."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from common.db import require_transaction, use_case
from common.rows import insert
from fraud import services as fraud
from identity.models import User
from ledger import services as ledger
from payments.errors import (
    HoldExpired,
    NotHeld,
    PayeeCannotReceive,
    PaymentNotFound,
)
from payments.models import Payment, PaymentQuerySet, Status
from payments.services import orders, parties, telling

_EXPIRED_TEXT = "Nobody decided in time, so the money is available to you again."
_DECLINED_TEXT = "We looked at this payment and decided not to carry it out. The money is available to you again."


def release_held(*, subject_id: UUID, actor: User, reason: str, now: datetime) -> Payment:
    """Post what was held, inside the deciding transaction; fraud asked for the permission and the reason.

    Raises PaymentNotFound, NotHeld, HoldExpired, OwnDecision, PayeeCannotReceive (then nothing has moved and the
    payment is still held).
    """
    payment = _to_decide(subject_id, actor=actor, now=now)
    credit = payment.credit_account
    if credit is not None and not credit.can_receive:
        raise PayeeCannotReceive(
            f"The payee's account is {credit.get_status_display().lower()}, so this payment cannot be released. "
            "Nothing has moved: decline it, or wait until the account can be used.",
            data={"account_status": credit.status},
        )
    assert payment.hold_id is not None, "the database sees to it that a held payment has a hold"
    entry = ledger.post_hold(
        hold_id=payment.hold_id,
        external_ref=payment.pk,
        legs=orders.legs_of(payment),
        **orders.entry_facts(payment, now=now),
    )
    payment.status = Status.COMPLETED
    payment.entry_id = entry.entry_id
    payment.decided_at = now
    payment.decided_by = actor
    payment.save(update_fields=["status", "entry_id", "decided_at", "decided_by"])
    insert(*telling.released(payment, actor=actor, reason=reason))
    return payment


def decline_held(*, subject_id: UUID, actor: User, reason: str, now: datetime) -> Payment:
    """Give the reserved money back, inside the deciding transaction; the reason stays inside the bank.

    Raises PaymentNotFound, NotHeld, HoldExpired, OwnDecision.
    """
    payment = _to_decide(subject_id, actor=actor, now=now)
    assert payment.hold_id is not None, "the database sees to it that a held payment has a hold"
    ledger.void_hold(hold_id=payment.hold_id, now=now)
    payment.status = Status.REFUSED
    payment.refusal_code = "declined"
    payment.refusal_text = _DECLINED_TEXT
    payment.decided_at = now
    payment.decided_by = actor
    payment.save(update_fields=["status", "refusal_code", "refusal_text", "decided_at", "decided_by"])
    insert(*telling.declined(payment, actor=actor, reason=reason))
    return payment


def cancel_held(*, actor: User, payment_id: UUID, now: datetime) -> Payment:
    """The owner of the account that pays takes a held payment back.

    Raises PaymentNotFound (also when it is somebody else's), NotHeld.
    """
    with use_case():
        if not Payment.objects.filter(pk=payment_id, debit_account__owner=actor).exists():
            raise PaymentNotFound
        _close_case(payment_id, status="CANCELLED", actor=actor, now=now)
        payment = _lock(payment_id)
        _require_held(payment)
        assert payment.hold_id is not None, "the database sees to it that a held payment has a hold"
        ledger.void_hold(hold_id=payment.hold_id, now=now)
        _cancel(payment, code="cancelled", text="You cancelled this payment.", now=now)
        insert(*telling.cancelled(payment, actor=actor))
        return payment


def answer_held(*, actor: User, payment_id: UUID, is_mine: bool, pin: str, now: datetime) -> None:
    """The payer says whether a payment under review was theirs: officers read it, and nothing is decided by it.

    Raises PaymentNotFound (also when it is somebody else's) and what `fraud.answer_for_subject` raises.
    """
    if not Payment.objects.filter(pk=payment_id, debit_account__owner=actor).exists():
        raise PaymentNotFound
    fraud.answer_for_subject(
        actor=actor, subject_kind=orders.SUBJECT_KIND, subject_id=payment_id, is_mine=is_mine, pin=pin, now=now
    )


def expire_held(*, now: datetime, limit: int = 500) -> int:
    """Give back what nobody decided about in time. Safe to run twice at once. Returns how many payments expired."""
    due = Payment.objects.filter(status=Status.HELD, expires_at__lte=now).order_by("expires_at", "pk")
    return sum(_expire(payment_id, now=now) for payment_id in due.values_list("pk", flat=True)[:limit])


def _expire(payment_id: UUID, *, now: datetime) -> bool:
    with use_case():
        _close_case(payment_id, status="EXPIRED", actor=None, now=now)
        payment = _rows().select_for_update(skip_locked=True, of=("self",)).filter(pk=payment_id).first()
        if payment is None or payment.status != Status.HELD:
            # Another worker has it, or somebody decided meanwhile: leave everything to them.
            transaction.set_rollback(True)
            return False
        assert payment.hold_id is not None, "the database sees to it that a held payment has a hold"
        ledger.expire_hold(hold_id=payment.hold_id, now=now)
        _cancel(payment, code="expired", text=_EXPIRED_TEXT, now=now)
        insert(*telling.expired(payment))
        return True


def _close_case(payment_id: UUID, *, status: str, actor: User | None, now: datetime) -> None:
    """Take the payment's fraud case, if any, off the officers' queue; it is locked before the payment."""
    fraud.close_case_for_subject(
        subject_kind=orders.SUBJECT_KIND, subject_id=payment_id, status=status, actor=actor, now=now
    )


def _cancel(payment: Payment, *, code: str, text: str, now: datetime) -> None:
    payment.status = Status.CANCELLED
    payment.refusal_code = code
    payment.refusal_text = text
    payment.decided_at = now
    payment.save(update_fields=["status", "refusal_code", "refusal_text", "decided_at"])


def _to_decide(payment_id: UUID, *, actor: User, now: datetime) -> Payment:
    require_transaction()
    payment = _lock(payment_id)
    _require_held(payment)
    if payment.expires_at is not None and payment.expires_at <= now:
        raise HoldExpired
    parties.require_uninvolved(actor, payment)
    return payment


def _require_held(payment: Payment) -> None:
    if payment.status != Status.HELD:
        raise NotHeld(data={"status": payment.status})


def _lock(payment_id: UUID) -> Payment:
    payment = _rows().select_for_update(of=("self",)).filter(pk=payment_id).first()
    if payment is None:
        raise PaymentNotFound
    return payment


def _rows() -> PaymentQuerySet:
    return PaymentQuerySet(Payment).with_parties()
