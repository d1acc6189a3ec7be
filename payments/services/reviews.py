"""The review before the PIN: what is about to happen is written down, shown, and confirmed once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Account
from common.db import use_case
from common.money import Money
from identity import services as identity
from identity.models import User
from ledger import queries as ledger_queries
from payments import queries
from payments.errors import NotEnoughMoney, ReviewExpired, ReviewNotFound, ReviewOutdated, ReviewUsed
from payments.models import Channel, Kind, Payment, Review, Source
from payments.queries import Target
from payments.rules.costs import Cost, cost_without_fee
from payments.services import limits, parties, transfers, withdrawals

REVIEW_LASTS = timedelta(minutes=10)
# The second of two clicks gets the payment of the first; after that the token is simply used up.
DOUBLE_CLICK = timedelta(seconds=10)


def review_transfer(
    *,
    actor: User,
    debit_account_id: UUID,
    payee_number: str,
    payee_name: str,
    amount: str,
    now: datetime,
    description: str = "",
    country: str = "",
) -> Review:
    """Check a transfer to somebody else and keep it for ten minutes. Its id is the token that `confirm_transfer` takes.

    Raises what `submit_transfer` raises, apart from ClientIdReused.
    """
    own = parties.accounts_of(owner_id=actor.pk)
    debit = parties.pick(own, debit_account_id, field="debit_account")
    parties.require_usable(debit, field="debit_account")
    credit = parties.find_payee(actor=actor, number=payee_number, currency=debit.currency)
    check = parties.check_payee_name(typed=payee_name, payee=credit)
    money = parties.amount_for(debit, amount=amount, currency="")
    cost = queries.cost_of(debit, money, kind=Kind.TRANSFER, channel=Channel.PORTAL, at=now)
    payload = {
        "kind": Kind.TRANSFER.value,
        "payee_number": credit.grouped_number,
        "payee_name": parties.clean_name(payee_name),
        "name_check": check.result.value,
        "name_hint": check.hint,
    }
    payee = Target(credit.pk, "")
    return _keep(actor, debit, cost, payload, payee=payee, description=description, country=country, now=now)


def review_own_transfer(
    *,
    actor: User,
    debit_account_id: UUID,
    credit_account_id: UUID,
    amount: str,
    now: datetime,
    description: str = "",
    country: str = "",
) -> Review:
    """Check a transfer between own accounts and keep it.

    Raises what `submit_own_transfer` raises, apart from ClientIdReused.
    """
    own = parties.accounts_of(owner_id=actor.pk)
    debit = parties.pick(own, debit_account_id, field="debit_account")
    parties.require_usable(debit, field="debit_account")
    credit = parties.pick_own_payee(own, debit=debit, credit_account_id=credit_account_id)
    cost = cost_without_fee(amount=parties.amount_for(debit, amount=amount, currency=""))
    payload = {"kind": Kind.OWN_TRANSFER.value, "credit_account": str(credit.pk), "payee_number": credit.grouped_number}
    payee = Target(credit.pk, "")
    return _keep(actor, debit, cost, payload, payee=payee, description=description, country=country, now=now)


def review_withdrawal(
    *,
    actor: User,
    debit_account_id: UUID,
    iban: str,
    amount: str,
    now: datetime,
    description: str = "",
    country: str = "",
) -> Review:
    """Check a withdrawal to another bank and keep it. Raises what `withdraw` raises, apart from ClientIdReused."""
    own = parties.accounts_of(owner_id=actor.pk)
    debit = parties.pick(own, debit_account_id, field="debit_account")
    parties.require_usable(debit, field="debit_account")
    payload = {"kind": Kind.WITHDRAWAL.value, "iban": withdrawals.clean_iban(iban)}
    money = parties.amount_for(debit, amount=amount, currency="")
    cost = queries.cost_of(debit, money, kind=Kind.WITHDRAWAL, channel=Channel.PORTAL, source=Source.OUTSIDE, at=now)
    payee = Target(None, payload["iban"])
    return _keep(actor, debit, cost, payload, payee=payee, description=description, country=country, now=now)


def confirm_transfer(*, actor: User, review_id: UUID, pin: str, now: datetime) -> Payment:
    """Carry out a reviewed payment: the PIN first, then everything else in one transaction.

    A second confirmation within ten seconds returns the payment of the first. Raises WrongPin, PinLocked, PinNotSet;
    ReviewNotFound, ReviewExpired, ReviewUsed (`data` has payment_id), ReviewOutdated; and what submitting raises.
    """
    identity.verify_pin(actor=actor, pin=pin, now=now)
    with use_case():
        review = Review.objects.select_for_update().filter(pk=review_id, actor=actor).first()
        if review is None:
            raise ReviewNotFound
        if review.consumed_at is not None:
            return _again(review, now=now)
        if review.expires_at <= now:
            raise ReviewExpired
        payment = _submit(actor, review, now=now)
        if payment.fee_minor != review.payload["fee_minor"]:
            raise ReviewOutdated
        review.consumed_at = now
        review.save(update_fields=["consumed_at"])
        return payment


def purge_reviews(*, now: datetime) -> int:
    """Delete reviews that expired more than a day ago; payments stay. Returns how many."""
    deleted, _ = Review.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    return deleted


def _again(review: Review, *, now: datetime) -> Payment:
    payment = Payment.objects.get(initiated_by_id=review.actor_id, client_id=review.pk)
    assert review.consumed_at is not None, "the caller looked"
    if now - review.consumed_at > DOUBLE_CLICK:
        raise ReviewUsed(data={"payment_id": str(payment.pk)})
    return payment


def _submit(actor: User, review: Review, *, now: datetime) -> Payment:
    facts: dict[str, Any] = {
        "actor": actor,
        "debit_account_id": UUID(review.payload["debit_account"]),
        "amount": review.payload["amount"],
        "description": review.payload["description"],
        "country": review.payload["country"],
        "client_id": review.pk,
        "channel": Channel.PORTAL,
        "now": now,
    }
    if review.payload["kind"] == Kind.OWN_TRANSFER:
        return transfers.submit_own_transfer_within(credit_account_id=UUID(review.payload["credit_account"]), **facts)
    if review.payload["kind"] == Kind.WITHDRAWAL:
        return withdrawals.withdraw_within(iban=review.payload["iban"], **facts)
    return transfers.submit_transfer_within(
        payee_number=review.payload["payee_number"], payee_name=review.payload["payee_name"], **facts
    )


def _keep(
    actor: User,
    debit: Account,
    cost: Cost,
    payload: dict[str, Any],
    *,
    payee: Target,
    description: str,
    country: str,
    now: datetime,
) -> Review:
    available = ledger_queries.balance(debit.ledger_account_id).available
    if available is not None and available < cost.total.amount_minor:
        raise NotEnoughMoney(
            f"This account has {Money(max(available, 0), debit.currency)} available.",
            field="amount",
            data={"available_minor": available, "needed_minor": cost.total.amount_minor},
        )
    limits.require_within(
        customer_id=actor.pk,
        kind=Kind(payload["kind"]),
        channel=Channel.PORTAL,
        amount_base_minor=parties.base_amount(cost.amount),
        payee=payee,
        now=now,
    )
    with use_case():
        return Review.objects.create(
            actor=actor,
            payload={
                **payload,
                "debit_account": str(debit.pk),
                "amount": cost.amount.plain,
                "amount_minor": cost.amount.amount_minor,
                "fee_minor": cost.fee.amount_minor,
                "fee_note": cost.fee_note,
                "currency": debit.currency,
                "description": parties.clean_description(description),
                "country": country,
            },
            created_at=now,
            expires_at=now + REVIEW_LASTS,
        )
