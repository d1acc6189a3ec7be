"""Money going out: to an account at another bank by its owner, or in cash by a teller. Both are screened."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from common.db import as_use_case, require_transaction, use_case
from identity import services as identity
from identity.models import User
from payments.errors import InvalidIban, OwnDecision
from payments.models import Channel, Kind, Payment, Source
from payments.queries import Looking
from payments.rules import ibans
from payments.rules.requests import payload_hash
from payments.services import orders, parties
from payments.services.looking import look


def withdraw_within(
    *,
    actor: User,
    debit_account_id: UUID,
    iban: str,
    amount: str,
    client_id: UUID,
    channel: Channel,
    now: datetime,
    description: str = "",
    currency: str = "",
    country: str = "",
) -> Payment:
    """Send money from an own account to an account at another bank. The PIN was checked before.

    Returns a payment that is COMPLETED, HELD or REFUSED. Raises AccountNotFound, AccountNotUsable, InvalidIban,
    InvalidAmount, CurrencyMismatch, NotEnoughMoney, ClientIdReused.

    Inside the caller's transaction; `withdraw` opens one.
    """
    require_transaction()
    return _withdraw(
        actor=actor,
        owner=actor,
        debit_account_id=debit_account_id,
        amount=amount,
        currency=currency,
        outside_account=clean_iban(iban),
        client_id=client_id,
        channel=channel,
        source=Source.OUTSIDE,
        description=description,
        country=country,
        now=now,
    )


withdraw = as_use_case(withdraw_within)


def withdraw_cash(
    *,
    actor: User,
    account_number: str,
    amount: str,
    client_id: UUID,
    now: datetime,
    description: str = "",
    currency: str = "",
) -> Payment:
    """A teller pays cash out of a customer's account, never out of an own one. Hand out cash when it is COMPLETED.

    Raises PermissionMissing (payment_withdraw), OwnDecision and, apart from InvalidIban, what `withdraw` raises.
    """
    with use_case():
        identity.require(actor, "payment_withdraw")
        found = parties.find_account(account_number, field="account_number")
        if found.owner_id == actor.pk:
            raise OwnDecision("Ask a colleague to pay out of your own account.")
        return _withdraw(
            actor=actor,
            owner=found.owner,
            debit_account_id=found.pk,
            amount=amount,
            currency=currency,
            outside_account="",
            client_id=client_id,
            channel=Channel.TELLER,
            source=Source.CASH,
            description=description,
            # The customer stands at the counter.
            country=parties.home_country(found.owner),
            now=now,
        )


def clean_iban(text: str) -> str:
    """Raises InvalidIban."""
    found = ibans.clean(text)
    if found is None:
        raise InvalidIban(field="iban")
    return found


def _withdraw(
    *,
    actor: User,
    owner: User,
    debit_account_id: UUID,
    amount: str,
    currency: str,
    outside_account: str,
    client_id: UUID,
    channel: Channel,
    source: Source,
    description: str,
    country: str,
    now: datetime,
) -> Payment:
    payload: dict[str, str | int] = {
        "kind": Kind.WITHDRAWAL.value,
        "account": str(debit_account_id),
        "amount": amount,
        "currency": currency,
        "description": description,
        "to": outside_account or source.value,
    }
    found = look(
        Looking(
            actor=actor,
            client_id=client_id,
            owner=owner,
            debit_account_id=debit_account_id,
            kind=Kind.WITHDRAWAL,
            channel=channel,
            source=source,
            iban=outside_account,
            now=now,
        )
    )
    known = orders.repeated(found, actor=actor, client_id=client_id, payload=payload)
    if known is not None:
        return known
    field = "debit_account" if source == Source.OUTSIDE else "account_number"
    debit = parties.require_own(found.debit, field=field)
    parties.require_usable(debit, field=field)
    money = parties.amount_for(debit, amount=amount, currency=currency)
    order = orders.Order(
        kind=Kind.WITHDRAWAL,
        actor=actor,
        client_id=client_id,
        payload_sha256=payload_hash(payload),
        debit=debit,
        credit=None,
        payer=found.payer,
        cost=found.cost(money),
        channel=channel,
        source=source,
        outside_account=outside_account,
        description=parties.clean_description(description),
        country=country,
    )
    return orders.carry_out(order, found=found, now=now)
