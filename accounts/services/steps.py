"""Steps that several use cases of accounts share: locks and the word to the owner."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from accounts import queries
from accounts.errors import UnknownAccount
from accounts.models import Account
from common.db import require_transaction
from identity.models import User
from notifications import services as notifications

# Names the ledger references of this app, so that no caller's own UUID can meet them.
NAMESPACE = UUID("5f3b3a4e-5c0e-4b0c-9f6e-0d7b0b1f7a11")


def lock_debitable_for(*, actor: User, account_id: UUID) -> Account:
    """The actor's own active account, locked until the transaction ends: the first lock of what takes money from it.

    Raises UnknownAccount, AccountFrozen, AccountClosed, AccountDormant; NoTransaction outside a transaction.
    """
    require_transaction()
    account = lock_own(actor, account_id)
    queries.require_usable(account)
    return account


def lock(account_ids: list[UUID]) -> dict[UUID, Account]:
    """Lock account rows in key order; the foreign keys of new payments do not wait for this lock."""
    rows = Account.objects.select_for_update(no_key=True, of=("self",)).select_related("product")
    return {account.pk: account for account in rows.filter(pk__in=account_ids).order_by("pk")}


def lock_own(actor: User, account_id: UUID) -> Account:
    account = lock([account_id]).get(account_id)
    if account is None or account.owner_id != actor.pk:
        raise UnknownAccount()
    return account


def tell_owner(account: Account, kind: str, **facts: str) -> None:
    """`facts`: what the kind's text names besides the account."""
    data = {"account": account.masked_number, "url": reverse("accounts:detail", args=[account.pk]), **facts}
    notifications.notify(user_id=account.owner_id, kind=kind, data=data)
