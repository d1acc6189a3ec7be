"""Monthly account fees: asked for once for each account and month, collected when the account can cover them.

A fee is for a whole month, so the months of opening and closing are free. It is priced by the balance at the end of the
month and never takes an account below its floor: what the account cannot cover stays open and is tried at each end of day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid5

from django.db.models import Exists, OuterRef, QuerySet

from accounts.errors import AccountClosed, AccountFrozen, FeeNotOwed, PeriodNotAllowed, UnknownFee
from accounts.models import Account, AccountFee, FeeVersion, FeeWaiver, Status
from accounts.queries import fees
from accounts.rules import periods
from accounts.rules.fees import Operation
from accounts.services import each, steps
from accounts.services.decisions import lock_to_decide
from accounts.services.statements import GRACE
from audit import services as audit
from common.db import use_case
from common.money import Money, display
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger

GL_FEE_INCOME = "4100"


def ask_account_fees(*, month: date, now: datetime, seconds: float = 240) -> each.Run:
    """Ask for the fee of `month` (any day of it) on every account that was there for all of it, frozen ones too.

    Takes it at once where it can. Goes through the accounts as `each.run` does. Raises PeriodNotAllowed before the month
    has ended (and an hour has passed).
    """
    period = month.replace(day=1)
    until = _midnight(periods.first_of_next_month(period))
    if now < until + GRACE:
        raise PeriodNotAllowed("This month has not ended yet.", data={"reason": "future"})
    return each.run(
        due=lambda: _due(period, until),
        work=lambda account: _ask(account, period=period, until=until, now=now),
        what="account fee",
        seconds=seconds,
    )


def collect_open_fees(*, now: datetime, seconds: float = 240) -> each.Run:
    """Take what is open from accounts that can cover it by now, the oldest month first; `done` counts these accounts."""
    return each.run(
        due=lambda: _waiting(now), work=lambda account: collect(account, now=now) > 0, what="open fees", seconds=seconds
    )


def collect(account: Account, *, now: datetime) -> int:
    """Take the open fees of a locked account, oldest first, until one is not covered. Returns how many were taken."""
    taken = 0
    for fee in AccountFee.objects.open().filter(account=account).order_by("period"):
        fee.tried_at = now
        fee.entry_id = _book(account, fee, now)
        fee.collected_at = now if fee.entry_id is not None else None
        fee.save(update_fields=["tried_at", "entry_id", "collected_at"])
        if fee.entry_id is None:
            break
        taken += 1
    return taken


def waive_account_fee(*, actor: User, fee_id: int, reason: str, now: datetime) -> FeeWaiver:
    """Do without a month's fee: what is open is not owed any more, what was collected goes back to the account.

    Raises UnknownFee, PermissionMissing, NotYourOwn, ReasonRequired, FeeNotOwed; AccountFrozen and AccountClosed where
    money would have to go back.
    """
    with use_case():
        account_id = AccountFee.objects.filter(pk=fee_id).values_list("account_id", flat=True).first()
        if account_id is None:
            raise UnknownFee()
        account = lock_to_decide(actor, account_id, "fee_waive", reason)
        # Read under the lock: the end of a day may have collected it a moment ago.
        fee = AccountFee.objects.select_related("account", "waiver").get(pk=fee_id)
        if not fee.amount_minor or fee.waived:
            raise FeeNotOwed()
        waiver = FeeWaiver.objects.create(
            fee=fee,
            refund_entry_id=None if fee.entry_id is None else _give_back(account, fee, fee.entry_id, now),
            waived_by=actor,
            waived_at=now,
        )
        audit.record(
            actor=actor,
            action="fee.waived",
            subject_kind="account",
            subject_id=account.pk,
            reason=reason.strip(),
            data={"month": f"{fee.period:%Y-%m}", "amount_minor": fee.amount_minor, "entry": waiver.refund_entry_id},
        )
        steps.tell_owner(account, "account_fee_waived", amount=display(fee.amount))
        return waiver


def _give_back(account: Account, fee: AccountFee, entry_id: int, now: datetime) -> int:
    if account.status == Status.FROZEN:
        raise AccountFrozen()
    if account.status == Status.CLOSED:
        raise AccountClosed()
    return ledger.reverse_entry(
        entry_id=entry_id,
        external_ref=uuid5(steps.NAMESPACE, f"account-fee-waiver:{account.pk}:{fee.period}"),
        description=f"Account fee given back, {fee.period:%B %Y}",
        booked_at=now,
        source_kind="account",
        source_id=account.pk,
    ).entry_id


def _due(period: date, until: datetime) -> QuerySet[Account]:
    asked = AccountFee.objects.filter(account=OuterRef("pk"), period=period)
    priced = FeeVersion.objects.filter(
        product=OuterRef("product"), operation=Operation.MONTHLY.value, valid_from__lt=until
    )
    there = Account.objects.exclude(status=Status.CLOSED).filter(opened_at__lt=_midnight(period))
    return there.filter(~Exists(asked), Exists(priced))


def _waiting(now: datetime) -> QuerySet[Account]:
    """Accounts with an open fee that was not tried at this moment or later; after a try they are not due any more."""
    open_fees = AccountFee.objects.open().filter(account=OuterRef("pk"))
    tried = open_fees.filter(tried_at__gte=now)
    return Account.objects.exclude(status__in=[Status.FROZEN, Status.CLOSED]).filter(Exists(open_fees), ~Exists(tried))


def _ask(account: Account, *, period: date, until: datetime, now: datetime) -> bool:
    last_day = until.date() - timedelta(days=1)
    basis = max(ledger_queries.balance_on(account.ledger_account_id, last_day), 0)
    price = fees.price(
        product_code=account.product_id,
        operation=Operation.MONTHLY,
        amount=Money(basis, account.currency),
        at=until - timedelta(microseconds=1),
    )
    assert price.version_id is not None, "only accounts whose product has a version are due"
    fee = AccountFee(
        account=account,
        period=period,
        fee_version_id=price.version_id,
        basis_minor=basis,
        amount_minor=price.fee.amount_minor,
        note=price.note,
        asked_at=now,
        tried_at=now,
    )
    if fee.amount_minor:
        fee.entry_id = _book(account, fee, now)
        fee.collected_at = now if fee.entry_id is not None else None
    fee.save(force_insert=True)
    if fee.amount_minor and fee.entry_id is None:
        steps.tell_owner(account, "account_fee_open", amount=display(fee.amount))
    return True


def _book(account: Account, fee: AccountFee, now: datetime) -> int | None:
    """Post the fee as of the day after its month; None when the account cannot cover it or takes no posting now."""
    available = ledger_queries.balance(account.ledger_account_id).available
    if account.status == Status.FROZEN or (available is not None and available < fee.amount_minor):
        return None
    return ledger.post_transfer(
        external_ref=uuid5(steps.NAMESPACE, f"account-fee:{account.pk}:{fee.period}"),
        debit_account_id=account.ledger_account_id,
        credit_account_id=ledger_queries.internal_account(GL_FEE_INCOME, account.currency),
        amount_minor=fee.amount_minor,
        kind="fee",
        description=f"Account fee, {fee.period:%B %Y}",
        source_kind="account",
        source_id=account.pk,
        booked_at=now,
        value_date=periods.first_of_next_month(fee.period),
    ).entry_id


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
