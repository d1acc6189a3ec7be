"""What the trail and the people of a payment are told, as rows to insert in the transaction of what they tell about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db.models import Model
from django.urls import reverse

from accounts import queries as accounts
from accounts.models import Account
from audit import services as audit
from common.money import display
from identity.models import User
from notifications import services as notifications
from payments.models import Channel, Kind, Payment, Source

_SUBJECT = "payment"
_ANY = "00000000-0000-0000-0000-000000000000"


def completed(payment: Payment) -> list[Model]:
    """The money moved: the trail, the one who paid and the one who was paid."""
    rows: list[Model] = [_event(payment, payment.initiated_by, f"{payment.kind.lower()}.completed")]
    if not _is_of_a_file(payment):
        rows += _of_movement(payment, "transfer_completed")
    elif payment.kind == Kind.TRANSFER:
        rows += _to_payee(payment, "money_received")
    return rows


def held(payment: Payment) -> list[Model]:
    rows: list[Model] = [
        _event(payment, payment.initiated_by, f"{payment.kind.lower()}.held", cause=payment.hold_cause)
    ]
    if not _is_of_a_file(payment):
        rows += _to_payer(payment, "transfer_held", reason=_reason_text(payment))
    return rows


def refused(payment: Payment) -> list[Model]:
    rows: list[Model] = [
        _event(payment, payment.initiated_by, f"{payment.kind.lower()}.refused", code=payment.refusal_code)
    ]
    if not _is_of_a_file(payment):
        rows += _to_payer(payment, "transfer_refused", reason=payment.refusal_text)
    return rows


def released(payment: Payment, *, actor: User, reason: str) -> list[Model]:
    return [
        _event(payment, actor, "payment.released", reason=reason),
        *_of_movement(payment, "transfer_released"),
    ]


def declined(payment: Payment, *, actor: User, reason: str) -> list[Model]:
    return [
        _event(payment, actor, "payment.declined", reason=reason),
        *_to_payer(payment, "transfer_declined", reason=payment.refusal_text),
    ]


def cancelled(payment: Payment, *, actor: User) -> list[Model]:
    """The owner took it back and knows: the trail is enough."""
    return [_event(payment, actor, "payment.cancelled")]


def expired(payment: Payment) -> list[Model]:
    return [
        _event(payment, None, "payment.expired"),
        *_to_payer(payment, "transfer_expired", reason=payment.refusal_text),
    ]


def reversed_(payment: Payment, *, actor: User, reason: str) -> list[Model]:
    return [
        _event(payment, actor, "payment.reversed", reason=reason, reversal_entry_id=payment.reversal_entry_id),
        *_messages(payment, [(account, "transfer_reversed") for account in _accounts(payment)], reason=reason),
    ]


def _is_of_a_file(payment: Payment) -> bool:
    """Whoever pays a thousand at once gets one message about the file, not a thousand."""
    return payment.channel == Channel.BULK


def _event(payment: Payment, actor: User | None, action: str, *, reason: str = "", **facts: Any) -> Model:
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
    return audit.event(
        actor=actor, action=action, subject_kind=_SUBJECT, subject_id=payment.pk, data=data, reason=reason
    )


def _of_movement(payment: Payment, payer_kind: str) -> list[Model]:
    if payment.kind == Kind.DEPOSIT:
        return _to_payee(payment, "deposit_received")
    if payment.kind == Kind.WITHDRAWAL:
        by_integrator = payment.source == Source.INTEGRATOR
        return _to_payer(payment, "hold_posted" if by_integrator else "withdrawal_completed")
    if payment.kind == Kind.TRANSFER:
        return _messages(payment, [(payment.debit_account, payer_kind), (payment.credit_account, "money_received")])
    return _to_payer(payment, payer_kind)


def _to_payer(payment: Payment, kind: str, *, reason: str = "") -> list[Model]:
    return _messages(payment, [(payment.debit_account, kind)], reason=reason)


def _to_payee(payment: Payment, kind: str) -> list[Model]:
    return _messages(payment, [(payment.credit_account, kind)])


def _messages(payment: Payment, to: Iterable[tuple[Account | None, str]], *, reason: str = "") -> list[Model]:
    """One for the owner of each account that is there, of its kind; what they say is worked out once."""
    facts = {
        "amount": display(payment.amount),
        "payee": payee_label(payment),
        "payer": payer_label(payment),
        "reason": reason,
        "url": _any_receipt().replace(_ANY, str(payment.pk)),
    }
    return [
        notifications.event(user_id=account.owner_id, kind=kind, data={**facts, "account": account.masked_number})
        for account, kind in to
        if account is not None
    ]


@cache
def _any_receipt() -> str:
    """The address of a receipt; looking it up anew takes longer than writing the message."""
    return reverse("payments:receipt", args=[_ANY])


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
