"""What one transaction writes about its loans. Every change of a loan goes through here: engine, ledger, movements, rows.

All of it is kept and written by `write`, one statement for each table, however many loans there are. Bookings between the
bank's own accounts of several loans share an entry.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from audit import services as audit
from audit.models import AuditEvent
from common.db import require_transaction
from ledger import queries as ledger_queries
from ledger import services as ledger
from loans import queries
from loans.models import OPEN_TRANCHES, Collection, Instalment, Loan, LoanEvent, Movement, Notice, Tranche
from loans.rules import allotting
from loans.rules.allotting import Booking
from loans.rules.events import EventType
from loans.rules.servicing import Amounts, ServicedRow, Servicing, Status, replay
from loans.services import telling
from loans.services.booking import reference
from notifications.models import OutboxEvent

_ROW_FIELDS = queries.ROW_FIELDS
# What of a loan changes while it runs, and how the database names the types.
_CHANGING = {
    "maturity_date": "date",
    "status": "text",
    "closed_at": "timestamptz",
    "disbursed_minor": "bigint",
    "principal_balance_minor": "bigint",
    "interest_balance_minor": "bigint",
    "fee_balance_minor": "bigint",
    "penalty_balance_minor": "bigint",
    "suspended_minor": "bigint",
    "allowance_minor": "bigint",
    "written_off_minor": "bigint",
    "recovered_minor": "bigint",
    "events_count": "integer",
    "last_event_date": "date",
    "accrued_to": "date",
    "accruals_from": "date",
    "accruals": "jsonb",
    "next_due_date": "date",
    "days_past_due": "integer",
    "worst_days_past_due": "integer",
    "non_performing_since": "date",
}
_SAVE = (
    f"UPDATE loans_loan l SET {', '.join(f'{name} = d.{name}' for name in _CHANGING)}"  # noqa: S608 (our own names)
    f" FROM unnest(%s::uuid[], {', '.join(f'%s::{kind}[]' for kind in _CHANGING.values())})"
    f" d(id, {', '.join(_CHANGING)}) WHERE l.id = d.id"
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A booking that `write` posts, and the movement that will name its entry."""

    loan: Loan
    legs: allotting.Legs
    movement: Movement
    text: str
    customer_minor: int


class Sheet:
    """What becomes of loans that the caller holds, in its transaction. Nothing stands before `write`.

    `loans`: all that this sheet is about, so that what is known of them is read at once.
    """

    def __init__(self, *, now: datetime, loans: Sequence[Loan] = ()) -> None:
        require_transaction()
        self.now = now
        self._stories: dict[UUID, queries.Story] = {}
        self._bookings: list[_Waiting] = []
        self._events: list[LoanEvent] = []
        self._rows: list[Instalment] = []
        self._gone: list[int] = []
        self._collections: list[Collection] = []
        self._notices: list[Notice] = []
        self._told: dict[UUID, set[tuple[str, str]]] = {}
        self._changed: dict[UUID, Loan] = {}
        self._ended: list[UUID] = []
        self._trail: list[AuditEvent] = []
        self._tellings: list[OutboxEvent] = []
        self._held = [loan.pk for loan in loans]
        self._internal: dict[tuple[str, str], int] = {}

    # --- Reading ---------------------------------------------------------------------------------------------

    def engine(self, loan: Loan, day: date) -> Servicing:
        """The loan replayed to a day. Raises InvalidEvent for a day before its last event."""
        events = [queries.event_from(row, loan.currency) for row in self._story(loan).events]
        return replay(terms=queries.terms_of(loan), events=events, as_of=day)

    def _story(self, loan: Loan) -> queries.Story:
        """Read for all the sheet's loans when the first one is asked for."""
        if loan.pk not in self._stories:
            self._stories |= queries.stories(self._held or [loan.pk])
        return self._stories[loan.pk]

    # --- Booking ---------------------------------------------------------------------------------------------

    def book(
        self,
        loan: Loan,
        booking: Booking,
        *,
        kind: Movement.Kind,
        period: str,
        day: date,
        text: str,
        customer_minor: int = 0,
    ) -> None:
        """Change the loan's balances by an entry and a movement.

        `customer_minor` is what the customer's account gets (positive) or pays. A loan, kind and period happen once: the
        second time the database refuses.
        """
        movement = Movement(
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
            at=self.now,
        )
        self._bookings.append(_Waiting(loan, booking.legs, movement, text, customer_minor))
        loan.principal_balance_minor += booking.parts.principal
        loan.interest_balance_minor += booking.parts.interest
        loan.fee_balance_minor += booking.parts.fees
        loan.penalty_balance_minor += booking.parts.penalties
        loan.suspended_minor += booking.suspended
        loan.allowance_minor += booking.allowance
        self.change(loan)

    def bring_to(self, loan: Loan, run: Servicing, day: date, *, period: str) -> None:
        """Book what is owed more (or less) on `day` than was booked."""
        delta = Amounts(*(owed - booked for owed, booked in zip(run.owed(day), queries.balances(loan), strict=True)))
        assert not delta.principal, "principal only changes with an event of its own"
        self.accrue(loan, delta, day, period=period)

    def accrue(self, loan: Loan, delta: Amounts, day: date, *, period: str) -> None:
        """Book so much more (or less) interest, fees and penalties as owed; nothing for nothing."""
        if any(delta):
            performing = loan.non_performing_since is None
            accrued = allotting.accrue(delta, suspended=loan.suspended_minor, non_performing=not performing)
            text = f"Accrued to {day:%d.%m.%Y}"
            self.book(loan, accrued, kind=Movement.Kind.ACCRUAL, period=period, day=day, text=text)

    def release_allowance(self, loan: Loan, *, period: str, day: date) -> None:
        """Nothing is owed any more, so nothing is set aside for it."""
        if loan.allowance_minor:
            self.book(
                loan,
                allotting.provide(-loan.allowance_minor),
                kind=Movement.Kind.PROVISION,
                period=period,
                day=day,
                text="Nothing owed, nothing set aside",
            )

    # --- The loan's story and state --------------------------------------------------------------------------

    def add_event(
        self,
        loan: Loan,
        *,
        kind: EventType,
        day: date,
        fields: Mapping[str, Any],
        client_id: UUID,
        parts: Amounts,
        actor: Any = None,
    ) -> LoanEvent:
        """Append an event to the loan's story."""
        loan.events_count += 1
        loan.last_event_date = day
        event = LoanEvent(
            id=uuid4(),
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
            at=self.now,
        )
        self._events.append(event)
        return event

    def settle(self, loan: Loan, run: Servicing, day: date, *, ended: str = Loan.Status.CLOSED) -> None:
        """The rows of the schedule and the loan's state as the engine has them on `day`.

        `ended` is the status of a loan that the engine calls closed.
        """
        found = run.result(day)
        self._keep_rows(loan, found.rows)
        unpaid = next((row for row in found.rows if row.due.total > row.paid.total), None)
        active = found.status is Status.ACTIVE
        loan.next_due_date = unpaid.due_date if active and unpaid else None
        loan.days_past_due = found.days_past_due
        loan.worst_days_past_due = max(loan.worst_days_past_due, found.days_past_due)
        loan.maturity_date = found.rows[-1].due_date
        loan.accrued_to = loan.accruals_from = day
        # Under ACTUAL every day is computed when it has come: a payment or its absence changes the next.
        loan.accruals = [run.owed(day).interest] if run.account.follows_balance else run.interest_ahead(day)
        if not active:
            loan.status = Loan.Status.WRITTEN_OFF if found.status is Status.WRITTEN_OFF else ended
            loan.closed_at = self.now
            self._ended.append(loan.pk)
        self.change(loan)

    def _keep_rows(self, loan: Loan, rows: Iterable[ServicedRow]) -> None:
        """Only rows that changed are written."""
        kept = dict(self._story(loan).rows)
        for row in rows:
            values = (row.from_date, row.due_date, *row.due, *row.paid, row.outstanding)
            old = kept.pop(row.number, None)
            if old is None or old[1:] != [*values]:
                fields = dict(zip(_ROW_FIELDS, values, strict=True))
                self._rows.append(Instalment(loan=loan, number=row.number, **fields))
        self._gone += [old[0] for old in kept.values()]

    def change(self, loan: Loan) -> None:
        """The loan's row is written as it is then."""
        self._changed[loan.pk] = loan

    # --- What else is kept of it -----------------------------------------------------------------------------

    def add_collection(self, collection: Collection) -> None:
        self._collections.append(collection)

    def notice_once(self, loan: Loan, kind: str, period: str, *, day: date) -> bool:
        """Whether the customer is told of this for the first time."""
        if loan.pk not in self._told:
            held = self._held or [loan.pk]
            self._told |= {loan_id: set() for loan_id in held}
            for loan_id, *known in Notice.objects.filter(loan__in=held).values_list("loan_id", "kind", "period"):
                self._told[loan_id].add((known[0], known[1]))
        if (kind, period) in self._told[loan.pk]:
            return False
        self._told[loan.pk].add((kind, period))
        self._notices.append(Notice(loan=loan, kind=kind, period=period, day=day))
        return True

    def trail(self, loan: Loan, action: str, *, actor: Any, reason: str = "", **data: Any) -> None:
        self._trail.append(
            audit.event(
                actor=actor, action=action, subject_kind="loan", subject_id=loan.pk, data=data, reason=reason.strip()
            )
        )

    def tell(
        self, loan: Loan, kind: str, *, amount_minor: int | None = None, day: date | None = None, text: str = ""
    ) -> None:
        self._tellings.append(telling.telling(loan, kind, amount_minor=amount_minor, day=day, text=text))

    # --- Writing ---------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Post what waits, then write every table once. Raises what the ledger raises."""
        movements = self._post()
        LoanEvent.objects.bulk_create(self._events)
        Movement.objects.bulk_create(movements)
        Instalment.objects.filter(pk__in=self._gone).delete()
        if self._rows:
            Instalment.objects.bulk_create(
                self._rows, update_conflicts=True, unique_fields=["loan", "number"], update_fields=_ROW_FIELDS
            )
        self._save()
        if self._ended:
            # Of a loan that has ended nothing more is paid out.
            rest = Tranche.objects.filter(loan__in=self._ended, status__in=OPEN_TRANCHES)
            rest.update(status=Tranche.Status.CANCELLED)
        Collection.objects.bulk_create(self._collections)
        Notice.objects.bulk_create(self._notices)
        AuditEvent.objects.bulk_create(self._trail)
        OutboxEvent.objects.bulk_create(self._tellings)

    def _post(self) -> list[Movement]:
        """An entry for each booking that touches a customer; a common one where several loans do the same on the same day."""
        alike: dict[tuple[object, ...], list[_Waiting]] = defaultdict(list)
        for number, one in enumerate(self._bookings):
            own = number if one.customer_minor else None
            alike[own, one.movement.kind, one.loan.currency, one.movement.day].append(one)
        groups = list(alike.values())
        entries = [self._entry(group) for group in groups]
        posted = iter(ledger.post_entries(entries=[entry for entry in entries if entry.legs], booked_at=self.now))
        movements = []
        for group, entry in zip(groups, entries, strict=True):
            # What cancels out over all loans moves nothing; the movements still say what each loan had of it.
            entry_id = next(posted).entry_id if entry.legs else 0
            for one in group:
                one.movement.entry_id = entry_id
                movements.append(one.movement)
        return movements

    def _entry(self, group: Sequence[_Waiting]) -> ledger.Entry:
        first = group[0]
        kind, period, day = first.movement.kind, first.movement.period, first.movement.day
        legs: dict[str, int] = defaultdict(int)
        for one in group:
            for code, amount in one.legs.items():
                legs[code] += amount
        found = self._legs(legs, first.loan.currency)
        if first.customer_minor:
            found.append(ledger.Leg(first.loan.account.ledger_account_id, first.customer_minor))
        count = len({one.loan.pk for one in group})
        several = count > 1
        return ledger.Entry(
            external_ref=reference(f"{kind}s" if several else kind, first.loan.pk, period),
            legs=found,
            kind=f"loan_{kind.lower()}",
            description=f"{Movement.Kind(kind).label}, {count} loans, {day:%d.%m.%Y}" if several else first.text,
            source_kind="loans" if several else "loan",
            source_id=day.isoformat() if several else str(first.loan.pk),
            value_date=day,
        )

    def _legs(self, legs: Mapping[str, int], currency: str) -> list[ledger.Leg]:
        found = [(code, amount) for code, amount in sorted(legs.items()) if amount]
        for code, _ in found:
            if (code, currency) not in self._internal:
                self._internal[code, currency] = ledger_queries.internal_account(code, currency)
        return [ledger.Leg(self._internal[code, currency], amount) for code, amount in found]

    def _save(self) -> None:
        loans = list(self._changed.values())
        if not loans:
            return
        columns = [[_plain(getattr(loan, name), kind) for loan in loans] for name, kind in _CHANGING.items()]
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [[str(loan.pk) for loan in loans], *columns])


def _plain(value: Any, kind: str) -> Any:
    if kind == "jsonb":
        return json.dumps(value)
    return str(value) if kind == "text" else value
