"""The end of a day: one run of steps that goes on where it stopped.

Each step commits its own work and may run twice or at once; a run remembers the finished ones. A step that cannot
finish keeps its run open and says why; the others go on, and the next call tries it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from django.db import DatabaseError, OperationalError
from django.db.models import F

from accounts import services as accounts
from audit import services as audit
from bankportal.models import EndOfDayRun, EndOfDayStep
from common.db import use_case
from common.errors import DomainError, Invalid
from common.seals import HeadFileBroken
from ledger import queries as ledger_queries
from ledger import sealing, verification
from ledger import services as ledger
from loans import services as loans
from loans import verification as loan_verification
from payments import services as payments

logger = logging.getLogger(__name__)

# Transactions that began before midnight have long ended by then; interest waits for it too.
GRACE = timedelta(hours=1)
_NAMED_DISCREPANCIES = 10


class DayNotOver(Invalid):
    code = "day_not_over"
    message = "This day has not ended yet. Its end can run from an hour after midnight (UTC)."


class StepUnfinished(Exception):
    """A step did what it could and something is left; the text says what."""


def run(*, day: date, now: datetime) -> EndOfDayRun:
    """Begin the end of `day`, or go on with it. The run is finished when `finished_at` is set.

    Opens its own transactions. Raises DayNotOver; OperationalError when the database goes away.
    """
    if now < _midnight(day + timedelta(days=1)) + GRACE:
        raise DayNotOver(data={"day": str(day)})
    found = _begin(day, now)
    for step in found.steps.filter(finished_at=None):
        _try(found, step, now)
    if not found.steps.filter(finished_at=None).exists():
        _finish(found, now)
    found.refresh_from_db()
    return found


def run_due(*, now: datetime) -> list[EndOfDayRun]:
    """Go on with every open run, then begin each day after the latest run, the oldest first; the very first run is yesterday's.

    A bank that stood still makes its days good one by one, so no month's interest or fee is left out. Returns what was touched.
    """
    return [run(day=day, now=now) for day in _days_due(now)]


def _days_due(now: datetime) -> list[date]:
    yesterday = (now - GRACE).astimezone(UTC).date() - timedelta(days=1)
    latest = EndOfDayRun.objects.order_by("-day").values_list("day", flat=True).first()
    since = latest or yesterday - timedelta(days=1)
    new = [since + timedelta(days=after) for after in range(1, (yesterday - since).days + 1)]
    return [*EndOfDayRun.objects.filter(finished_at=None).order_by("day").values_list("day", flat=True), *new]


def _begin(day: date, now: datetime) -> EndOfDayRun:
    with use_case():
        found, _ = EndOfDayRun.objects.get_or_create(day=day, defaults={"started_at": now})
        EndOfDayStep.objects.bulk_create(
            [EndOfDayStep(run=found, position=position, name=name) for position, name in enumerate(STEPS, start=1)],
            ignore_conflicts=True,
        )
    return found


def _try(found: EndOfDayRun, step: EndOfDayStep, now: datetime) -> None:
    row = EndOfDayStep.objects.filter(pk=step.pk, finished_at=None)
    row.update(tries=F("tries") + 1)
    try:
        note = STEPS[step.name](found, now)
    except OperationalError:
        raise
    except (StepUnfinished, DomainError, HeadFileBroken, DatabaseError) as problem:
        logger.exception("a step of the end of day did not finish", extra={"step": step.name, "day": str(found.day)})
        row.update(note=str(problem))
    else:
        row.update(note=note, finished_at=now)


def _finish(found: EndOfDayRun, now: datetime) -> None:
    with use_case():
        if not EndOfDayRun.objects.filter(pk=found.pk, finished_at=None).update(finished_at=now):
            return
        audit.record(
            actor=None,
            action="end_of_day.finished",
            subject_kind="end_of_day",
            subject_id=str(found.day),
            data={step.name: step.note for step in found.steps.all()},
        )


def _expire(found: EndOfDayRun, now: datetime) -> str:
    total = 0
    while expired := payments.expire_held(now=now):
        total += expired
    return f"{total} held payments expired"


def _interest(found: EndOfDayRun, now: datetime) -> str:
    """For the last month that ended with this day or before it: accounts released since then are served too."""
    month = _month_that_ended(found.day)
    run = accounts.post_interest(month=month, now=now)
    note = f"{month:%B %Y}: {run.done} accounts posted, {run.failed} failed, {run.left} left"
    if run.left:
        raise StepUnfinished(note)
    return note


def _fees(found: EndOfDayRun, now: datetime) -> str:
    """After the interest, which may cover them: those of the last month that ended, then what is open from before."""
    month = _month_that_ended(found.day)
    asked = accounts.ask_account_fees(month=month, now=now)
    taken = accounts.collect_open_fees(now=now)
    note = (
        f"{month:%B %Y}: {asked.done} accounts asked, {asked.failed} failed, {asked.left} left; "
        f"open fees of {taken.done} accounts taken, {taken.failed} failed"
    )
    if asked.left or taken.left:
        raise StepUnfinished(note)
    return note


def _dormancy(found: EndOfDayRun, now: datetime) -> str:
    warned, marked = accounts.warn_silent(now=now), accounts.mark_dormant(now=now)
    note = f"{warned.done} owners warned, {marked.done} accounts dormant, {warned.failed + marked.failed} failed"
    if warned.left or marked.left:
        raise StepUnfinished(note)
    return note


def _loans_collect(found: EndOfDayRun, now: datetime) -> str:
    loans.expire_offers(now=now)
    return _loan_step(loans.collect(day=found.day, now=now), "tried")


def _loans_accrue(found: EndOfDayRun, now: datetime) -> str:
    return _loan_step(loans.accrue(day=found.day, now=now), "accrued")


def _loans_classify(found: EndOfDayRun, now: datetime) -> str:
    note = _loan_step(loans.classify(day=found.day, now=now), "classified")
    return f"{note}; {_loan_step(loans.remind(day=found.day, now=now), 'reminded')}"


def _loan_step(done: loans.Done, what: str) -> str:
    note = f"{done} {what}"
    if done.failed:
        raise StepUnfinished(note)
    return note


def _loans_check(found: EndOfDayRun, now: datetime) -> str:
    problems = [str(each) for each in loan_verification.verify(replayed=False)]
    if problems:
        raise StepUnfinished("; ".join(problems[:_NAMED_DISCREPANCIES]))
    return "the loan book equals the ledger"


def _balances(found: EndOfDayRun, now: datetime) -> str:
    total = 0
    while taken := ledger.take_daily_balances():
        total += taken
    return f"daily balances of {total} accounts, {ledger.take_snapshots()} snapshots"


def _seal(found: EndOfDayRun, now: datetime) -> str:
    sealed = sealing.run()
    head = ledger_queries.seal_heads().last()
    EndOfDayRun.objects.filter(pk=found.pk).update(seal=head.number if head else None)
    return f"{sealed} blocks sealed" + (f", the newest is number {head.number}" if head else "")


def _check(found: EndOfDayRun, now: datetime) -> str:
    """Everything after the seal of the last finished run; the first run looks at the whole ledger."""
    before = EndOfDayRun.objects.filter(day__lt=found.day, seal__isnull=False, finished_at__isnull=False)
    since = before.order_by("-day").values_list("seal", flat=True).first()
    problems = [str(each) for each in verification.verify(since=since, limit=_NAMED_DISCREPANCIES)]
    if problems:
        raise StepUnfinished("; ".join(problems[:_NAMED_DISCREPANCIES]))
    return f"the ledger is right since seal {since}" if since is not None else "the whole ledger is right"


def _month_that_ended(day: date) -> date:
    """The last day of the last month that ended with this day or before it."""
    return (day + timedelta(days=1)).replace(day=1) - timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


STEPS: dict[str, Callable[[EndOfDayRun, datetime], str]] = {
    "expiry": _expire,
    "interest": _interest,
    "fees": _fees,
    "dormancy": _dormancy,
    "loan collection": _loans_collect,
    "loan accrual": _loans_accrue,
    "loan lateness": _loans_classify,
    "loan check": _loans_check,
    "balances": _balances,
    "seal": _seal,
    "checks": _check,
}
