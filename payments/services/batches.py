"""A list of payments in one request: each on its own, or all or nothing, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Account
from common.db import require_transaction
from common.errors import DomainError
from common.money import Money
from identity.models import User
from payments.errors import WholeRefused
from payments.models import Channel
from payments.services import many, parties
from payments.services.many import Outcome, Wanted
from payments.services.orders import Order

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One payment of a list. `amount` is decimal text; `payee_number` is an account of this bank or an IBAN."""

    client_id: UUID
    payee_name: str
    payee_number: str
    amount: str
    currency: str = ""
    description: str = ""


def submit_each_within(
    *,
    actor: User,
    debit_account_id: UUID,
    items: Sequence[BatchItem],
    channel: Channel,
    now: datetime,
    country: str = "",
) -> list[Outcome]:
    """Make what can be made, in the order of the list. Each outcome is a payment (COMPLETED, HELD, REFUSED) or an error.

    What an item may be refused for: whatever `submit_transfer` raises about its payee, amount and limits. An item whose
    client id was used before gives the payment it made then. Raises AccountNotFound, AccountNotUsable.
    """
    return _submit(actor, debit_account_id, items, many.carry_out_each, channel=channel, country=country, now=now)


def submit_all_within(
    *,
    actor: User,
    debit_account_id: UUID,
    items: Sequence[BatchItem],
    channel: Channel,
    now: datetime,
    country: str = "",
) -> list[Outcome]:
    """Make all or none; then those at fault have their own refusal, and all others WholeRefused. See submit_each_within."""
    return _submit(actor, debit_account_id, items, _all_or_none, channel=channel, country=country, now=now)


def _submit(
    actor: User,
    debit_account_id: UUID,
    items: Sequence[BatchItem],
    carry_out: Callable[..., list[Outcome]],
    *,
    channel: Channel,
    country: str,
    now: datetime,
) -> list[Outcome]:
    require_transaction()
    own = parties.lock_debit_side(owner_id=actor.pk)
    debit = parties.pick(own, debit_account_id, field="debit_account")
    parties.require_usable(debit, field="debit_account")
    outcomes: list[Order | Outcome] = _orders(actor, debit, items, channel=channel, country=country, now=now)
    known = many.replayed(actor=actor, listed=[each for each in outcomes if isinstance(each, Order)])
    outcomes = [known.get(each.client_id, each) if isinstance(each, Order) else each for each in outcomes]
    todo = [each for each in outcomes if isinstance(each, Order)]
    refused = any(isinstance(each, DomainError) for each in outcomes)
    if refused and carry_out is _all_or_none:
        return [WholeRefused() if isinstance(each, Order) else each for each in outcomes]
    made = iter(carry_out(todo, now=now))
    return [next(made) if isinstance(each, Order) else each for each in outcomes]


def _all_or_none(listed: Sequence[Order], *, now: datetime) -> list[Outcome]:
    return many.carry_out_all(listed, now=now)


def _orders(
    actor: User, debit: Account, items: Sequence[BatchItem], *, channel: Channel, country: str, now: datetime
) -> list[Order | Outcome]:
    """The items as orders, or what is wrong with them, in their order."""
    wanted: list[Wanted | DomainError] = []
    for item in items:
        try:
            amount = Money.parse(item.amount, debit.currency)
        except DomainError as refusal:
            wanted.append(refusal)
        else:
            wanted.append(
                Wanted(
                    client_id=item.client_id,
                    payee_name=item.payee_name,
                    payee_number=item.payee_number,
                    amount=amount,
                    currency=item.currency,
                    description=item.description,
                )
            )
    readable = [each for each in wanted if isinstance(each, Wanted)]
    found = iter(many.orders_for(actor=actor, debit=debit, wanted=readable, channel=channel, country=country, now=now))
    return [next(found) if isinstance(each, Wanted) else each for each in wanted]
