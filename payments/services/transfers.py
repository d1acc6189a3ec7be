"""Transfers, to other people and between a customer's own accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts.models import Account
from common.db import as_use_case, require_transaction
from identity.models import User
from kyc.queries import Person
from payments.models import Channel, Kind, Payment
from payments.queries import Looking
from payments.rules.costs import Cost, cost_without_fee
from payments.rules.requests import payload_hash
from payments.services import orders, parties
from payments.services.looking import Ahead, look


def submit_transfer_within(
    *,
    actor: User,
    debit_account_id: UUID,
    payee_number: str,
    payee_name: str,
    amount: str,
    client_id: UUID,
    channel: Channel,
    now: datetime,
    description: str = "",
    currency: str = "",
    country: str = "",
    ahead: Ahead | None = None,
) -> Payment:
    """Pay somebody else in this bank, in one transaction. The PIN was checked before.

    `amount` is decimal text in the currency of the debit account (a `currency` given must be that one); the product's
    fee comes on top. `country` is where the caller is, as alpha-2 code. The same `client_id` with the same content
    returns the first payment. Returns a payment that is COMPLETED, HELD or REFUSED.

    Raises AccountNotFound, AccountNotUsable, InvalidAmount, CurrencyMismatch, UnknownPayee, PayeeIsOwnAccount,
    PayeeCannotReceive, PayeeCurrencyDiffers, PayeeNameMissing, NotEnoughMoney, ClientIdReused.

    Inside the caller's transaction, where `ahead` may have asked about it already; `submit_transfer` opens one.
    """
    require_transaction()
    payload: dict[str, str | int] = {
        "kind": Kind.TRANSFER.value,
        "debit_account": str(debit_account_id),
        "payee_number": payee_number,
        "payee_name": payee_name,
        "amount": amount,
        "currency": currency,
        "description": description,
    }
    looking = looking_for(
        actor=actor,
        client_id=client_id,
        debit_account_id=debit_account_id,
        payee_number=payee_number,
        channel=channel,
        now=now,
    )
    found = look(looking, ahead=ahead)
    known = orders.repeated(found, actor=actor, client_id=client_id, payload=payload)
    if known is not None:
        return known
    debit = parties.require_own(found.debit, field="debit_account")
    parties.require_usable(debit, field="debit_account")
    money = parties.amount_for(debit, amount=amount, currency=currency)
    credit = parties.found_payee(found, actor=actor, currency=debit.currency)
    order = order_to_payee(
        actor=actor,
        client_id=client_id,
        payload_sha256=payload_hash(payload),
        debit=debit,
        credit=credit,
        payer=found.payer,
        cost=found.cost(money),
        payee_name=payee_name,
        payee_match=parties.compare_names(typed=payee_name, actual=found.payee_name).result.value,
        channel=channel,
        description=description,
        country=country,
    )
    return orders.carry_out(order, found=found, now=now)


def looking_for(
    *,
    actor: User,
    client_id: UUID,
    debit_account_id: UUID,
    channel: Channel,
    now: datetime,
    payee_number: str = "",
    credit_account_id: UUID | None = None,
) -> Looking:
    """What a transfer asks first: to somebody's number, or to another account of the actor's."""
    return Looking(
        actor=actor,
        client_id=client_id,
        owner=actor,
        debit_account_id=debit_account_id,
        credit_account_id=credit_account_id,
        kind=Kind.TRANSFER if credit_account_id is None else Kind.OWN_TRANSFER,
        channel=channel,
        payee_number=payee_number,
        now=now,
    )


submit_transfer = as_use_case(submit_transfer_within)


def order_to_payee(
    *,
    actor: User,
    client_id: UUID,
    payload_sha256: str,
    debit: Account,
    credit: Account,
    payer: Person | None,
    cost: Cost,
    payee_name: str,
    payee_match: str,
    channel: Channel,
    description: str,
    country: str,
) -> orders.Order:
    """The order of a transfer to somebody else, both accounts checked.

    Raises PayeeNameMissing, DescriptionTooLong.
    """
    return orders.Order(
        kind=Kind.TRANSFER,
        actor=actor,
        client_id=client_id,
        payload_sha256=payload_sha256,
        debit=debit,
        credit=credit,
        payer=payer,
        cost=cost,
        channel=channel,
        description=parties.clean_description(description),
        payee_name=parties.clean_name(payee_name),
        payee_match=payee_match,
        country=country,
    )


def submit_own_transfer_within(
    *,
    actor: User,
    debit_account_id: UUID,
    credit_account_id: UUID,
    amount: str,
    client_id: UUID,
    channel: Channel,
    now: datetime,
    description: str = "",
    currency: str = "",
    country: str = "",
    ahead: Ahead | None = None,
) -> Payment:
    """Move money between two accounts of one customer, free of charge; inputs and outcomes as in `submit_transfer`.

    Raises AccountNotFound, AccountNotUsable, SameAccount, PayeeCurrencyDiffers, InvalidAmount, CurrencyMismatch,
    NotEnoughMoney, ClientIdReused.

    Inside the caller's transaction, where `ahead` may have asked about it already; `submit_own_transfer` opens one.
    """
    require_transaction()
    payload: dict[str, str | int] = {
        "kind": Kind.OWN_TRANSFER.value,
        "debit_account": str(debit_account_id),
        "credit_account": str(credit_account_id),
        "amount": amount,
        "currency": currency,
        "description": description,
    }
    looking = looking_for(
        actor=actor,
        client_id=client_id,
        debit_account_id=debit_account_id,
        credit_account_id=credit_account_id,
        channel=channel,
        now=now,
    )
    found = look(looking, ahead=ahead)
    known = orders.repeated(found, actor=actor, client_id=client_id, payload=payload)
    if known is not None:
        return known
    debit = parties.require_own(found.debit, field="debit_account")
    parties.require_usable(debit, field="debit_account")
    credit = parties.require_own_payee(found.credit, debit=debit)
    money = parties.amount_for(debit, amount=amount, currency=currency)
    order = orders.Order(
        kind=Kind.OWN_TRANSFER,
        actor=actor,
        client_id=client_id,
        payload_sha256=payload_hash(payload),
        debit=debit,
        credit=credit,
        payer=found.payer,
        cost=cost_without_fee(amount=money),
        channel=channel,
        description=parties.clean_description(description),
        country=country,
    )
    return orders.carry_out(order, found=found, now=now)


submit_own_transfer = as_use_case(submit_own_transfer_within)
