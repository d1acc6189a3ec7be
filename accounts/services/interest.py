"""Posting interest: once for each account and month, however often it runs and wherever it is stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import uuid5

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.errors import PeriodNotAllowed
from accounts.models import Account, InterestPosting, Status
from accounts.rules import interest, periods
from accounts.rules.interest import Compounding, DayCount, Terms
from accounts.services import each, steps
from accounts.services.statements import GRACE
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


def _post(account: Account, *, period: date, until: date, now: datetime) -> InterestPosting | None:
    """Compute, post and remember. The look at the last posting comes after the lock, so it is the last one indeed."""
    last = InterestPosting.objects.filter(account=account).order_by("-until").first()
    since = last.until if last is not None else account.opened_at.astimezone(UTC).date()
    if since >= until or not (account.interest_rate or account.overdraft_rate):
        return None
    days = ledger_queries.valued_balances(account.ledger_account_id, since, until)
    earned = _amount([(day, max(minor, 0)) for day, minor in days], _terms(account, overdraft=False))
    owed = _amount([(day, max(-minor, 0)) for day, minor in days], _terms(account, overdraft=True))
    owed += last.unpaid_minor if last is not None else 0
    charged = min(owed, _coverable(account, earned)) if owed else 0
    row = InterestPosting(
        account=account,
        period=period,
        since=since,
        until=until,
        earned_minor=earned,
        charged_minor=charged,
        unpaid_minor=owed - charged,
        entry_id=_book(account, period, until, earned, charged, now) if earned or charged else None,
        posted_at=now,
    )
    row.save(force_insert=True)
    return row


def _book(account: Account, period: date, until: date, earned: int, charged: int, now: datetime) -> int:
    """The entry, valued on the day after the last one that earned: no day counts the interest it made."""
    sides = [(GL_INTEREST_EXPENSE, earned), (GL_INTEREST_INCOME, -charged)]
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
        external_ref=uuid5(steps.NAMESPACE, f"interest:{account.pk}:{period}"),
        legs=legs,
        kind="interest",
        description=f"Interest, {period:%B %Y}",
        source_kind="account",
        source_id=account.pk,
        booked_at=now,
        value_date=until,
    ).entry_id


def _due(until: date) -> QuerySet[Account]:
    done = InterestPosting.objects.filter(account=OuterRef("pk"), until__gte=until)
    return Account.objects.filter(
        ~Exists(done),
        Q(interest_rate__gt=0) | Q(overdraft_rate__gt=0),
        status__in=[Status.ACTIVE, Status.DORMANT],
        opened_at__lt=_midnight(until),
    )


def _terms(account: Account, *, overdraft: bool) -> Terms:
    return Terms(
        rate=account.overdraft_rate if overdraft else account.interest_rate,
        day_count=DayCount(account.day_count),
        compounding=Compounding(account.compounding),
    )


def _amount(balances: list[tuple[date, int]], terms: Terms) -> int:
    return int(interest.rounded(interest.interest(balances, terms)))


def _coverable(account: Account, earned: int) -> int:
    available = ledger_queries.balance(account.ledger_account_id).available
    return max(available + earned, 0) if available is not None else 2**62


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
