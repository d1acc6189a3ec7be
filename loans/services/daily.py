"""What each day brings: collection, accrual, reminders (lateness has a module of its own). Every step may be killed, rerun and run twice.

One loan (or one chunk of quiet loans) is one transaction. What happens once for a loan and a day is unique in the
database, and a loan's row is locked first: a second worker skips it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts import services as accounts_services
from common.db import use_case
from common.errors import DomainError
from ledger import queries as ledger_queries
from ledger import services as ledger
from loans import queries
from loans.models import Collection, Instalment, Loan, Movement
from loans.rules import allotting
from loans.rules.collecting import tries_on
from loans.rules.servicing import Amounts
from loans.services import booking, repaying, telling
from loans.services.jobs import CHUNK, Done, each, notice_once

REMIND_BEFORE = timedelta(days=3)


# --- Collection ------------------------------------------------------------------------------------------------


def collect(*, day: date, now: datetime) -> Done:
    """Take what is due by `day` from the customers' accounts: all of it, or in part where the loan's terms say so.

    One try a day and loan, every day at first, then every week; each leaves a row. Overdrafts are not used for it.
    """
    due = Loan.objects.filter(status=Loan.Status.ACTIVE, next_due_date__lte=day)
    tried = Collection.objects.filter(day=day).values("loan_id")
    ids = due.exclude(pk__in=tried).order_by("pk").values_list("pk", "next_due_date")
    wanted = [loan_id for loan_id, since in ids.iterator() if since is not None and tries_on((day - since).days)]
    return each(wanted, lambda loan_id: _collect_one(loan_id, day, now))


def _collect_one(loan_id: UUID, day: date, now: datetime) -> bool:
    with use_case():
        loan = booking.claim_free(Loan.objects.filter(pk=loan_id, status=Loan.Status.ACTIVE)).first()
        if loan is None or loan.last_event_date > day or Collection.objects.filter(loan=loan, day=day).exists():
            return False
        run = queries.engine(loan, day)
        due = sum(row.due.total - row.paid.total for row in run.result(day).rows if row.due_date <= day)
        if not due:
            return False
        amount, reason = _collectable(loan, due)
        attempt = Collection(loan=loan, day=day, due_minor=due, collected_minor=amount, reason=reason, at=now)
        if amount:
            client_id = booking.reference("collection", loan.pk, day.isoformat())
            attempt.event = repaying.take(loan, amount, day=day, actor=None, client_id=client_id, now=now)
            full = amount == due
            attempt.outcome = Collection.Outcome.COLLECTED if full else Collection.Outcome.PARTIAL
        else:
            attempt.outcome = Collection.Outcome.FAILED
        attempt.save(force_insert=True)
        if amount < due:
            _tell_overdue(loan, due - amount, day)
        return True


def _collectable(loan: Loan, due: int) -> tuple[int, str]:
    """How much can be taken from the account now, and why not all."""
    try:
        account = accounts_services.lock_debitable_for(actor=loan.customer, account_id=loan.account_id)
    except DomainError as refusal:
        return 0, refusal.error_code[:40]
    balance = ledger_queries.balance(account.ledger_account_id)
    floor = max(balance.floor or 0, 0)
    held = max(balance.posted - balance.held - floor, 0)
    if held >= due:
        return due, ""
    if held and loan.takes_partial:
        return held, "insufficient_funds"
    return 0, "insufficient_funds"


def _tell_overdue(loan: Loan, missing: int, day: date) -> None:
    """On the first day, and again with each bucket the loan falls into."""
    late = (day - loan.next_due_date).days if loan.next_due_date else 0
    bucket = queries.bucket_of(max(late, 1))
    if notice_once(loan, "overdue", f"{loan.next_due_date}:{bucket.from_days}", now_day=day):
        telling.tell(loan, "loan_overdue", amount_minor=missing, text=bucket.told)


# --- Accrual ---------------------------------------------------------------------------------------------------


def accrue(*, day: date, now: datetime) -> Done:
    """Book the interest earned, and the fees and penalties fallen due, up to `day`, once for each loan.

    Loans on which nothing happens take their figure from what was computed ahead, many in one entry; the others are
    computed one by one.
    """
    quiet = _accrue_quiet(day, now)
    ids = list(_unaccrued(day).order_by("pk").values_list("pk", flat=True))
    found = each(ids, lambda loan_id: _accrue_one(loan_id, day, now))
    return Done(found.done + quiet, found.failed)


def _unaccrued(day: date) -> QuerySet[Loan]:
    return Loan.objects.filter(status=Loan.Status.ACTIVE, accrued_to__lt=day)


def _accrue_quiet(day: date, now: datetime) -> int:
    """Chunks of loans of one currency with nothing due or overdue, until none is left."""
    total = 0
    currencies = list(_unaccrued(day).order_by("currency").values_list("currency", flat=True).distinct())
    for currency in currencies:
        last: UUID | None = None
        while True:
            with use_case():
                rows = _quiet(day, currency, last)
                if not rows:
                    break
                total += _accrue_chunk(rows, currency, day, now)
                last = rows[-1].pk
    return total


def _quiet(day: date, currency: str, after: UUID | None) -> list[Loan]:
    found = _unaccrued(day).filter(Q(next_due_date__gt=day), currency=currency).order_by("pk")
    if after is not None:
        found = found.filter(pk__gt=after)
    claimed = found.select_for_update(no_key=True, skip_locked=True).only(
        "pk", "accruals", "accruals_from", "interest_balance_minor", "suspended_minor", "non_performing_since"
    )
    return list(claimed[:CHUNK])


def _accrue_chunk(rows: Sequence[Loan], currency: str, day: date, now: datetime) -> int:
    """One entry for all of them; a movement and a new balance for each."""
    bookings: list[tuple[Loan, allotting.Booking]] = []
    for loan in rows:
        place = (day - loan.accruals_from).days
        if place < len(loan.accruals):
            delta = Amounts(interest=loan.accruals[place] - loan.interest_balance_minor)
            performing = loan.non_performing_since is None
            bookings.append(
                (loan, allotting.accrue(delta, suspended=loan.suspended_minor, non_performing=not performing))
            )
    legs: dict[str, int] = defaultdict(int)
    for _, one in bookings:
        for code, amount in one.legs.items():
            legs[code] += amount
    entry = _post_chunk(bookings, legs, currency, day, now)
    moved = [(loan, one) for loan, one in bookings if any(one.parts)]
    Movement.objects.bulk_create(
        [
            booking.movement_of(
                loan, one, kind=Movement.Kind.ACCRUAL, period=day.isoformat(), day=day, entry_id=entry, now=now
            )
            for loan, one in moved
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE loans_loan l SET accrued_to = %s, interest_balance_minor = l.interest_balance_minor + d.interest,
                   suspended_minor = l.suspended_minor + d.suspended
              FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) d(id, interest, suspended) WHERE l.id = d.id
            """,
            [
                day,
                [str(loan.pk) for loan, _ in bookings],
                [one.parts.interest for _, one in bookings],
                [one.suspended for _, one in bookings],
            ],
        )
    return len(bookings)


def _post_chunk(
    bookings: Sequence[tuple[Loan, allotting.Booking]], legs: dict[str, int], currency: str, day: date, now: datetime
) -> int:
    wanted = [(code, amount) for code, amount in sorted(legs.items()) if amount]
    if not wanted:
        return 0
    first = next(loan for loan, one in bookings if any(one.parts))
    return ledger.post_entry(
        external_ref=booking.reference("accruals", first.pk, day.isoformat()),
        legs=[ledger.Leg(ledger_queries.internal_account(code, currency), amount) for code, amount in wanted],
        kind="loan_accrual",
        description=f"Interest of {len(bookings)} loans, {day:%d.%m.%Y}",
        source_kind="loans",
        source_id=day.isoformat(),
        booked_at=now,
        value_date=day,
    ).entry_id


def _accrue_one(loan_id: UUID, day: date, now: datetime) -> bool:
    with use_case():
        loan = booking.claim_free(_unaccrued(day).filter(pk=loan_id)).first()
        if loan is None:
            return False
        run = queries.engine(loan, day)
        booking.bring_to(loan, run, day, period=day.isoformat(), now=now)
        booking.settle(loan, run, day, now=now)
        return True


# --- Reminders -------------------------------------------------------------------------------------------------


def remind(*, day: date, now: datetime) -> Done:
    """Tell customers of the instalment that falls due three days after `day`, once for each."""
    due = day + REMIND_BEFORE
    rows = Instalment.objects.filter(due_date=due, loan__status=Loan.Status.ACTIVE).exclude(
        loan__notices__kind="due", loan__notices__period=due.isoformat()
    )
    ids = list(rows.order_by("loan_id").values_list("loan_id", flat=True).distinct())
    return each(ids, lambda loan_id: _remind_one(loan_id, due, day))


def _remind_one(loan_id: UUID, due: date, day: date) -> bool:
    with use_case():
        loan = booking.claim_free(Loan.objects.filter(pk=loan_id, status=Loan.Status.ACTIVE)).first()
        if loan is None:
            return False
        amount = sum(row.unpaid_minor for row in loan.instalments.filter(due_date=due))
        if amount and notice_once(loan, "due", due.isoformat(), now_day=day):
            telling.tell(loan, "loan_instalment_due", amount_minor=amount, day=due)
        return True
