"""Days past due, suspended interest, and what is set aside: the part of a loan's day that looks at how late it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from uuid import UUID

from common.db import use_case
from loans import queries
from loans.models import Bucket, Loan, Movement
from loans.rules import allotting
from loans.services.jobs import Claim, Done, Worked
from loans.services.sharing import share
from loans.services.sheet import Sheet

NON_PERFORMING_DAYS = 90


def classify(*, day: date, now: datetime) -> Done:
    """Days past due, income suspended from 90 days on and resumed once all is paid, and what is set aside per bucket.

    Only loans for which that may change are looked at: late ones, and those whose principal has changed. A day that is
    made good later leaves out the loans that were paid out after it.
    """
    listed = queries.buckets()
    columns = ("next_due_date", "days_past_due", "non_performing_since", "principal_balance_minor", "allowance_minor")
    active = Loan.objects.filter(status=Loan.Status.ACTIVE, start_date__lte=day).order_by("pk").only(*columns)
    ids = [loan.pk for loan in active.iterator() if _may_change(loan, listed, day)]
    return share("classify", ids, partial(_classify, listed=listed, day=day, now=now), day=day, now=now)


def _may_change(loan: Loan, listed: Sequence[Bucket], day: date) -> bool:
    late = loan.next_due_date is not None and loan.next_due_date < day
    return (
        late
        or bool(loan.days_past_due)
        or loan.non_performing_since is not None
        or _target(loan, listed) != loan.allowance_minor
    )


def _classify(ids: Sequence[UUID], claim: Claim, listed: Sequence[Bucket], day: date, now: datetime) -> Worked:
    with use_case():
        loans = list(claim(Loan.objects.filter(pk__in=ids, status=Loan.Status.ACTIVE)).order_by("pk"))
        before = Movement.objects.filter(loan__in=loans, kind=Movement.Kind.PROVISION, period=day.isoformat())
        provided = set(before.values_list("loan_id", flat=True))
        sheet = Sheet(now=now, loans=loans)
        for loan in loans:
            _classify_one(sheet, loan, day)
            delta = _target(loan, listed) - loan.allowance_minor
            if delta and loan.pk not in provided:
                sheet.book(
                    loan,
                    allotting.provide(delta),
                    kind=Movement.Kind.PROVISION,
                    period=day.isoformat(),
                    day=day,
                    text=f"Set aside, {loan.days_past_due} days late",
                )
        sheet.write()
        return Worked({loan.pk for loan in loans}, len(loans))


def _classify_one(sheet: Sheet, loan: Loan, day: date) -> None:
    late = max((day - loan.next_due_date).days, 0) if loan.next_due_date else 0
    loan.days_past_due = late
    loan.worst_days_past_due = max(loan.worst_days_past_due, late)
    if late >= NON_PERFORMING_DAYS and loan.non_performing_since is None:
        loan.non_performing_since = day
        _suspend(sheet, loan, day)
    elif late == 0 and loan.non_performing_since is not None:
        loan.non_performing_since = None
        _resume(sheet, loan, day)
    sheet.change(loan)


def _suspend(sheet: Sheet, loan: Loan, day: date) -> None:
    if loan.interest_balance_minor > loan.suspended_minor:
        sheet.book(
            loan,
            allotting.suspend(interest=loan.interest_balance_minor, suspended=loan.suspended_minor),
            kind=Movement.Kind.SUSPENSION,
            period=f"{day.isoformat()} on",
            day=day,
            text="Non-performing: interest suspended",
        )


def _resume(sheet: Sheet, loan: Loan, day: date) -> None:
    if loan.suspended_minor:
        sheet.book(
            loan,
            allotting.resume(suspended=loan.suspended_minor),
            kind=Movement.Kind.SUSPENSION,
            period=f"{day.isoformat()} off",
            day=day,
            text="Performing again: interest recognised",
        )


def _target(loan: Loan, listed: Sequence[Bucket]) -> int:
    """What the bucket says of the principal, half to even."""
    percent = queries.bucket_of(loan.days_past_due, listed).provision_percent
    exact = Decimal(loan.principal_balance_minor) * percent / 100
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
