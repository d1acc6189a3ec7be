"""Closing an account: its last interest, its open fees and the payout of the rest, in one transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from accounts import queries
from accounts.errors import (
    AccountDormant,
    AccountFrozen,
    AccountInUse,
    AccountNotEmpty,
    AccountOwes,
    ClosingOutdated,
    StatusNotAllowed,
    UnknownAccount,
)
from accounts.models import Account, Status
from accounts.queries.closing import Settlement, settlement
from accounts.services import account_fees, decisions, interest, steps
from audit import services as audit
from common.db import as_use_case, require_transaction
from common.money import CurrencyMismatch, display
from identity import services as identity
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger


def confirm_closing(
    *,
    actor: User,
    account_id: UUID,
    pin: str,
    expected_rest_minor: int,
    now: datetime,
    payout_account_id: UUID | None = None,
) -> Account:
    """Close an own account as it was shown: the PIN first, then everything else in one transaction.

    Raises WrongPin, PinLocked, PinNotSet, and what `close_account` raises.
    """
    identity.verify_pin(actor=actor, pin=pin, now=now)
    return close_account(
        actor=actor,
        account_id=account_id,
        now=now,
        payout_account_id=payout_account_id,
        expected_rest_minor=expected_rest_minor,
    )


def close_account_within(
    *,
    actor: User,
    account_id: UUID,
    now: datetime,
    payout_account_id: UUID | None = None,
    expected_rest_minor: int | None = None,
    reason: str = "",
) -> Account:
    """Settle an active account and close it for good. The PIN of an owner was checked before.

    Posts the interest up to this day, takes the open fees, and pays the rest, a minimum balance included, to
    `payout_account_id`: another account of the same owner and currency; without one nothing may be left. When
    `expected_rest_minor` is given and the rest is another by now, nothing happens. The owner needs no reason; staff do,
    and `account_close`. Raises UnknownAccount, StatusNotAllowed, AccountFrozen, AccountClosed, AccountDormant,
    AccountInUse, AccountNotEmpty, AccountOwes, ClosingOutdated, CurrencyMismatch; for staff also PermissionMissing,
    ReasonRequired.

    Inside the caller's transaction; `close_account` opens one.
    """
    require_transaction()
    locked = steps.lock([pk for pk in (account_id, payout_account_id) if pk is not None])
    account = locked.get(account_id)
    if account is None:
        raise UnknownAccount()
    if account.owner_id != actor.pk:
        decisions.require_staff_decision(actor, account, "account_close", reason)
    _require_open(account)
    due = settlement(account, now=now)
    _require_settled(due, expected_rest_minor, has_receiver=payout_account_id is not None)
    receiver = _receiver(account, locked.get(payout_account_id)) if payout_account_id is not None else None
    _settle(due, receiver, now)
    decisions.set_status(account, Status.CLOSED, closed_at=now)
    audit.record(
        actor=actor,
        action="account.closed",
        subject_kind="account",
        subject_id=account.pk,
        data={
            "interest_minor": due.interest.amount_minor,
            "overdraft_interest_minor": due.overdraft_interest.amount_minor,
            "fees_minor": sum(fee.amount_minor for fee in due.fees),
            "paid_out_minor": due.rest.amount_minor,
            "payout_account": str(payout_account_id or ""),
        },
        reason=reason.strip(),
    )
    steps.tell_owner(account, "account_closed")
    return account


close_account = as_use_case(close_account_within)


def _require_open(account: Account) -> None:
    if account.status == Status.FROZEN:
        raise AccountFrozen("This account is frozen. It can be closed once it is released.")
    if account.status == Status.DORMANT:
        raise AccountDormant("This account is dormant. Reactivate it, then close it.")
    if account.status != Status.ACTIVE:
        raise StatusNotAllowed("This account is closed already.", data={"status": account.status})


def _require_settled(due: Settlement, expected_rest_minor: int | None, *, has_receiver: bool) -> None:
    rest = due.rest.amount_minor
    if due.obstacles:
        raise AccountInUse(" ".join(due.obstacles))
    if due.held.amount_minor:
        raise AccountNotEmpty(
            "Money of this account is reserved for a payment under review. Wait until it is decided.",
            data={"posted_minor": due.posted.amount_minor, "held_minor": due.held.amount_minor},
        )
    if rest < 0:
        raise AccountOwes(f"Pay in {display(-due.rest)} first.", data={"missing_minor": -rest})
    if expected_rest_minor is not None and expected_rest_minor != rest:
        raise ClosingOutdated(data={"rest_minor": rest})
    if rest and not has_receiver:
        raise AccountNotEmpty(data={"posted_minor": rest, "held_minor": 0})


def _receiver(account: Account, receiver: Account | None) -> Account:
    if receiver is None or receiver.owner_id != account.owner_id or receiver.pk == account.pk:
        raise UnknownAccount("Choose another account of yours.", field="payout")
    queries.require_receiving(receiver)
    if receiver.currency != account.currency:
        raise CurrencyMismatch("That account holds another currency.", field="payout")
    return receiver


def _settle(due: Settlement, receiver: Account | None, now: datetime) -> None:
    """Interest, fees, payout, in this order: each is covered by what comes before it."""
    account = due.account
    floor = ledger_queries.balance(account.ledger_account_id).floor
    if floor is not None and floor > 0:
        # The minimum balance ends with the account.
        ledger.set_floor(account_id=account.ledger_account_id, floor=0)
    interest.post_final(account, now=now)
    account_fees.collect(account, now=now)
    if due.rest.amount_minor and receiver is not None:
        ledger.post_transfer(
            external_ref=uuid5(steps.NAMESPACE, f"payout:{account.pk}"),
            debit_account_id=account.ledger_account_id,
            credit_account_id=receiver.ledger_account_id,
            amount_minor=due.rest.amount_minor,
            kind="closing_payout",
            description=f"Balance of closed account {account.masked_number}",
            source_kind="account",
            source_id=account.pk,
            booked_at=now,
        )
    left = ledger_queries.balance(account.ledger_account_id).posted
    assert left == 0, "the settlement adds up to nothing left"
