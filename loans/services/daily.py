"""What each day brings: collection, accrual, reminders (lateness has a module of its own). Every step may be killed, rerun and run twice.

A chunk of loans is one transaction. What happens once for a loan and a day is unique in the database, and a loan's row is
locked first: a second worker skips it, and comes back to it when everything else is done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When

from accounts import queries as accounts_queries
from accounts import services as accounts_services
from common.db import use_case
from common.errors import DomainError
from ledger import queries as ledger_queries
from loans import queries
from loans.models import Collection, Instalment, Loan
from loans.rules.servicing import Amounts
from loans.services import booking, repaying
from loans.services.jobs import QUIET_CHUNK, Claim, Done, Worked
from loans.services.sharing import share
from loans.services.sheet import Sheet

REMIND_BEFORE = timedelta(days=3)


# --- Collection ------------------------------------------------------------------------------------------------


def collect(*, day: date, now: datetime) -> Done:
    """Take what is due by `day` from the customers' accounts: all of it, or in part where the loan's terms say so.

    One try a day and loan: on every due day, then as often as the loan agreed on; each leaves a row. Overdrafts are not
    used for it.
    """
    tried = Collection.objects.filter(day=day).values("loan_id")
    due = Loan.objects.filter(status=Loan.Status.ACTIVE, next_due_date__lte=day).exclude(pk__in=tried)
    # Only of what is overdue the latest due day has to be looked up.
    latest = Instalment.objects.filter(loan=OuterRef("pk"), due_date__lte=day).order_by("-due_date").values("due_date")
    since = Case(When(next_due_date=day, then=F("next_due_date")), default=Subquery(latest[:1]))
    asked = due.annotate(since=since).order_by("pk").only("takes_partial", "retries", "retry_days")
    wanted = [loan.pk for loan in asked.iterator() if loan.collecting.tries_on((day - loan.since).days)]
    return share("collect", wanted, partial(_collect, day=day, now=now), day=day, now=now)


def _collect(ids: Sequence[UUID], claim: Claim, day: date, now: datetime) -> Worked:
    with use_case():
        loans = list(claim(Loan.objects.filter(pk__in=ids, status=Loan.Status.ACTIVE)).order_by("pk"))
        tried = set(Collection.objects.filter(day=day, loan__in=loans).values_list("loan_id", flat=True))
        asked = [loan for loan in loans if loan.pk not in tried and loan.last_event_date <= day]
        sheet = Sheet(now=now, loans=asked)
        funds = _Funds(asked)
        # In the order of the ledger's accounts, as every other entry locks their balances.
        asked.sort(key=lambda loan: (loan.account.ledger_account_id, loan.pk))
        done = sum(_collect_one(sheet, loan, funds, day) for loan in asked)
        sheet.write()
        return Worked({loan.pk for loan in loans}, done)


def _collect_one(sheet: Sheet, loan: Loan, funds: _Funds, day: date) -> bool:
    run = sheet.engine(loan, day)
    due = run.due_by(day)
    if not due:
        return False
    amount, reason = funds.take(loan, due)
    attempt = Collection(loan=loan, day=day, due_minor=due, collected_minor=amount, reason=reason, at=sheet.now)
    if amount:
        client_id = booking.reference("collection", loan.pk, day.isoformat())
        attempt.event = repaying.take(sheet, loan, run, amount, day=day, actor=None, client_id=client_id)
        full = amount == due
        attempt.outcome = Collection.Outcome.COLLECTED if full else Collection.Outcome.PARTIAL
    else:
        attempt.outcome = Collection.Outcome.FAILED
    sheet.add_collection(attempt)
    if amount < due:
        _tell_overdue(sheet, loan, due - amount, day)
    return True


class _Funds:
    """What can be taken now from the accounts of these loans, which are locked by this. Overdrafts do not count."""

    def __init__(self, loans: Sequence[Loan]) -> None:
        self._accounts = accounts_services.lock([loan.account_id for loan in loans])
        held = ledger_queries.balances(account.ledger_account_id for account in self._accounts.values())
        self._left = {number: max(one.posted - one.held - max(one.floor or 0, 0), 0) for number, one in held.items()}

    def take(self, loan: Loan, due: int) -> tuple[int, str]:
        """How much of what is due can be taken, and why not all; a second loan of the account finds that much less."""
        account = self._accounts[loan.account_id]
        try:
            accounts_queries.require_usable(account)
        except DomainError as refusal:
            return 0, refusal.error_code[:40]
        left = self._left[account.ledger_account_id]
        if left < due and not (left and loan.takes_partial):
            return 0, "insufficient_funds"
        taken = min(left, due)
        self._left[account.ledger_account_id] -= taken
        return taken, "" if taken == due else "insufficient_funds"


def _tell_overdue(sheet: Sheet, loan: Loan, missing: int, day: date) -> None:
    """On the first day, and again with each bucket the loan falls into."""
    late = (day - loan.next_due_date).days if loan.next_due_date else 0
    bucket = queries.bucket_of(max(late, 1))
    if sheet.notice_once(loan, "overdue", f"{loan.next_due_date}:{bucket.from_days}", day=day):
        sheet.tell(loan, "loan_overdue", amount_minor=missing, text=bucket.told)


# --- Accrual ---------------------------------------------------------------------------------------------------


def accrue(*, day: date, now: datetime) -> Done:
    """Book the interest earned, and the fees and penalties fallen due, up to `day`, once for each loan.

    Loans on which nothing happens take their figure from what was computed ahead; the others are computed.
    """
    quiet = _accrue_quiet(day, now)
    ids = list(_unaccrued(day).order_by("pk").values_list("pk", flat=True))
    found = share("accrue", ids, partial(_accrue, day=day, now=now), day=day, now=now)
    return Done(found.done + quiet, found.failed)


def _unaccrued(day: date) -> QuerySet[Loan]:
    return Loan.objects.filter(status=Loan.Status.ACTIVE, accrued_to__lt=day)


def _accrue_quiet(day: date, now: datetime) -> int:
    """Chunks of loans with nothing due or overdue, until none is left."""
    total, last = 0, UUID(int=0)
    while True:
        with use_case():
            quiet = _unaccrued(day).filter(next_due_date__gt=day, pk__gt=last).defer("terms").order_by("pk")
            rows = list(quiet.select_for_update(no_key=True, skip_locked=True)[:QUIET_CHUNK])
            if not rows:
                return total
            total += _accrue_chunk(rows, day, now)
            last = rows[-1].pk


def _accrue_chunk(rows: Sequence[Loan], day: date, now: datetime) -> int:
    """Loans whose interest was computed ahead that far; the others are left for later. Returns how many."""
    sheet, done = Sheet(now=now, loans=rows), 0
    for loan in rows:
        place = (day - loan.accruals_from).days
        if place < len(loan.accruals):
            more = Amounts(interest=loan.accruals[place] - loan.interest_balance_minor)
            sheet.accrue(loan, more, day, period=day.isoformat())
            loan.accrued_to = day
            sheet.change(loan)
            done += 1
    sheet.write()
    return done


def _accrue(ids: Sequence[UUID], claim: Claim, day: date, now: datetime) -> Worked:
    with use_case():
        loans = list(claim(_unaccrued(day).filter(pk__in=ids)).order_by("pk"))
        sheet = Sheet(now=now, loans=loans)
        for loan in loans:
            run = sheet.engine(loan, day)
            sheet.bring_to(loan, run, day, period=day.isoformat())
            sheet.settle(loan, run, day)
        sheet.write()
        return Worked({loan.pk for loan in loans}, len(loans))


# --- Reminders -------------------------------------------------------------------------------------------------


def remind(*, day: date, now: datetime) -> Done:
    """Tell customers of the instalment that falls due three days after `day`, once for each."""
    due = day + REMIND_BEFORE
    rows = Instalment.objects.filter(due_date=due, loan__status=Loan.Status.ACTIVE).exclude(
        loan__notices__kind="due", loan__notices__period=due.isoformat()
    )
    ids = list(rows.order_by("loan_id").values_list("loan_id", flat=True).distinct())
    return share("remind", ids, partial(_remind, due=due, day=day, now=now), day=day, now=now)


def _remind(ids: Sequence[UUID], claim: Claim, due: date, day: date, now: datetime) -> Worked:
    with use_case():
        loans = list(claim(Loan.objects.filter(pk__in=ids, status=Loan.Status.ACTIVE)).order_by("pk"))
        amounts: dict[UUID, int] = defaultdict(int)
        for row in Instalment.objects.filter(loan__in=loans, due_date=due):
            amounts[row.loan_id] += row.unpaid_minor
        sheet = Sheet(now=now, loans=loans)
        for loan in loans:
            if amounts[loan.pk] and sheet.notice_once(loan, "due", due.isoformat(), day=day):
                sheet.tell(loan, "loan_instalment_due", amount_minor=amounts[loan.pk], day=due)
        sheet.write()
        return Worked({loan.pk for loan in loans}, len(loans))
