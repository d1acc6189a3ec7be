"""The trail and the messages of a payment, written in the transaction of what they tell about."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from accounts import queries as accounts
from accounts.models import Account
from audit import services as audit
from common.money import display
from identity.models import User
from notifications import services as notifications
from payments.models import Channel, Kind, Payment, Source

_SUBJECT = "payment"


def completed(payment: Payment) -> None:
    """The money moved: the trail, the one who paid and the one who was paid."""
    _audit(payment, payment.initiated_by, f"{payment.kind.lower()}.completed")
    if not _is_of_a_file(payment):
        _tell_of_movement(payment, "transfer_completed")
    elif payment.kind == Kind.TRANSFER:
        _tell_payee(payment, "money_received")


def held(payment: Payment) -> None:
    _audit(payment, payment.initiated_by, f"{payment.kind.lower()}.held", cause=payment.hold_cause)
    if not _is_of_a_file(payment):
        _tell_payer(payment, "transfer_held", reason=_reason_text(payment))


def refused(payment: Payment) -> None:
    _audit(payment, payment.initiated_by, f"{payment.kind.lower()}.refused", code=payment.refusal_code)
    if not _is_of_a_file(payment):
        _tell_payer(payment, "transfer_refused", reason=payment.refusal_text)


def released(payment: Payment, *, actor: User, reason: str) -> None:
    _audit(payment, actor, "payment.released", reason=reason)
    _tell_of_movement(payment, "transfer_released")


def declined(payment: Payment, *, actor: User, reason: str) -> None:
    _audit(payment, actor, "payment.declined", reason=reason)
    _tell_payer(payment, "transfer_declined", reason=payment.refusal_text)


def cancelled(payment: Payment, *, actor: User) -> None:
    """The owner took it back and knows: the trail is enough."""
    _audit(payment, actor, "payment.cancelled")


def expired(payment: Payment) -> None:
    _audit(payment, None, "payment.expired")
    _tell_payer(payment, "transfer_expired", reason=payment.refusal_text)


def reversed_(payment: Payment, *, actor: User, reason: str) -> None:
    _audit(payment, actor, "payment.reversed", reason=reason, reversal_entry_id=payment.reversal_entry_id)
    for account in _accounts(payment):
        _notify(payment, account, "transfer_reversed", reason=reason)


def _is_of_a_file(payment: Payment) -> bool:
    """Whoever pays a thousand at once gets one message about the file, not a thousand."""
    return payment.channel == Channel.BULK


def _audit(payment: Payment, actor: User | None, action: str, *, reason: str = "", **facts: Any) -> None:
    data = {
        "kind": payment.kind,
        "amount_minor": payment.amount_minor,
        "fee_minor": payment.fee_minor,
        "currency": payment.currency,
        "debit_account": str(payment.debit_account_id or ""),
        "credit_account": str(payment.credit_account_id or ""),
        "entry_id": payment.entry_id,
        **facts,
    }
    audit.record(actor=actor, action=action, subject_kind=_SUBJECT, subject_id=payment.pk, data=data, reason=reason)


def _tell_of_movement(payment: Payment, payer_kind: str) -> None:
    if payment.kind == Kind.DEPOSIT:
        _tell_payee(payment, "deposit_received")
    elif payment.kind == Kind.WITHDRAWAL:
        by_integrator = payment.source == Source.INTEGRATOR
        _tell_payer(payment, "hold_posted" if by_integrator else "withdrawal_completed")
    else:
        _tell_payer(payment, payer_kind)
        if payment.kind == Kind.TRANSFER:
            _tell_payee(payment, "money_received")


def _tell_payer(payment: Payment, kind: str, *, reason: str = "") -> None:
    if payment.debit_account is not None:
        _notify(payment, payment.debit_account, kind, reason=reason)


def _tell_payee(payment: Payment, kind: str) -> None:
    if payment.credit_account is not None:
        _notify(payment, payment.credit_account, kind)


def _notify(payment: Payment, account: Account, kind: str, *, reason: str = "") -> None:
    notifications.notify(
        user_id=account.owner_id,
        kind=kind,
        data={
            "amount": display(payment.amount),
            "payee": payee_label(payment),
            "payer": payer_label(payment),
            "account": account.masked_number,
            "reason": reason,
            "url": reverse("payments:receipt", args=[payment.pk]),
        },
    )


def payee_label(payment: Payment) -> str:
    """Who is paid, in the payer's own words: never more than the payer knew."""
    if payment.payee_name:
        return payment.payee_name
    if payment.kind == Kind.WITHDRAWAL:
        return payment.outside_account or Source(payment.source).label
    return payment.credit_account.masked_number if payment.credit_account else ""


def payer_label(payment: Payment) -> str:
    """Who pays, as the payee is told: by the name the bank has checked, not by one that people choose themselves."""
    if payment.debit_account is not None:
        return payment.payer_name or accounts.owner_display_name(payment.debit_account)
    return Source(payment.source).label


def _reason_text(payment: Payment) -> str:
    return " ".join(reason["text"] for reason in payment.reasons)


def _accounts(payment: Payment) -> list[Account]:
    found = [account for account in (payment.debit_account, payment.credit_account) if account is not None]
    # Both accounts of one person: one message is enough.
    return list({account.owner_id: account for account in found}.values())
