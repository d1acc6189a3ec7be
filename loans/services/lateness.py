"""Days past due, suspended interest, and what is set aside: the part of a loan's day that looks at how late it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Q

from common.db import use_case
from ledger import queries as ledger_queries
from ledger import services as ledger
from loans import queries
from loans.models import Bucket, Loan, Movement
from loans.rules import allotting
from loans.services import booking
from loans.services.jobs import CHUNK, Done, each

NON_PERFORMING_DAYS = 90


def classify(*, day: date, now: datetime) -> Done:
    """Days past due, income suspended from 90 days on and resumed once all is paid, and what is set aside per bucket."""
    listed = queries.buckets()
    late = Q(next_due_date__lt=day) | Q(days_past_due__gt=0) | Q(non_performing_since__isnull=False)
    ids = list(Loan.objects.filter(late, status=Loan.Status.ACTIVE).order_by("pk").values_list("pk", flat=True))
    found = each(ids, lambda loan_id: _classify_one(loan_id, listed, day, now))
    return Done(found.done + _provide_for_the_rest(listed, set(ids), day, now), found.failed)


def _classify_one(loan_id: UUID, listed: Sequence[Bucket], day: date, now: datetime) -> bool:
    with use_case():
        loan = booking.claim_free(Loan.objects.filter(pk=loan_id, status=Loan.Status.ACTIVE)).first()
        if loan is None:
            return False
        late = max((day - loan.next_due_date).days, 0) if loan.next_due_date else 0
        loan.days_past_due = late
        loan.worst_days_past_due = max(loan.worst_days_past_due, late)
        if late >= NON_PERFORMING_DAYS and loan.non_performing_since is None:
            loan.non_performing_since = day
            _suspend(loan, day, now)
        elif late == 0 and loan.non_performing_since is not None:
            loan.non_performing_since = None
            _resume(loan, day, now)
        delta = _target(loan, listed) - loan.allowance_minor
        if delta and not _provided(loan, day):
            booking.book(
                loan,
                allotting.provide(delta),
                kind=Movement.Kind.PROVISION,
                period=day.isoformat(),
                day=day,
                text=f"Set aside, {late} days late",
                now=now,
            )
        loan.save()
        return True


def _provided(loan: Loan, day: date) -> bool:
    return loan.movements.filter(kind=Movement.Kind.PROVISION, period=day.isoformat()).exists()


def _suspend(loan: Loan, day: date, now: datetime) -> None:
    if loan.interest_balance_minor > loan.suspended_minor:
        booking.book(
            loan,
            allotting.suspend(interest=loan.interest_balance_minor, suspended=loan.suspended_minor),
            kind=Movement.Kind.SUSPENSION,
            period=f"{day.isoformat()} on",
            day=day,
            text="Non-performing: interest suspended",
            now=now,
        )


def _resume(loan: Loan, day: date, now: datetime) -> None:
    if loan.suspended_minor:
        booking.book(
            loan,
            allotting.resume(suspended=loan.suspended_minor),
            kind=Movement.Kind.SUSPENSION,
            period=f"{day.isoformat()} off",
            day=day,
            text="Performing again: interest recognised",
            now=now,
        )


def _target(loan: Loan, listed: Sequence[Bucket]) -> int:
    """What the bucket says of the principal, half to even."""
    percent = queries.bucket_of(loan.days_past_due, listed).provision_percent
    exact = Decimal(loan.principal_balance_minor) * percent / 100
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _provide_for_the_rest(listed: Sequence[Bucket], seen: set[UUID], day: date, now: datetime) -> int:
    """Loans that are not late: their principal changes when they are paid, and what is set aside with it."""
    wanted = [
        loan.pk
        for loan in Loan.objects.filter(status=Loan.Status.ACTIVE)
        .only("pk", "principal_balance_minor", "days_past_due", "allowance_minor")
        .iterator()
        if loan.pk not in seen and _target(loan, listed) != loan.allowance_minor
    ]
    total = 0
    for start in range(0, len(wanted), CHUNK):
        with use_case():
            total += _provide_chunk(wanted[start : start + CHUNK], listed, day, now)
    return total


def _provide_chunk(ids: list[UUID], listed: Sequence[Bucket], day: date, now: datetime) -> int:
    done = Movement.objects.filter(kind=Movement.Kind.PROVISION, period=day.isoformat()).values("loan_id")
    rows = Loan.objects.filter(pk__in=ids, status=Loan.Status.ACTIVE).exclude(pk__in=done).order_by("pk")
    deltas: dict[str, list[tuple[Loan, int]]] = defaultdict(list)
    for loan in rows.select_for_update(no_key=True, skip_locked=True):
        if delta := _target(loan, listed) - loan.allowance_minor:
            deltas[loan.currency].append((loan, delta))
    for currency, found in deltas.items():
        _provide_currency(currency, found, day, now)
    return sum(len(found) for found in deltas.values())


def _provide_currency(currency: str, found: Sequence[tuple[Loan, int]], day: date, now: datetime) -> None:
    bookings = [(loan, allotting.provide(delta)) for loan, delta in found]
    total = sum(delta for _, delta in found)
    entry = 0
    if total:
        entry = ledger.post_entry(
            external_ref=booking.reference("provisions", found[0][0].pk, day.isoformat()),
            legs=[
                ledger.Leg(ledger_queries.internal_account(allotting.PROVISIONS, currency), -total),
                ledger.Leg(ledger_queries.internal_account(allotting.ALLOWANCE, currency), total),
            ],
            kind="loan_provision",
            description=f"Set aside for {len(found)} loans, {day:%d.%m.%Y}",
            source_kind="loans",
            source_id=day.isoformat(),
            booked_at=now,
            value_date=day,
        ).entry_id
    Movement.objects.bulk_create(
        [
            booking.movement_of(
                loan, one, kind=Movement.Kind.PROVISION, period=day.isoformat(), day=day, entry_id=entry, now=now
            )
            for loan, one in bookings
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loans_loan l SET allowance_minor = l.allowance_minor + d.delta"
            " FROM unnest(%s::uuid[], %s::bigint[]) d(id, delta) WHERE l.id = d.id",
            [[str(loan.pk) for loan, _ in found], [delta for _, delta in found]],
        )
