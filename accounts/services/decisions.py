"""Decisions about accounts that exist: freeze, unfreeze, name."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts.errors import (
    InvalidNickname,
    NotYourOwn,
    ReasonRequired,
    StatusNotAllowed,
    UnknownAccount,
)
from accounts.models import Account, Status
from accounts.services import steps
from audit import services as audit
from common.db import as_use_case, require_transaction, use_case
from identity import services as identity
from identity.models import User
from ledger import services as ledger


def freeze_account_within(*, actor: User, account_id: UUID, reason: str, now: datetime) -> Account:
    """Stop all money on an active or dormant account.

    Raises PermissionMissing, NotYourOwn, ReasonRequired, UnknownAccount, StatusNotAllowed.

    Inside the caller's transaction; `freeze_account` opens one.
    """
    return _decide_status(actor, account_id, reason, {Status.ACTIVE, Status.DORMANT}, Status.FROZEN, "account_frozen")


freeze_account = as_use_case(freeze_account_within)


def unfreeze_account_within(*, actor: User, account_id: UUID, reason: str, now: datetime) -> Account:
    """Let money move again on a frozen account. Raises as `freeze_account` does.

    Inside the caller's transaction; `unfreeze_account` opens one.
    """
    return _decide_status(actor, account_id, reason, {Status.FROZEN}, Status.ACTIVE, "account_unfrozen")


unfreeze_account = as_use_case(unfreeze_account_within)


def rename_account(*, actor: User, account_id: UUID, nickname: str) -> Account:
    """Give one's own account a name of one's own; empty takes it away. Raises UnknownAccount, InvalidNickname."""
    clean = " ".join(nickname.split())
    if len(clean) > 40 or any(not (sign.isalnum() or sign in " -'&.,") for sign in clean):
        raise InvalidNickname(field="nickname")
    with use_case():
        account = steps.lock_own(actor, account_id)
        account.nickname = clean
        account.save(update_fields=["nickname"])
        return account


def _decide_status(
    actor: User, account_id: UUID, reason: str, expected: set[Status], target: Status, notice: str
) -> Account:
    account = lock_to_decide(actor, account_id, "account_freeze", reason)
    if account.status not in expected:
        raise StatusNotAllowed(
            f"This account is {account.get_status_display().lower()} now, so nothing was changed.",
            data={"status": account.status},
        )
    set_status(account, target)
    audit.record(
        actor=actor,
        action=f"account.{notice.removeprefix('account_')}",
        subject_kind="account",
        subject_id=account.pk,
        reason=reason.strip(),
    )
    # The owner learns that, not why: a reason could warn somebody who is being looked into.
    steps.tell_owner(account, notice)
    return account


def lock_to_decide(actor: User, account_id: UUID, permission: str, reason: str) -> Account:
    """The account of somebody else, locked for a decision by staff; in the caller's transaction.

    Raises UnknownAccount, PermissionMissing, NotYourOwn, ReasonRequired.
    """
    require_transaction()
    account = steps.lock([account_id]).get(account_id)
    if account is None:
        raise UnknownAccount()
    require_staff_decision(actor, account, permission, reason)
    return account


def require_staff_decision(actor: User, account: Account, permission: str, reason: str) -> None:
    """Raise unless staff may decide about this account: UnknownAccount, PermissionMissing, NotYourOwn, ReasonRequired."""
    if not actor.has_perm(f"identity.{permission}") and not actor.is_staff:
        # To another customer the account does not exist.
        raise UnknownAccount()
    identity.require(actor, permission)
    if account.owner_id == actor.pk:
        raise NotYourOwn()
    if not reason.strip():
        raise ReasonRequired(field="reason")


def set_status(account: Account, target: Status, *, closed_at: datetime | None = None) -> None:
    """Move a locked account to another state, in the ledger too."""
    account.status, account.closed_at, account.dormant_at = target, closed_at, None
    account.save(update_fields=["status", "closed_at", "dormant_at"])
    ledger.set_status(account_id=account.ledger_account_id, status=target.value)
