"""Accounts that nobody uses: their owners are warned, then the accounts sleep until somebody wakes them.

What counts is what the owner does: a payment, a standing order that the owner set up, cash at the counter. Money from
others, interest and fees do not. How long silence may last is the product's; without a number its accounts never sleep.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.formats import date_format

from accounts.errors import StatusNotAllowed
from accounts.models import Account, Product, Status
from accounts.services import decisions, each, steps
from audit import services as audit
from common.db import require_transaction, use_case
from identity import services as identity
from identity.models import User

# The owner hears of it so long before, and an account never sleeps without that.
NOTICE = timedelta(days=30)
# Activity is kept to the day, so that it costs payments next to nothing.
_A_DAY = timedelta(days=1)


def note_activity(accounts: Iterable[Account], *, now: datetime) -> None:
    """The owner used these accounts: silence counts from here. Call it before any posting: it may lock their rows."""
    require_transaction()
    stale = [account for account in accounts if account.active_at < now - _A_DAY]
    if stale:
        keys = sorted(account.pk for account in stale)
        Account.objects.filter(pk__in=keys, active_at__lt=now).update(active_at=now)
        for account in stale:
            account.active_at = now


def warn_silent(*, now: datetime, seconds: float = 240) -> each.Run:
    """Tell the owners of accounts that will sleep in 30 days, once for each silence."""
    return each.run(
        due=lambda: _to_warn(now), work=lambda account: _warn(account, now), what="warning", seconds=seconds
    )


def mark_dormant(*, now: datetime, seconds: float = 240) -> each.Run:
    """Let accounts sleep that were silent for as long as their product allows, 30 days after their owners were warned."""
    return each.run(
        due=lambda: _to_mark(now), work=lambda account: _mark(account, now), what="dormancy", seconds=seconds
    )


def reactivate_account(*, actor: User, account_id: UUID, pin: str, now: datetime) -> Account:
    """The owner wakes an account with the PIN.

    Raises WrongPin, PinLocked, PinNotSet; UnknownAccount, StatusNotAllowed.
    """
    identity.verify_pin(actor=actor, pin=pin, now=now)
    with use_case():
        account = steps.lock_own(actor, account_id)
        return _wake(account, actor, reason="", now=now)


def reactivate_for_customer(*, actor: User, account_id: UUID, reason: str, now: datetime) -> Account:
    """Staff wake an account for a customer whom they know to be there.

    Raises PermissionMissing (account_reactivate), NotYourOwn, ReasonRequired, UnknownAccount, StatusNotAllowed.
    """
    with use_case():
        account = decisions.lock_to_decide(actor, account_id, "account_reactivate", reason)
        return _wake(account, actor, reason=reason.strip(), now=now)


def _wake(account: Account, actor: User, *, reason: str, now: datetime) -> Account:
    if account.status != Status.DORMANT:
        raise StatusNotAllowed("This account does not sleep, so nothing was changed.", data={"status": account.status})
    account.status, account.dormant_at, account.active_at = Status.ACTIVE, None, now
    account.save(update_fields=["status", "dormant_at", "active_at"])
    _record(account, actor, "account.reactivated", reason=reason)
    steps.tell_owner(account, "account_reactivated")
    return account


def _to_warn(now: datetime) -> QuerySet[Account]:
    unwarned = Q(dormancy_warned_at=None) | Q(dormancy_warned_at__lt=F("active_at"))
    return _silent(now + NOTICE).filter(unwarned)


def _to_mark(now: datetime) -> QuerySet[Account]:
    return _silent(now).filter(dormancy_warned_at__gte=F("active_at"), dormancy_warned_at__lte=now - NOTICE)


def _silent(now: datetime) -> QuerySet[Account]:
    """Active accounts that at `now` have been silent for as long as their product allows."""
    rows = Account.objects.filter(status=Status.ACTIVE)
    long_enough = Q(pk=None)
    for code, days in Product.objects.filter(dormant_after_days__gt=0).values_list("code", "dormant_after_days"):
        long_enough |= Q(product=code, active_at__lte=now - timedelta(days=days))
    return rows.filter(long_enough)


def _warn(account: Account, now: datetime) -> bool:
    account.dormancy_warned_at = now
    account.save(update_fields=["dormancy_warned_at"])
    allowed = account.active_at + timedelta(days=account.product.dormant_after_days)
    steps.tell_owner(account, "account_silent", day=date_format(max(allowed, now + NOTICE), "j M Y"))
    return True


def _mark(account: Account, now: datetime) -> bool:
    account.status, account.dormant_at = Status.DORMANT, now
    account.save(update_fields=["status", "dormant_at"])
    _record(account, None, "account.dormant", last_used=account.active_at.isoformat())
    steps.tell_owner(account, "account_dormant")
    return True


def _record(account: Account, actor: User | None, action: str, *, reason: str = "", **facts: str) -> None:
    audit.record(actor=actor, action=action, subject_kind="account", subject_id=account.pk, data=facts, reason=reason)
