"""What a teller checks with the customer before cash changes hands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts import queries as accounts
from accounts.models import Account
from common.money import Money
from identity import services as identity
from identity.models import User
from payments import queries
from payments.models import Channel, Kind, Source
from payments.services import parties


@dataclass(frozen=True, slots=True)
class CounterSlip:
    account: Account
    holder: str
    amount: Money
    fee: Money


def preview_at_counter(*, actor: User, permission: str, account_number: str, amount: str, now: datetime) -> CounterSlip:
    """Whose account it is, how much and what it costs, before anything happens.

    `permission` is payment_deposit or payment_withdraw.

    Raises PermissionMissing, AccountNotFound, AccountNotUsable, InvalidAmount.
    """
    identity.require(actor, permission)
    account = parties.find_account(account_number, field="account_number")
    check = parties.require_receiving if permission == "payment_deposit" else parties.require_usable
    check(account, field="account_number")
    money = parties.amount_for(account, amount=amount, currency="")
    kind = Kind.DEPOSIT if permission == "payment_deposit" else Kind.WITHDRAWAL
    cost = queries.cost_of(account, money, kind=kind, channel=Channel.TELLER, source=Source.CASH, at=now)
    return CounterSlip(account=account, holder=accounts.owner_display_name(account), amount=money, fee=cost.fee)
