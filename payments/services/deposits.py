"""Money coming in: by a teller, an integrator with that scope, or the sandbox. Always against cash or settlement."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts import services as accounts
from accounts.models import Account
from common.db import as_use_case, lock_advisory, require_transaction
from identity import services as identity
from identity.models import ApiClient, User
from payments.errors import OwnDecision, SandboxOnly, ScopeMissing
from payments.models import Channel, Kind, Payment, Source
from payments.rules.costs import cost_without_fee
from payments.rules.requests import payload_hash
from payments.services import orders, parties

_LOCK_NAMESPACE = 7_301


def deposit_cash_within(
    *,
    actor: User,
    account_number: str,
    amount: str,
    client_id: UUID,
    now: datetime,
    description: str = "",
    currency: str = "",
    channel: Channel = Channel.TELLER,
) -> Payment:
    """A teller pays cash into a customer's account, never into an own one.

    `amount` is decimal text in the account's currency. Raises PermissionMissing (payment_deposit), OwnDecision,
    AccountNotFound, AccountNotUsable, InvalidAmount, CurrencyMismatch, ClientIdReused.

    Inside the caller's transaction; `deposit_cash` opens one.
    """
    identity.require(actor, "payment_deposit")
    account = parties.find_account(account_number, field="account_number")
    if account.owner_id == actor.pk:
        raise OwnDecision("Ask a colleague to pay into your own account.")
    return _deposit(
        actor=actor,
        account=account,
        amount=amount,
        currency=currency,
        client_id=client_id,
        description=description,
        channel=channel,
        source=Source.CASH,
        now=now,
    )


deposit_cash = as_use_case(deposit_cash_within)


def deposit_from_integrator_within(
    *,
    actor: User,
    scopes: Collection[str],
    account_number: str,
    amount: str,
    client_id: UUID,
    now: datetime,
    description: str = "",
    currency: str = "",
) -> Payment:
    """An integrator reports money received outside; inside the caller's transaction.

    `actor` is the API client's service user, `scopes` what its key may do: `deposits:write` is needed.
    Raises ScopeMissing and, apart from OwnDecision, what `deposit_cash` raises.
    """
    if ApiClient.Scope.DEPOSITS_WRITE not in scopes:
        raise ScopeMissing(data={"scope": ApiClient.Scope.DEPOSITS_WRITE.value})
    return _deposit(
        actor=actor,
        account=parties.find_account(account_number, field="account_number"),
        amount=amount,
        currency=currency,
        client_id=client_id,
        description=description,
        channel=Channel.API,
        source=Source.INTEGRATOR,
        now=now,
    )


def deposit_from_sandbox_within(
    *,
    actor: User,
    account_number: str,
    amount: str,
    client_id: UUID,
    channel: Channel,
    now: datetime,
    description: str = "",
    currency: str = "",
) -> Payment:
    """A customer takes play money from the sandbox's funding source into an own account.

    Raises SandboxOnly, AccountNotFound (also for somebody else's account), AccountNotUsable, InvalidAmount,
    CurrencyMismatch, ClientIdReused.

    Inside the caller's transaction; `deposit_from_sandbox` opens one.
    """
    if not settings.SANDBOX:
        raise SandboxOnly
    return _deposit(
        actor=actor,
        account=parties.find_own_account(actor=actor, number=account_number, field="account_number"),
        amount=amount,
        currency=currency,
        client_id=client_id,
        description=description,
        channel=channel,
        source=Source.SANDBOX,
        now=now,
    )


deposit_from_sandbox = as_use_case(deposit_from_sandbox_within)


def _deposit(
    *,
    actor: User,
    account: Account,
    amount: str,
    currency: str,
    client_id: UUID,
    description: str,
    channel: Channel,
    source: Source,
    now: datetime,
) -> Payment:
    require_transaction()
    # Two requests with one client id wait for each other here; the unique constraint stays the last word.
    lock_advisory(namespace=_LOCK_NAMESPACE, key=int.from_bytes(client_id.bytes[:4], signed=True))
    payload: dict[str, str | int] = {
        "kind": Kind.DEPOSIT.value,
        "account": str(account.pk),
        "amount": amount,
        "currency": currency,
        "description": description,
        "source": source.value,
    }
    known = orders.replayed(actor=actor, client_id=client_id, payload=payload)
    if known is not None:
        return known
    parties.require_receiving(account, field="account_number")
    order = orders.Order(
        kind=Kind.DEPOSIT,
        actor=actor,
        client_id=client_id,
        payload_sha256=payload_hash(payload),
        debit=None,
        credit=account,
        payer=None,
        cost=cost_without_fee(amount=parties.amount_for(account, amount=amount, currency=currency)),
        channel=channel,
        source=source,
        description=parties.clean_description(description),
    )
    if source != Source.INTEGRATOR:
        # The owner brought it; what an integrator reports may come from anybody.
        accounts.note_activity([account], now=now)
    return orders.complete(order, decision_id=None, now=now)
