"""Holds of integrators: reserve on a customer's account, then post all or part of it, give it up, or let it run out.

An integrator with the scope `holds:write` acts as a card processor does: it authorised the payment with the customer
itself. So no PIN is asked and nothing is screened here; limits are counted, and the customer is told of each.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse

from accounts.models import Account
from audit import services as audit
from common.db import require_transaction, use_case
from common.money import Money, display
from common.rows import insert
from identity.models import ApiClient, User
from ledger import services as ledger
from notifications import services as notifications
from payments.errors import ClientIdReused, HoldOver, IntegratorHoldNotFound, NotEnoughMoney, ScopeMissing
from payments.models import Channel, IntegratorHold, Kind, Payment, Source, Status
from payments.queries import Target
from payments.rules.requests import payload_hash
from payments.services import limits, orders, parties, telling

_SOURCE_KIND = "integrator_hold"
LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Integrator:
    """Who calls: the service user, the API client behind the key, and what the key may do."""

    user: User
    client_id: UUID
    scopes: Collection[str]

    def require_scope(self) -> None:
        """Raise ScopeMissing unless the key may handle holds."""
        if ApiClient.Scope.HOLDS_WRITE not in self.scopes:
            raise ScopeMissing(data={"scope": ApiClient.Scope.HOLDS_WRITE.value})


def place_hold_within(
    *,
    integrator: Integrator,
    account_number: str,
    amount: str,
    hours: int,
    client_id: UUID,
    now: datetime,
    description: str = "",
    currency: str = "",
) -> IntegratorHold:
    """Reserve an amount (decimal text in the account's currency) for some hours, in the caller's transaction.

    The same `client_id` with the same content gives the first hold. Raises ScopeMissing, AccountNotFound,
    AccountNotUsable, InvalidAmount, CurrencyMismatch, LimitExceeded, NotEnoughMoney, ClientIdReused, DescriptionTooLong.
    """
    require_transaction()
    integrator.require_scope()
    found = parties.find_account(account_number, field="account_number")
    account = parties.lock_debit_side(owner_id=found.owner_id)[found.pk]
    digest = payload_hash({"account": str(account.pk), "amount": amount, "hours": hours, "description": description})
    known = IntegratorHold.objects.filter(api_client_id=integrator.client_id, client_id=client_id).first()
    if known is not None:
        if known.payload_sha256 != digest:
            raise ClientIdReused
        return known
    parties.require_usable(account, field="account_number")
    money = parties.amount_for(account, amount=amount, currency=currency)
    _require_within_limits(account, money, now=now)
    hold = IntegratorHold(
        api_client_id=integrator.client_id,
        account=account,
        amount_minor=money.amount_minor,
        currency=money.currency,
        description=parties.clean_description(description),
        client_id=client_id,
        payload_sha256=digest,
        status=IntegratorHold.Status.ACTIVE,
        created_at=now,
        expires_at=now + min(timedelta(hours=hours), LONGEST),
    )
    hold.hold_id = _reserve(hold, account, now=now)
    hold.save(force_insert=True)
    _audit(hold, integrator.user, "placed")
    notifications.notify(
        user_id=account.owner_id,
        kind="hold_placed",
        data={
            "amount": display(money),
            "payee": hold.api_client.name,
            "account": account.masked_number,
            "url": reverse("accounts:detail", args=[account.pk]),
        },
    )
    return hold


def post_hold_within(
    *, integrator: Integrator, hold_id: UUID, now: datetime, amount: str | None = None
) -> IntegratorHold:
    """Take the reserved amount, or a part of it; the rest is available to the customer again.

    Raises ScopeMissing, IntegratorHoldNotFound (also another client's), HoldOver, InvalidAmount, LimitExceeded,
    AccountNotUsable, and the ledger's HoldExceeded for more than was reserved.
    """
    hold = _locked(integrator, hold_id)
    _require_active(hold, now=now)
    money = hold.amount if amount is None else Money.parse(amount, hold.currency)
    account = parties.lock_debit_side(owner_id=hold.account.owner_id)[hold.account_id]
    parties.require_usable(account, field="account_number")
    now = orders.not_before_the_last(owner_id=account.owner_id, now=now)
    _require_within_limits(account, money, now=now)
    hold.payment = _post(hold, account, money, actor=integrator.user, now=now)
    _end(hold, IntegratorHold.Status.POSTED, now=now)
    _audit(hold, integrator.user, "posted", posted_minor=money.amount_minor)
    return hold


def void_hold_within(*, integrator: Integrator, hold_id: UUID, now: datetime) -> IntegratorHold:
    """Give a hold up, also on a frozen account. Raises ScopeMissing, IntegratorHoldNotFound, HoldOver."""
    hold = _locked(integrator, hold_id)
    _require_active(hold, now=now)
    ledger.void_hold(hold_id=hold.hold_id, now=now)
    _end(hold, IntegratorHold.Status.VOIDED, now=now)
    _audit(hold, integrator.user, "voided")
    return hold


def expire_integrator_holds(*, now: datetime) -> int:
    """Give back what nobody posted in time. Returns how many; safe to run twice or at once."""
    due = IntegratorHold.objects.filter(status=IntegratorHold.Status.ACTIVE, expires_at__lte=now)
    return sum(_expire(hold_id, now=now) for hold_id in list(due.values_list("pk", flat=True)[:500]))


def _expire(hold_id: UUID, *, now: datetime) -> bool:
    with use_case():
        rows = IntegratorHold.objects.select_for_update(skip_locked=True, of=("self",))
        hold = rows.filter(pk=hold_id, status=IntegratorHold.Status.ACTIVE).first()
        if hold is None:
            return False
        ledger.expire_hold(hold_id=hold.hold_id, now=now)
        _end(hold, IntegratorHold.Status.EXPIRED, now=now)
        _audit(hold, None, "expired")
        return True


def _locked(integrator: Integrator, hold_id: UUID) -> IntegratorHold:
    require_transaction()
    integrator.require_scope()
    rows = IntegratorHold.objects.select_for_update(of=("self",)).select_related("account", "api_client")
    hold = rows.filter(pk=hold_id, api_client_id=integrator.client_id).first()
    if hold is None:
        raise IntegratorHoldNotFound
    return hold


def _require_active(hold: IntegratorHold, *, now: datetime) -> None:
    if hold.status != IntegratorHold.Status.ACTIVE:
        raise HoldOver(data={"status": hold.status})
    if hold.expires_at <= now:
        raise HoldOver(data={"status": IntegratorHold.Status.EXPIRED.value})


def _require_within_limits(account: Account, money: Money, *, now: datetime) -> None:
    limits.require_within(
        customer_id=account.owner_id,
        kind=Kind.WITHDRAWAL,
        channel=Channel.API,
        amount_base_minor=parties.base_amount(money),
        payee=Target(None, ""),
        now=now,
    )


def _reserve(hold: IntegratorHold, account: Account, *, now: datetime) -> UUID:
    try:
        placed = ledger.place_hold(
            external_ref=hold.pk,
            account_id=account.ledger_account_id,
            amount_minor=hold.amount_minor,
            expires_at=hold.expires_at,
            source_kind=_SOURCE_KIND,
            source_id=hold.pk,
            now=now,
        )
    except ledger.InsufficientFunds as refusal:
        raise NotEnoughMoney("There is not enough money in this account.", field="amount") from refusal
    return placed.hold_id


def _post(hold: IntegratorHold, account: Account, money: Money, *, actor: User, now: datetime) -> Payment:
    payment = Payment(
        kind=Kind.WITHDRAWAL,
        status=Status.COMPLETED,
        client_id=hold.pk,
        payload_sha256=hold.payload_sha256,
        debit_account=account,
        amount_minor=money.amount_minor,
        currency=money.currency,
        amount_base_minor=parties.base_amount(money),
        description=hold.description,
        payee_name=hold.api_client.name[: parties.NAME_MAX],
        initiated_by=actor,
        channel=Channel.API,
        source=Source.INTEGRATOR,
        hold_id=hold.hold_id,
        created_at=now,
        decided_at=now,
    )
    payment.entry_id = ledger.post_hold(
        hold_id=hold.hold_id,
        external_ref=payment.pk,
        legs=orders.legs_of(payment),
        **orders.entry_facts(payment, now=now),
    ).entry_id
    insert(payment, *telling.completed(payment))
    return payment


def _end(hold: IntegratorHold, status: IntegratorHold.Status, *, now: datetime) -> None:
    hold.status, hold.ended_at = status, now
    hold.save(update_fields=["status", "ended_at", "payment"])


def _audit(hold: IntegratorHold, actor: User | None, done: str, **facts: object) -> None:
    data = {"amount_minor": hold.amount_minor, "currency": hold.currency, "account": str(hold.account_id), **facts}
    audit.record(actor=actor, action=f"hold.{done}", subject_kind="integrator_hold", subject_id=hold.pk, data=data)
