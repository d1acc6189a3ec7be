"""Every change of a loan goes through here: engine, ledger entry, movement and the loan's row, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from django.db.models import QuerySet

from common.db import require_transaction
from ledger import queries as ledger_queries
from ledger import services as ledger
from loans import queries
from loans.errors import UnknownLoan
from loans.models import Instalment, Loan, LoanEvent, Movement
from loans.rules import allotting
from loans.rules.allotting import Booking
from loans.rules.events import EventType
from loans.rules.servicing import Amounts, ServicedRow, Servicing, Status

# Names the ledger references of this app, so that no caller's own UUID can meet them.
NAMESPACE = UUID("6b2c1f0e-6f0a-4d5c-9a53-0e5c1b8f5d21")
_ROW_FIELDS = (
    "from_date",
    "due_date",
    "principal_minor",
    "interest_minor",
    "fee_minor",
    "penalty_minor",
    "paid_principal_minor",
    "paid_interest_minor",
    "paid_fee_minor",
    "paid_penalty_minor",
    "outstanding_minor",
)


def claim(loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """Loan rows locked until the transaction ends, with what every use case needs of them."""
    require_transaction()
    return loans.select_for_update(no_key=True, of=("self",)).select_related("product", "account", "customer")


def claim_free(loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """The same, without those that somebody else holds."""
    require_transaction()
    rows = loans.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return rows.select_related("product", "account", "customer")


def lock(loan_id: UUID) -> Loan:
    """Raises UnknownLoan."""
    loan = claim(Loan.objects.filter(pk=loan_id)).first()
    if loan is None:
        raise UnknownLoan()
    return loan


def book(
    loan: Loan,
    booking: Booking,
    *,
    kind: Movement.Kind,
    period: str,
    day: date,
    text: str,
    now: datetime,
    customer_minor: int = 0,
) -> Movement:
    """Post one entry, write the movement, and change the loan's balances (the caller saves the loan).

    `customer_minor` is what the customer's account gets (positive) or pays. A loan, kind and period happen once: the
    second time the database refuses. Raises what the ledger raises.
    """
    require_transaction()
    legs = [
        ledger.Leg(ledger_queries.internal_account(code, loan.currency), amount)
        for code, amount in sorted(booking.legs.items())
    ]
    if customer_minor:
        legs.append(ledger.Leg(loan.account.ledger_account_id, customer_minor))
    entry = ledger.post_entry(
        external_ref=reference(kind, loan.pk, period),
        legs=legs,
        kind=f"loan_{kind.lower()}",
        description=text,
        source_kind="loan",
        source_id=loan.pk,
        booked_at=now,
        value_date=day,
    )
    movement = movement_of(loan, booking, kind=kind, period=period, day=day, entry_id=entry.entry_id, now=now)
    movement.save(force_insert=True)
    apply(loan, booking)
    return movement


def reference(kind: str, subject: object, period: str) -> UUID:
    return uuid5(NAMESPACE, f"{kind}:{subject}:{period}")


def movement_of(
    loan: Loan, booking: Booking, *, kind: Movement.Kind, period: str, day: date, entry_id: int, now: datetime
) -> Movement:
    return Movement(
        loan=loan,
        kind=kind,
        period=period,
        day=day,
        principal_minor=booking.parts.principal,
        interest_minor=booking.parts.interest,
        fee_minor=booking.parts.fees,
        penalty_minor=booking.parts.penalties,
        suspended_minor=booking.suspended,
        allowance_minor=booking.allowance,
        entry_id=entry_id,
        at=now,
    )


def apply(loan: Loan, booking: Booking) -> None:
    """Change the loan's balances as booked."""
    loan.principal_balance_minor += booking.parts.principal
    loan.interest_balance_minor += booking.parts.interest
    loan.fee_balance_minor += booking.parts.fees
    loan.penalty_balance_minor += booking.parts.penalties
    loan.suspended_minor += booking.suspended
    loan.allowance_minor += booking.allowance


def bring_to(loan: Loan, run: Servicing, day: date, *, period: str, now: datetime) -> bool:
    """Book what is owed more (or less) on `day` than was booked; True when there was something."""
    delta = Amounts(*(owed - booked for owed, booked in zip(run.owed(day), queries.balances(loan), strict=True)))
    assert not delta.principal, "principal only changes with an event of its own"
    if not any(delta):
        return False
    booking = allotting.accrue(
        delta, suspended=loan.suspended_minor, non_performing=loan.non_performing_since is not None
    )
    book(loan, booking, kind=Movement.Kind.ACCRUAL, period=period, day=day, text=f"Accrued to {day:%d.%m.%Y}", now=now)
    return True


def add_event(
    loan: Loan,
    *,
    kind: EventType,
    day: date,
    fields: Mapping[str, Any],
    client_id: UUID,
    parts: Amounts,
    now: datetime,
    actor: Any = None,
    event_id: UUID | None = None,
) -> LoanEvent:
    """Append an event to the loan's story."""
    loan.events_count += 1
    loan.last_event_date = day
    event = LoanEvent(
        loan=loan,
        number=loan.events_count,
        day=day,
        type=kind,
        fields=dict(fields),
        client_id=client_id,
        actor=actor,
        principal_minor=parts.principal,
        interest_minor=parts.interest,
        fee_minor=parts.fees,
        penalty_minor=parts.penalties,
        at=now,
    )
    if event_id is not None:
        event.pk = event_id
    event.save(force_insert=True)
    return event


def settle(loan: Loan, run: Servicing, day: date, *, now: datetime, ended: str = Loan.Status.CLOSED) -> None:
    """Write the rows of the schedule and the loan's state as the engine has them on `day`.

    `ended` is the status of a loan that the engine calls closed.
    """
    found = run.result(day)
    _write_rows(loan, found.rows)
    unpaid = [row for row in found.rows if row.due.total > row.paid.total]
    active = found.status is Status.ACTIVE
    loan.next_due_date = unpaid[0].due_date if active and unpaid else None
    loan.days_past_due = found.days_past_due
    loan.worst_days_past_due = max(loan.worst_days_past_due, found.days_past_due)
    loan.maturity_date = found.rows[-1].due_date
    loan.accrued_to = loan.accruals_from = day
    loan.accruals = run.interest_ahead(day)
    if not active:
        loan.status = Loan.Status.WRITTEN_OFF if found.status is Status.WRITTEN_OFF else ended
        loan.closed_at = now
    loan.save()


def release_allowance(loan: Loan, *, period: str, day: date, now: datetime) -> None:
    """Nothing is owed any more, so nothing is set aside for it."""
    if loan.allowance_minor:
        book(
            loan,
            allotting.provide(-loan.allowance_minor),
            kind=Movement.Kind.PROVISION,
            period=period,
            day=day,
            text="Nothing owed, nothing set aside",
            now=now,
        )


def _write_rows(loan: Loan, rows: Iterable[ServicedRow]) -> None:
    """Only rows that changed are written."""
    kept = {row.number: row for row in loan.instalments.all()}
    changed: list[Instalment] = []
    numbers = set()
    for row in rows:
        numbers.add(row.number)
        values = (row.from_date, row.due_date, *row.due, *row.paid, row.outstanding)
        old = kept.get(row.number)
        if old is None or tuple(getattr(old, name) for name in _ROW_FIELDS) != values:
            changed.append(Instalment(loan=loan, number=row.number, **dict(zip(_ROW_FIELDS, values, strict=True))))
    if changed:
        Instalment.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["loan", "number"], update_fields=_ROW_FIELDS
        )
    if gone := set(kept) - numbers:
        loan.instalments.filter(number__in=gone).delete()
