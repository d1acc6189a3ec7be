"""What an account has earned and owes in interest since its last posting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date

from accounts.models import Account, InterestPosting
from accounts.rules import interest
from accounts.rules.interest import Compounding, DayCount, Terms
from ledger import queries as ledger


@dataclass(frozen=True, slots=True)
class Accrual:
    """Interest of the days [since, until), rounded, in minor units; `owed_minor` has what was not covered before."""

    since: date
    until: date
    earned_minor: int
    owed_minor: int


def accrual(account: Account, *, until: date) -> Accrual:
    """What the days since the last posting (or the opening) up to `until` come to, by balances of value date."""
    last = InterestPosting.objects.filter(account=account).order_by("-until").first()
    since = last.until if last is not None else account.opened_at.astimezone(UTC).date()
    unpaid = last.unpaid_minor if last is not None else 0
    if since >= until or not (account.interest_rate or account.overdraft_rate):
        return Accrual(since, max(since, until), 0, unpaid)
    days = ledger.valued_balances(account.ledger_account_id, since, until)
    earned = _amount([(day, max(minor, 0)) for day, minor in days], _terms(account, overdraft=False))
    owed = _amount([(day, max(-minor, 0)) for day, minor in days], _terms(account, overdraft=True))
    return Accrual(since, until, earned, owed + unpaid)


def _terms(account: Account, *, overdraft: bool) -> Terms:
    return Terms(
        rate=account.overdraft_rate if overdraft else account.interest_rate,
        day_count=DayCount(account.day_count),
        compounding=Compounding(account.compounding),
    )


def _amount(balances: list[tuple[date, int]], terms: Terms) -> int:
    return int(interest.rounded(interest.interest(balances, terms)))
