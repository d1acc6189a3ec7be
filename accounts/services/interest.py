"""Posting interest: once for each account and month, however often it runs and wherever it is stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import uuid5

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.errors import PeriodNotAllowed
from accounts.models import Account, InterestPosting, Status
from accounts.queries.interest import Accrual, accrual
from accounts.rules import periods
from accounts.services import each, steps
from accounts.services.statements import GRACE
from common.db import require_transaction
from ledger import queries as ledger_queries
from ledger import services as ledger

GL_INTEREST_INCOME = "4200"
GL_INTEREST_EXPENSE = "5100"


def post_interest(*, month: date, now: datetime, seconds: float = 240) -> each.Run:
    """Post the interest up to the end of `month` (any day of it) for every account in use that has a rate.

    Goes through them as `each.run` does. A frozen account waits: its next posting covers the months it missed. Raises
    PeriodNotAllowed before the month has ended (and an hour has passed).
    """
    period = month.replace(day=1)
    until = periods.first_of_next_month(period)
    if now < _midnight(until) + GRACE:
        raise PeriodNotAllowed("This month has not ended yet.", data={"reason": "future"})
    return each.run(
        due=lambda: _due(until),
        work=lambda account: _post(account, period=period, until=until, now=now) is not None,
        what="interest",
        seconds=seconds,
    )


def post_final(account: Account, *, now: datetime) -> InterestPosting | None:
    """Post what a locked account that closes has earned and owes up to this day, whatever is left unpaid from before.

    Its period is the month of closing, which no other posting can have. Needs a transaction.
    """
    require_transaction()
    day = now.astimezone(UTC).date()
    due = accrual(account, until=day)
    if due.since >= due.until and not due.owed_minor:
        return None
    return _write(account, due, period=day.replace(day=1), description=f"Interest up to closing, {day:%B %Y}", now=now)


def _post(account: Account, *, period: date, until: date, now: datetime) -> InterestPosting | None:
    """Compute, post and remember. The look at the last posting comes after the lock, so it is the last one indeed."""
    due = accrual(account, until=until)
    if due.since >= due.until or not (account.interest_rate or account.overdraft_rate):
        return None
    return _write(account, due, period=period, description=f"Interest, {period:%B %Y}", now=now)


def _write(account: Account, due: Accrual, *, period: date, description: str, now: datetime) -> InterestPosting:
    earned, owed = due.earned_minor, due.owed_minor
    charged = min(owed, _coverable(account, earned)) if owed else 0
    row = InterestPosting(
        account=account,
        period=period,
        since=due.since,
        until=due.until,
        earned_minor=earned,
        charged_minor=charged,
        unpaid_minor=owed - charged,
        posted_at=now,
    )
    if earned or charged:
        row.entry_id = _book(row, description)
    row.save(force_insert=True)
    return row


def _book(row: InterestPosting, description: str) -> int:
    """The entry, valued on the day after the last one that earned: no day counts the interest it made."""
    account = row.account
    sides = [(GL_INTEREST_EXPENSE, row.earned_minor), (GL_INTEREST_INCOME, -row.charged_minor)]
    legs = [
        leg
        for code, minor in sides
        if minor
        for leg in (
            ledger.Leg(account.ledger_account_id, minor),
            ledger.Leg(ledger_queries.internal_account(code, account.currency), -minor),
        )
    ]
    return ledger.post_entry(
        external_ref=uuid5(steps.NAMESPACE, f"interest:{account.pk}:{row.period}"),
        legs=legs,
        kind="interest",
        description=description,
        source_kind="account",
        source_id=account.pk,
        booked_at=row.posted_at,
        value_date=row.until,
    ).entry_id


def _due(until: date) -> QuerySet[Account]:
    done = InterestPosting.objects.filter(account=OuterRef("pk"), until__gte=until)
    return Account.objects.filter(
        ~Exists(done),
        Q(interest_rate__gt=0) | Q(overdraft_rate__gt=0),
        status__in=[Status.ACTIVE, Status.DORMANT],
        opened_at__lt=_midnight(until),
    )


def _coverable(account: Account, earned: int) -> int:
    available = ledger_queries.balance(account.ledger_account_id).available
    return max(available + earned, 0) if available is not None else 2**62


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
