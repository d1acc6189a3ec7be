"""Reading products, applications and loans. Whatever decides about money reads it again under a lock."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Prefetch, QuerySet

from common.money import Money
from identity.models import User
from loans.errors import UnknownApplication, UnknownLoan, UnknownProduct
from loans.models import (
    IN_DECISION,
    OPEN_STATES,
    Application,
    Bucket,
    Decision,
    Instalment,
    Loan,
    LoanEvent,
    LoanProduct,
    Policy,
    Tranche,
)
from loans.rules import apr, fees, offering
from loans.rules.events import Event, EventType, parse_events
from loans.rules.parsing import parse_terms
from loans.rules.rhythm import Rhythm
from loans.rules.schedule import Schedule, make_schedule
from loans.rules.servicing import Amounts, Servicing, replay
from loans.rules.terms import Disbursement, Terms

ROW_FIELDS = (
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
_ROWS = (
    f"SELECT loan_id::text, number, id, {', '.join(ROW_FIELDS)} FROM loans_instalment"  # noqa: S608 (our own names)
    " WHERE loan_id = ANY (%s::uuid[]) ORDER BY loan_id"
)
# The day of an event, its type and its own fields.
StoredEvent = tuple[date, str, dict[str, Any]]


def open_products() -> list[LoanProduct]:
    """What can be asked for now, with its rate bands."""
    return list(LoanProduct.objects.filter(is_open=True).prefetch_related("bands").order_by("kind", "code"))


def get_product(code: str) -> LoanProduct:
    """A product open for applications. Raises UnknownProduct."""
    product = LoanProduct.objects.filter(code=code, is_open=True).prefetch_related("bands").first()
    if product is None:
        raise UnknownProduct(field="product")
    return product


def product_terms(product: LoanProduct) -> offering.ProductTerms:
    return offering.ProductTerms(
        currency=product.currency,
        frequency=product.frequency,
        every=product.every,
        method=product.method,
        day_count=product.day_count,
        fixed_instalment_percent=product.fixed_instalment_percent,
        arrangement_fee_percent=product.arrangement_fee_percent,
        arrangement_fee_minor=product.arrangement_fee_minor,
        instalment_fee_basis=product.instalment_fee_basis,
        instalment_fee_minor=product.instalment_fee_minor,
        instalment_fee_percent=product.instalment_fee_percent,
        penalty_basis=product.penalty_basis,
        penalty_minor=product.penalty_minor,
        penalty_percent=product.penalty_percent,
        penalty_grace_days=product.penalty_grace_days,
        principal_grace=product.principal_grace,
        interest_grace=product.interest_grace,
        prepayment=product.prepayment,
        interest_basis=product.interest_basis,
        payoff_interest=product.payoff_interest,
        allocation=product.allocation,
        takes_partial=product.takes_partial,
        retries=product.retries,
        retry_days=product.retry_days,
        cooling_off_days=product.cooling_off_days,
    )


def later_parts(application: Application) -> list[offering.Later]:
    """What of the amount is paid out later, as it was asked for."""
    return [
        offering.Later(
            after_months=part["after_months"],
            amount_minor=Money.parse(part["amount"], application.currency).amount_minor,
        )
        for part in application.tranches
    ]


def wished_terms(application: Application, rate: Decimal) -> dict[str, Any]:
    """What an application asks for at a yearly rate, on the product's terms of today, but for the day it starts on."""
    return offering.terms_fields(
        product_terms(application.product),
        amount_minor=application.amount_minor,
        instalments=application.instalments,
        annual_rate=rate,
        later=later_parts(application),
    )


def promised(application: Application) -> offering.Beside:
    """What the offer says of collecting and of changing one's mind."""
    return offering.beside_of(application.offered_terms or {}, product_terms(application.product))


def rates_of(product: LoanProduct) -> list[tuple[int, Decimal]]:
    """The rate bands as (score from, per cent a year), the lowest score first."""
    return sorted((band.min_score, band.annual_rate) for band in product.bands.all())


def rate_span(product: LoanProduct) -> tuple[Decimal, Decimal]:
    """The best and the highest rate of a product."""
    rates = [product.annual_rate, *(rate for _, rate in rates_of(product))]
    return min(rates), max(rates)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a loan costs: its schedule from a day on, and the yearly cost with everything in it."""

    schedule: Schedule
    apr: Decimal | None

    @property
    def terms(self) -> Terms:
        return self.schedule.terms

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(self.terms.frequency, self.terms.every)

    @property
    def instalment(self) -> Money:
        """The usual one: the largest of all but the last, or the only one."""
        rows = self.schedule.rows[:-1] or self.schedule.rows
        return self._money(max(row.total for row in rows))

    @property
    def first_instalment(self) -> Money:
        return self._money(self.schedule.rows[0].total)

    @property
    def principal(self) -> Money:
        return self._money(self.schedule.principal)

    @property
    def paid_out(self) -> Money:
        """What reaches the account once the fees at disbursement are taken."""
        return self._money(self.schedule.principal - sum(amount for _, amount in self.schedule.disbursement_fees))

    @property
    def in_parts(self) -> bool:
        return len(self.terms.disbursements) > 1

    @property
    def paid_at_once(self) -> Money:
        """What reaches the account on the first day, its fee taken."""
        first = self.terms.disbursements[0]
        return self._money(first.amount_minor - fees.at_disbursement(self.terms, first))

    @property
    def interest(self) -> Money:
        return self._money(self.schedule.interest)

    @property
    def fees(self) -> Money:
        return self._money(self.schedule.fees)

    @property
    def total_cost(self) -> Money:
        """Interest and fees."""
        return self._money(self.schedule.interest + self.schedule.fees)

    @property
    def total(self) -> Money:
        """Everything the customer pays, fees at disbursement included."""
        return self._money(self.schedule.total)

    def _money(self, minor: int) -> Money:
        return Money(minor, self.schedule.terms.currency)


def offer_of(terms: Terms) -> Offer:
    """The schedule and the APR of these terms."""
    schedule = make_schedule(terms=terms)
    return Offer(schedule=schedule, apr=apr.effective_rate(schedule))


def policy() -> Policy:
    """The one that decides now."""
    return Policy.objects.latest("version")


def buckets() -> list[Bucket]:
    """From the least late to the latest."""
    return list(Bucket.objects.order_by("from_days"))


def bucket_of(days_past_due: int, listed: Sequence[Bucket] | None = None) -> Bucket:
    """The bucket of so many days; the first one starts at zero."""
    found = [bucket for bucket in (listed or buckets()) if bucket.from_days <= days_past_due]
    return max(found, key=lambda bucket: bucket.from_days)


# --- Applications --------------------------------------------------------------------------------------------


def own_applications(actor: User) -> QuerySet[Application]:
    return (
        Application.objects.filter(customer=actor)
        .select_related("product", "account", "loan")
        .order_by("-created_at", "pk")
    )


def open_application(actor: User) -> Application | None:
    """The one the customer can go on with: a draft, in decision, or an offer."""
    return own_applications(actor).filter(status__in=OPEN_STATES).first()


def get_application_for(*, actor: User, application_id: UUID) -> Application:
    """The actor's own application, in any state. Raises UnknownApplication."""
    application = own_applications(actor).filter(pk=application_id).first()
    if application is None:
        raise UnknownApplication()
    return application


def last_decision(application: Application) -> Decision | None:
    return application.decisions.order_by("-at", "-pk").first()


def queue() -> QuerySet[Application]:
    """What waits for an officer, the oldest first."""
    waiting = Application.objects.filter(status=Application.Status.REFERRED).select_related("customer", "product")
    return waiting.order_by("submitted_at", "pk")


# --- Loans ---------------------------------------------------------------------------------------------------


def own_loans(actor: User) -> QuerySet[Loan]:
    found = Loan.objects.filter(customer=actor).select_related("product", "account")
    parts = Prefetch("tranches", Tranche.objects.select_related("loan").order_by("number"))
    return found.prefetch_related(parts).order_by("-disbursed_at", "pk")


def get_loan_for(*, actor: User, loan_id: UUID) -> Loan:
    """The actor's own loan, in any state. Raises UnknownLoan when there is none or it is somebody else's."""
    loan = own_loans(actor).filter(pk=loan_id).first()
    if loan is None:
        raise UnknownLoan()
    return loan


def what_needs_account(account_id: UUID) -> list[str]:
    """Running loans collected from the account, and those that would be paid out to it, for whoever closes it."""
    loans = Loan.objects.filter(account_id=account_id, status=Loan.Status.ACTIVE).select_related("product")
    asked = Application.objects.filter(account_id=account_id, status__in=IN_DECISION).select_related("product")
    return [
        *(
            f"A loan ({loan.product.name}) is collected from this account until it is paid off."
            for loan in loans.order_by("disbursed_at", "pk")
        ),
        *(
            f"A loan that was applied for ({each.product.name}) would be paid out to this account. "
            "Withdraw the application first."
            for each in asked.order_by("created_at", "pk")
        ),
    ]


def terms_of(loan: Loan) -> Terms:
    """What was agreed, as the engine reads it: paid out is the first part, later ones are events."""
    return parse_terms(loan.terms)


def agreed_offer(loan: Loan) -> Offer:
    """The offer as it was accepted, with the later parts on the days they were planned for."""
    terms = terms_of(loan)
    later = (Disbursement(on=each.planned_date, amount_minor=each.amount_minor) for each in tranches_of(loan))
    return offer_of(replace(terms, disbursements=(*terms.disbursements, *later)))


def tranches_of(loan: Loan) -> list[Tranche]:
    """The later parts of a loan, in their order."""
    return sorted(loan.tranches.all(), key=lambda tranche: tranche.number)


def event_from(row: StoredEvent, currency: str) -> Event:
    return parse_events([{"date": row[0].isoformat(), "type": row[1], **row[2]}], currency=currency)[0]


@dataclass(frozen=True, slots=True)
class Story:
    """What is stored of a loan: its events in order, and the rows of its schedule as (key, values of ROW_FIELDS)."""

    events: list[StoredEvent]
    rows: dict[int, list[Any]]


def stories(loan_ids: Sequence[UUID]) -> dict[UUID, Story]:
    """The stories of many loans, in two questions."""
    found = {loan_id: Story([], {}) for loan_id in loan_ids}
    events = LoanEvent.objects.filter(loan__in=loan_ids).order_by("loan_id", "number")
    for loan_id, day, kind, fields in events.values_list("loan_id", "day", "type", "fields"):
        found[loan_id].events.append((day, kind, fields))
    # Without the ORM: every row of every loan that is touched is read each time.
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [[str(loan_id) for loan_id in loan_ids]])
        for loan_id, rows in itertools.groupby(cursor.fetchall(), key=itemgetter(0)):
            found[UUID(loan_id)].rows.update({number: row for _, number, *row in rows})
    return found


def events_of(loan: Loan) -> list[Event]:
    """What happened to a loan, in order, as the engine reads it."""
    rows = loan.events.order_by("number").values_list("day", "type", "fields")
    return [event_from(row, loan.currency) for row in rows]


def engine(loan: Loan, day: date) -> Servicing:
    """The loan replayed to a day. Raises InvalidEvent for a day before its last event."""
    return replay(terms=terms_of(loan), events=events_of(loan), as_of=day)


def balances(loan: Loan) -> Amounts:
    """What is booked as owed, by part."""
    return Amounts(
        loan.principal_balance_minor,
        loan.interest_balance_minor,
        loan.fee_balance_minor,
        loan.penalty_balance_minor,
    )


def instalments_of(loan: Loan) -> list[Instalment]:
    return list(loan.instalments.order_by("number"))


def due_minor(rows: Sequence[Instalment], day: date) -> int:
    """What is unpaid of everything that is due by `day`."""
    return sum(row.unpaid_minor for row in rows if row.due_date <= day)


def payments_of(loan: Loan) -> list[LoanEvent]:
    """What was paid, the newest first."""
    kinds = [EventType.REPAYMENT.value, EventType.PAYOFF.value]
    return list(loan.events.filter(type__in=kinds).order_by("-number"))
