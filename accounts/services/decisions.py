"""Decisions about accounts that exist: freeze, unfreeze, close, name."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from accounts import queries
from accounts.errors import (
    AccountDormant,
    AccountFrozen,
    AccountNotEmpty,
    InvalidNickname,
    NotYourOwn,
    ReasonRequired,
    StatusNotAllowed,
    UnknownAccount,
)
from accounts.models import Account, Status
from accounts.services import steps
from audit import services as audit
from common.db import require_transaction, use_case
from common.money import CurrencyMismatch
from identity import services as identity
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger


def freeze_account(*, actor: User, account_id: UUID, reason: str, now: datetime) -> Account:
    """Stop all money on an active or dormant account.

    Raises PermissionMissing, NotYourOwn, ReasonRequired, UnknownAccount, StatusNotAllowed.
    """
    with use_case():
        return freeze_account_within(actor=actor, account_id=account_id, reason=reason, now=now)


def freeze_account_within(*, actor: User, account_id: UUID, reason: str, now: datetime) -> Account:
    """`freeze_account` inside the caller's transaction."""
    return _decide_status(actor, account_id, reason, {Status.ACTIVE, Status.DORMANT}, Status.FROZEN, "account_frozen")


def unfreeze_account(*, actor: User, account_id: UUID, reason: str, now: datetime) -> Account:
    """Let money move again on a frozen account. Raises as `freeze_account` does."""
    with use_case():
        return unfreeze_account_within(actor=actor, account_id=account_id, reason=reason, now=now)


def unfreeze_account_within(*, actor: User, account_id: UUID, reason: str, now: datetime) -> Account:
    """`unfreeze_account` inside the caller's transaction."""
    return _decide_status(actor, account_id, reason, {Status.FROZEN}, Status.ACTIVE, "account_unfrozen")


def close_account(
    *, actor: User, account_id: UUID, now: datetime, payout_account_id: UUID | None = None, reason: str = ""
) -> Account:
    """Close an active account for good, at zero and without holds.

    `payout_account_id` names another active account of the same owner and currency that takes what is left, the minimum
    balance included; without it the account must be at zero. The owner needs no reason; staff do, and `account_close`.
    Raises UnknownAccount, StatusNotAllowed, AccountFrozen, AccountNotEmpty, CurrencyMismatch; for staff also
    PermissionMissing, ReasonRequired.
    """
    with use_case():
        return close_account_within(
            actor=actor, account_id=account_id, now=now, payout_account_id=payout_account_id, reason=reason
        )


def close_account_within(
    *, actor: User, account_id: UUID, now: datetime, payout_account_id: UUID | None = None, reason: str = ""
) -> Account:
    """`close_account` inside the caller's transaction."""
    require_transaction()
    wanted = [pk for pk in (account_id, payout_account_id) if pk is not None]
    locked = steps.lock(wanted)
    account = locked.get(account_id)
    if account is None:
        raise UnknownAccount()
    if account.owner_id != actor.pk:
        _require_staff_decision(actor, account, "account_close", reason)
    if account.status == Status.FROZEN:
        raise AccountFrozen("This account is frozen. It can be closed once it is released.")
    if account.status == Status.DORMANT:
        raise AccountDormant("This account is dormant. Reactivate it, then close it.")
    if account.status != Status.ACTIVE:
        raise StatusNotAllowed("This account is closed already.", data={"status": account.status})
    balance = ledger_queries.balance(account.ledger_account_id)
    if balance.held or (balance.posted and payout_account_id is None) or balance.posted < 0:
        raise AccountNotEmpty(data={"posted_minor": balance.posted, "held_minor": balance.held})
    if balance.posted and payout_account_id is not None:
        _pay_out(account, locked.get(payout_account_id), balance.posted, now)
    _set_status(account, Status.CLOSED, closed_at=now)
    audit.record(
        actor=actor,
        action="account.closed",
        subject_kind="account",
        subject_id=account.pk,
        data={"paid_out_minor": balance.posted, "payout_account": str(payout_account_id or "")},
        reason=reason.strip(),
    )
    steps.tell_owner(account, "account_closed")
    return account


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
    _set_status(account, target)
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
    _require_staff_decision(actor, account, permission, reason)
    return account


def _require_staff_decision(actor: User, account: Account, permission: str, reason: str) -> None:
    if not actor.has_perm(f"identity.{permission}") and not actor.is_staff:
        # To another customer the account does not exist.
        raise UnknownAccount()
    identity.require(actor, permission)
    if account.owner_id == actor.pk:
        raise NotYourOwn()
    if not reason.strip():
        raise ReasonRequired(field="reason")


def _set_status(account: Account, target: Status, *, closed_at: datetime | None = None) -> None:
    account.status, account.closed_at, account.dormant_at = target, closed_at, None
    account.save(update_fields=["status", "closed_at", "dormant_at"])
    ledger.set_status(account_id=account.ledger_account_id, status=target.value)


def _pay_out(account: Account, receiver: Account | None, amount_minor: int, now: datetime) -> None:
    if receiver is None or receiver.owner_id != account.owner_id or receiver.pk == account.pk:
        raise UnknownAccount("Choose another account of yours.", field="payout")
    queries.require_receiving(receiver)
    if receiver.currency != account.currency:
        raise CurrencyMismatch("That account holds another currency.", field="payout")
    # The minimum balance ends with the account.
    ledger.set_floor(account_id=account.ledger_account_id, floor=0)
    ledger.post_transfer(
        external_ref=uuid5(steps.NAMESPACE, f"payout:{account.pk}"),
        debit_account_id=account.ledger_account_id,
        credit_account_id=receiver.ledger_account_id,
        amount_minor=amount_minor,
        kind="closing_payout",
        description=f"Balance of closed account {account.masked_number}",
        source_kind="account",
        source_id=account.pk,
        booked_at=now,
    )
