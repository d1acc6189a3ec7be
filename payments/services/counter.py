"""What a teller checks with the customer before cash changes hands."""

from __future__ import annotations

from dataclasses import dataclass

from accounts import queries as accounts
from accounts.models import Account
from common.money import Money
from identity import services as identity
from identity.models import User
from payments.services import parties


@dataclass(frozen=True, slots=True)
class CounterSlip:
    account: Account
    holder: str
    amount: Money


def preview_at_counter(*, actor: User, permission: str, account_number: str, amount: str) -> CounterSlip:
    """Whose account it is and how much, before anything happens; `permission` is payment_deposit or payment_withdraw.

    Raises PermissionMissing, AccountNotFound, AccountNotUsable, InvalidAmount.
    """
    identity.require(actor, permission)
    account = parties.find_account(account_number, field="account_number")
    parties.require_usable(account, field="account_number")
    money = parties.amount_for(account, amount=amount, currency="")
    return CounterSlip(account=account, holder=accounts.owner_display_name(account), amount=money)
