"""What the bank's own books say of a customer who asks for a loan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts import queries as accounts
from accounts.models import Status as AccountStatus
from fraud import queries as fraud
from identity.models import User
from kyc import queries as kyc
from ledger import queries as ledger
from loans.models import Loan
from loans.queries import instalments_of
from loans.rules.deciding import Signals
from loans.rules.income import Means, Moved, means_of
from loans.rules.rhythm import rhythm_of

LOOK_BACK = timedelta(days=92)
_OVERDRAWN_DAYS = 90
_MONTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Relation:
    """How long and how well the customer's accounts in one currency are kept. Minor units."""

    means: Means
    months_with_us: int
    balance_minor: int
    overdrawn_days: int


def relation_of(customer: User, *, currency: str, now: datetime) -> Relation:
    """From the ledger lines of the customer's open accounts in this currency over the last three months."""
    kept = [
        account
        for account in accounts.own_accounts(customer)
        if account.currency == currency and account.status != AccountStatus.CLOSED
    ]
    ids = [account.ledger_account_id for account in kept]
    today = now.astimezone(UTC).date()
    moved = [
        Moved(on=line.booked_at.date(), amount_minor=line.amount_minor, kind=line.kind, text=line.description)
        for account_id in ids
        for line in ledger.lines(account_id, since=now - LOOK_BACK)
    ]
    days = ledger.daily_balances(ids, today - timedelta(days=_OVERDRAWN_DAYS), today)
    overdrawn = {day for found in days.values() for day, minor in found if minor < 0}
    first = min((account.opened_at for account in kept), default=now)
    return Relation(
        means=means_of(sorted(moved, key=lambda each: each.on)),
        months_with_us=(now - first).days // _MONTH_DAYS,
        balance_minor=sum(max(balance.posted, 0) for balance in ledger.balances(ids).values()),
        overdrawn_days=len(overdrawn),
    )


@dataclass(frozen=True, slots=True)
class LoansSoFar:
    """What the customer owes us already, per month, and how late they were. Minor units of one currency."""

    instalments_minor: int
    days_late_now: int
    worst_days_late: int | None


def loans_so_far(customer: User, *, currency: str, now: datetime) -> LoansSoFar:
    today = now.astimezone(UTC).date()
    loans = list(Loan.objects.filter(customer=customer))
    active = [loan for loan in loans if loan.status == Loan.Status.ACTIVE]
    monthly = 0
    for loan in active:
        if loan.currency == currency:
            ahead = [row.total_minor for row in instalments_of(loan) if row.due_date >= today]
            monthly += rhythm_of(loan.terms).monthly(max(ahead, default=0))
    late = [(today - loan.next_due_date).days for loan in active if loan.next_due_date]
    now_late = max([0, *late])
    written_off = any(loan.status == Loan.Status.WRITTEN_OFF for loan in loans)
    worst = max([now_late, *(loan.worst_days_past_due for loan in loans)], default=0)
    return LoansSoFar(
        instalments_minor=monthly,
        days_late_now=now_late,
        worst_days_late=None if not loans else max(worst, 999 if written_off else 0),
    )


def signals_of(customer: User, *, days_late_now: int, amount_base_minor: int | None, now: datetime) -> Signals:
    """What stands against the customer elsewhere in the bank."""
    suspicions = fraud.suspicions_of(customer_id=customer.public_id, since=now - LOOK_BACK)
    return Signals(
        kyc_approved=kyc.is_approved(customer.pk),
        days_late_now=days_late_now,
        fraud_cases_open=suspicions.open,
        fraud_refusals=suspicions.declined,
        is_staff=customer.is_staff,
        amount_base_minor=amount_base_minor,
    )
