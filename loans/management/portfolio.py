"""Running loans for `bench_loans`, in their middle years: a few made by the engine, all others copied from them set by set.

For throwaway databases. Every loan has a customer and an account of its own, its instalments, its payments so far and the
movements that the ledger's entries are made of, so that the loan book checks out.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, models

from accounts.models import Account, Product
from accounts.rules import numbers
from accounts.rules.funding import FundingKind
from common.db import use_case
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger
from loans import queries
from loans.models import Application, Instalment, Loan, LoanEvent, LoanProduct, Movement
from loans.rules import allotting, offering
from loans.rules.events import Event, EventType
from loans.rules.presenting import major
from loans.rules.schedule import Row, make_schedule
from loans.rules.servicing import Amounts, replay
from loans.services.booking import reference
from loans.services.sheet import Sheet

CURRENCY, DUE_DAY = "EUR", 15
_TERMS = (12, 24, 36, 48, 60, 84)
_SHAPES = 200
# Of a hundred loans so many have missed their last one, three, or five instalments, and nobody pays for them now.
_LATE = {1: 4, 3: 2, 5: 1}
_BATCH = 500


@dataclass(frozen=True, slots=True)
class _Shape:
    """A loan as many others are: its product and size, how many instalments fell due so far, and how many were missed."""

    product: LoanProduct
    principal_minor: int
    instalments: int
    age: int
    missed: int


@dataclass(frozen=True, slots=True)
class _Holder:
    user_id: int
    account_id: UUID
    ledger_account_id: int


def build(*, count: int, as_of: date, name: str) -> None:
    """Make `count` loans as they stand at the end of a day that is not a due day; they fall due on the 15th of a month."""
    rng = random.Random(f"{name}:{count}")  # noqa: S311 (which loans are measured, no secret)
    shapes = [_shape(rng, number) for number in range(min(_SHAPES, count))]
    of_loan = [shapes[number % len(shapes)] for number in range(count)]
    opened = datetime.combine(as_of - timedelta(days=1), time(9), tzinfo=UTC)
    ledger.make_months(since=opened - timedelta(days=31), until=opened + timedelta(days=62))
    holders = _holders(of_loan, name, opened)
    with use_case():
        entries = _Entries(shapes, Counter(of_loan), as_of, opened)
        models_of = {shape: entries.make(shape, holders[number]) for number, shape in enumerate(shapes)}
        rest = range(len(shapes), count)
        _copy([models_of[of_loan[number]] for number in rest], [holders[number] for number in rest])


def _shape(rng: random.Random, number: int) -> _Shape:
    home = number % 20 == 19
    instalments = rng.choice((180, 240, 360)) if home else rng.choice(_TERMS)
    missed = next((missed for missed, share in _late_from() if number * 37 % 100 < share), 0)
    return _Shape(
        product=LoanProduct.objects.get(pk="HOME" if home else "PERSONAL"),
        principal_minor=rng.randrange(1_500_00, 40_000_00) * (10 if home else 1),
        instalments=instalments,
        # None of them ends while it is measured.
        age=rng.randint(missed + 1, min(instalments - 4, 36)),
        missed=missed,
    )


def _late_from() -> list[tuple[int, int]]:
    """Missed instalments, and the share of loans (per cent) that missed so many or are listed before."""
    found, share = [], 0
    for missed, more in _LATE.items():
        share += more
        found.append((missed, share))
    return found


def _holders(shapes: Sequence[_Shape], name: str, now: datetime) -> list[_Holder]:
    """A customer with one account for each loan: money for months, or next to nothing where instalments were missed."""
    users = User.objects.bulk_create(
        [User(email=f"{name}-{number}@bench.example", date_joined=now) for number in range(len(shapes))]
    )
    product = Product.objects.get(pk="CUR-EUR")
    with use_case():
        keys = [
            ledger.open_account(gl_code="2100", currency=CURRENCY, name="Bench", floor=0, external_ref=uuid4())
            for _ in users
        ]
    accounts = Account.objects.bulk_create(
        [
            Account(
                number=numbers.from_uuid(uuid4()),
                owner=user,
                product=product,
                currency=CURRENCY,
                ledger_account_id=key,
                client_id=uuid4(),
                opening_minor=1,
                opening_source=FundingKind.SANDBOX,
                opened_by=user,
                opened_at=now,
                active_at=now,
            )
            for user, key in zip(users, keys, strict=True)
        ],
        batch_size=_BATCH,
    )
    outside = ledger_queries.internal_account("1100", CURRENCY)
    deposits = [
        ledger.Transfer(
            external_ref=uuid4(),
            debit_account_id=outside,
            credit_account_id=key,
            amount_minor=5_00 if shape.missed else shape.principal_minor,
            kind="deposit",
            description="Salary",
            source_kind="bench",
            source_id="1",
        )
        for key, shape in zip(keys, shapes, strict=True)
    ]
    for start in range(0, len(deposits), _BATCH):
        ledger.post_all(items=deposits[start : start + _BATCH], booked_at=now)
    return [
        _Holder(user.pk, account.pk, account.ledger_account_id) for user, account in zip(users, accounts, strict=True)
    ]


class _Entries:
    """What all loans of the shapes come to in the ledger, posted at once; and the loans that the others are copied from."""

    def __init__(self, shapes: Sequence[_Shape], times: Mapping[_Shape, int], as_of: date, now: datetime) -> None:
        self._as_of, self._now = as_of, now
        self._lives = {shape: _Life(shape, as_of) for shape in shapes}
        self._entry_of: dict[str, int] = {}
        for kind in (
            Movement.Kind.DISBURSEMENT,
            Movement.Kind.ACCRUAL,
            Movement.Kind.REPAYMENT,
            Movement.Kind.SUSPENSION,
        ):
            legs: Counter[str] = Counter()
            for shape, life in self._lives.items():
                for made in life.bookings:
                    if made[0] == kind:
                        legs.update({code: amount * times[shape] for code, amount in made[2].legs.items()})
            self._entry_of[kind] = self._post(kind, legs)

    def _post(self, kind: str, legs: Mapping[str, int]) -> int:
        """Against equity: whose account it came from or went to is no part of what is measured."""
        wanted = {code: amount for code, amount in sorted(legs.items()) if amount}
        if rest := -sum(wanted.values()):
            wanted["3000"] = rest
        if not wanted:
            return 0
        return ledger.post_entry(
            external_ref=reference("bench", kind, self._now.isoformat()),
            legs=[
                ledger.Leg(ledger_queries.internal_account(code, CURRENCY), amount) for code, amount in wanted.items()
            ],
            kind=f"loan_{kind.lower()}",
            description="The past of the loans that are measured",
            source_kind="bench",
            source_id="1",
            booked_at=self._now,
        ).entry_id

    def make(self, shape: _Shape, holder: _Holder) -> Loan:
        """A loan that the engine brought to the day."""
        life = self._lives[shape]
        loan = _new_loan(shape, life, holder, self._now)
        sheet = Sheet(now=self._now)
        for row, parts in zip(life.paid, life.payments, strict=True):
            fields = {"amount": major(row.total, CURRENCY)}
            key = uuid4()
            sheet.add_event(loan, kind=EventType.REPAYMENT, day=row.due_date, fields=fields, client_id=key, parts=parts)
        sheet.settle(loan, life.run, self._as_of)
        sheet.write()
        Movement.objects.bulk_create(
            [
                Movement(
                    loan=loan,
                    kind=kind,
                    period=period,
                    day=self._as_of,
                    principal_minor=made.parts.principal,
                    interest_minor=made.parts.interest,
                    fee_minor=made.parts.fees,
                    penalty_minor=made.parts.penalties,
                    suspended_minor=made.suspended,
                    entry_id=self._entry_of[kind],
                    at=self._now,
                )
                for kind, period, made in life.bookings
            ]
        )
        return loan


class _Life:
    """What happened to a loan of a shape so far, by the engine."""

    def __init__(self, shape: _Shape, as_of: date) -> None:
        months = as_of.year * 12 + as_of.month - 1 - (as_of.day < DUE_DAY) - shape.age
        start = date(months // 12, months % 12 + 1, DUE_DAY)
        rate = shape.product.annual_rate
        fields = offering.terms_fields(
            queries.product_terms(shape.product),
            amount_minor=shape.principal_minor,
            instalments=shape.instalments,
            annual_rate=rate,
        )
        self.fields = offering.starting(fields, start)
        self.terms = offering.terms_on(fields, start)
        rows = make_schedule(terms=self.terms).rows
        self.start, self.end, self.rate = start, rows[-1].due_date, rate
        self.paid: Sequence[Row] = rows[: shape.age - shape.missed]
        events = [Event(on=row.due_date, type=EventType.REPAYMENT, amount_minor=row.total) for row in self.paid]
        self.run = replay(terms=self.terms, events=events, as_of=as_of)
        self.payments = [payment.parts for payment in self.run.payments]
        self.owed = self.run.owed(as_of)
        self.non_performing = self.run.result(as_of).days_past_due >= 90
        self.bookings = list(self._bookings(shape.principal_minor))

    def _bookings(self, principal: int) -> list[tuple[Movement.Kind, str, allotting.Booking]]:
        lent = allotting.Booking(legs={allotting.PRINCIPAL: -principal}, parts=Amounts(principal=principal))
        total = [sum(column) for column in zip(self.owed, *self.payments, strict=True)]
        earned = allotting.accrue(Amounts(0, *total[1:]), suspended=0, non_performing=False)
        found = [(Movement.Kind.DISBURSEMENT, "bench", lent), (Movement.Kind.ACCRUAL, "bench", earned)]
        found += [
            (Movement.Kind.REPAYMENT, f"bench {number}", allotting.repay(parts, suspended=0))
            for number, parts in enumerate(self.payments, start=1)
        ]
        if self.non_performing:
            suspended = allotting.suspend(interest=self.owed.interest, suspended=0)
            found.append((Movement.Kind.SUSPENSION, "bench", suspended))
        return found


def _new_loan(shape: _Shape, life: _Life, holder: _Holder, now: datetime) -> Loan:
    application = Application.objects.create(
        customer_id=holder.user_id,
        product=shape.product,
        account_id=holder.account_id,
        status=Application.Status.ACCEPTED,
        amount_minor=shape.principal_minor,
        currency=CURRENCY,
        instalments=shape.instalments,
        employment=Application.Employment.EMPLOYED,
        income_minor=4_000_00,
        obligations_minor=0,
        offered_rate=life.rate,
        offered_terms=life.fields,
        offer_until=life.start,
        created_at=now,
        changed_at=now,
        submitted_at=now,
        decided_at=now,
    )
    return Loan.objects.create(
        application=application,
        customer_id=holder.user_id,
        product=shape.product,
        account_id=holder.account_id,
        currency=CURRENCY,
        principal_minor=shape.principal_minor,
        annual_rate=life.rate,
        terms=life.fields,
        takes_partial=True,
        cooling_off_until=life.start,
        start_date=life.start,
        maturity_date=life.end,
        disbursed_at=now,
        disbursed_minor=shape.principal_minor,
        principal_balance_minor=life.owed.principal,
        interest_balance_minor=life.owed.interest,
        fee_balance_minor=life.owed.fees,
        penalty_balance_minor=life.owed.penalties,
        suspended_minor=life.owed.interest if life.non_performing else 0,
        non_performing_since=life.run.today if life.non_performing else None,
        last_event_date=life.start,
        accrued_to=life.start,
        accruals_from=life.start,
        accruals=[0],
    )


def _copy(of: Sequence[Loan], holders: Sequence[_Holder]) -> None:
    """Give each holder a loan like the one at the same place: applications, loans, rows, events and movements, each in one statement."""
    if not of:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE bench_copy (loan uuid, application uuid, old_loan uuid, old_application uuid,"
            " customer bigint, account uuid) ON COMMIT DROP"
        )
        cursor.execute(
            "INSERT INTO bench_copy SELECT gen_random_uuid(), gen_random_uuid(), u.* FROM unnest(%s::uuid[], %s::uuid[],"
            " %s::bigint[], %s::uuid[]) u",
            [
                [str(loan.pk) for loan in of],
                [str(loan.application_id) for loan in of],
                [holder.user_id for holder in holders],
                [str(holder.account_id) for holder in holders],
            ],
        )
        whose = {"customer_id": "c.customer", "account_id": "c.account"}
        _copy_rows(cursor, Application, "t.id = c.old_application", {"id": "c.application", **whose})
        own = {"id": "c.loan", "application_id": "c.application", **whose}
        _copy_rows(cursor, Loan, "t.id = c.old_loan", own)
        for model in (Instalment, Movement):
            _copy_rows(cursor, model, "t.loan_id = c.old_loan", {"loan_id": "c.loan"})
        _copy_rows(cursor, LoanEvent, "t.loan_id = c.old_loan", {"id": "gen_random_uuid()", "loan_id": "c.loan"})
        cursor.execute("ANALYZE loans_loan, loans_instalment, loans_loanevent, loans_movement, accounts_account")


def _copy_rows(cursor: Any, model: type[models.Model], on: str, new: Mapping[str, str]) -> None:
    """A key that counts up is left to the database, whatever is not in `new` stays as it is."""
    fields = [each for each in model._meta.concrete_fields if not isinstance(each, models.AutoField)]
    columns = [str(field.column) for field in fields]
    values = [new.get(column, f"t.{column}") for column in columns]
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(values)}"  # noqa: S608 (our own names)
        f" FROM bench_copy c JOIN {model._meta.db_table} t ON {on}"
    )
