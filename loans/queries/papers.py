"""What the papers of a loan say: key facts before it, the schedule during it, the certificate of interest for a tax year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from common.money import Money, display
from identity.models import User
from kyc import queries as kyc
from loans import queries
from loans.models import Application, Loan
from loans.queries import Offer
from loans.rules import documents, offering, spending
from loans.rules.documents import Document, Table
from loans.rules.events import EventType
from loans.rules.terms import PayoffInterest, Penalty, PenaltyBasis, Prepayment

_LEGAL = (
    "Amounts are in {currency}. Made by machine; valid without a signature. {bank} will never ask for your password or PIN. "
    "Reference {reference}."
)

_EXTRA = {
    Prepayment.REDUCE_TERM: "it leads to fewer instalments",
    Prepayment.REDUCE_INSTALMENT: "it leads to smaller instalments",
    Prepayment.NEXT_INSTALMENTS: "it pays the next instalments in advance",
}
_TO = {
    PayoffInterest.TO_DATE: "to that day",
    PayoffInterest.TO_PERIOD_END: "to the next due date",
}


def day_text(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def offer_key_facts(application: Application, *, now: datetime) -> bytes:
    """The key facts of an offer as if it were accepted today."""
    offer = queries.offer_of(offering.terms_on(application.offered_terms or {}, now.astimezone(UTC).date()))
    beside = queries.promised(application)
    return _key_facts(application.customer, application.product.name, application.pk, offer, beside, now)


def loan_key_facts(loan: Loan) -> bytes:
    """The key facts as they were agreed."""
    offer = queries.agreed_offer(loan)
    cooling = (loan.cooling_off_until - loan.start_date).days
    beside = offering.Beside(collecting=loan.collecting, cooling_off_days=cooling)
    return _key_facts(loan.customer, loan.product.name, loan.application_id, offer, beside, loan.disbursed_at)


def _key_facts(
    customer: User, product: str, reference: UUID, offer: Offer, beside: offering.Beside, at: datetime
) -> bytes:
    terms, schedule = offer.terms, offer.schedule
    document = Document(
        title="Key facts about your loan",
        subtitle=f"{product}, {display(offer.principal)}",
        facts=[
            ("Loan", product),
            ("Rate a year", f"{terms.annual_rate:.2f} %, fixed"),
            ("Interest counted", f"{terms.day_count}"),
            ("First instalment", day_text(schedule.rows[0].due_date)),
            ("Last instalment", day_text(schedule.rows[-1].due_date)),
            ("Issued", day_text(at.astimezone(UTC).date())),
        ],
        summary=[
            ("You borrow", display(offer.principal), f"you get {display(offer.paid_out)}"),
            ("Instalment", display(offer.instalment), f"{len(schedule.rows)}, one {offer.rhythm.words}"),
            ("APR", _percent(offer.apr), "a year, fees included"),
            ("You pay in all", display(offer.total), f"{display(offer.total_cost)} cost"),
        ],
        paragraphs=_agreed(offer, beside),
        tables=[_plan(offer)],
        **_frame(customer, reference, terms.currency),
    )
    return documents.write(document, created_at=at)


def _percent(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:.2f} %"


def _late(penalty: Penalty, currency: str) -> str:
    if penalty.basis is PenaltyBasis.FLAT:
        return display(Money(penalty.amount_minor, currency))
    of = "principal" if penalty.basis is PenaltyBasis.PRINCIPAL else "principal and interest"
    return f"{penalty.percent:f} % of the overdue {of}"


def _agreed(offer: Offer, beside: offering.Beside) -> list[tuple[str, str]]:
    """The terms in words."""
    terms = offer.terms
    penalty = terms.penalty
    parts = [
        (
            "What it costs",
            (
                f"Interest of {display(offer.interest)} and fees of {display(offer.fees)}. The APR of {_percent(offer.apr)} counts "
                "both; it follows Directive 2008/48/EC, Annex I."
            ),
        ),
        (
            "Paying earlier",
            (
                f"You may pay more at any time without a fee; {_EXTRA[terms.prepayment]}. Paying all of it costs what you owe "
                f"and the interest {_TO[terms.payoff_interest]}."
            ),
        ),
    ]
    if offer.in_parts:
        listed = ", ".join(
            f"{display(Money(part.amount_minor, terms.currency))} {'at once' if not index else 'on ' + day_text(part.on)}"
            for index, part in enumerate(terms.disbursements)
        )
        text = (
            f"You get the money in parts: {listed}. Each part raises the instalment from then on; when it comes on another day, "
            "the instalments are counted from that day."
        )
        parts.insert(0, ("Paid out in parts", text))
    parts.append(("How we collect", beside.collecting.words))
    parts.append(("What a payment is spent on", f"In this order: {spending.in_words(terms.allocation)}."))
    if penalty is not None:
        parts.append(
            (
                "Paying late",
                (
                    f"If an instalment is not paid {penalty.grace_days} days after its day, we charge "
                    f"{_late(penalty, terms.currency)}, once for each instalment."
                ),
            )
        )
    if beside.cooling_off_days:
        parts.append(
            (
                "Changing your mind",
                (
                    f"You may withdraw within {beside.cooling_off_days} days without a reason: you pay back the money with the interest of "
                    "those days, and we return the arrangement fee."
                ),
            )
        )
    return parts


def _plan(offer: Offer) -> Table:
    currency = offer.terms.currency

    def plain(minor: int) -> str:
        return f"{Money(minor, currency).decimal:,f}"

    rows = [
        (
            str(row.number),
            day_text(row.due_date),
            *map(plain, (row.principal, row.interest, row.fees, row.total, row.outstanding)),
        )
        for row in offer.schedule.rows
    ]
    return Table(
        title="Schedule",
        columns=("No.", "Due", "Principal", "Interest", "Fees", f"Instalment ({currency})", "Still owed"),
        rows=rows,
        left=2,
    )


_COLUMNS = ("No.", "Due", "Principal", "Interest", "Fees and penalties", "Instalment", "Paid", "Still owed")


def schedule_rows(loan: Loan) -> Iterator[tuple[object, ...]]:
    """The running plan for a spreadsheet: a header, then figures as decimals."""
    yield ("Number", "Due", "Principal", "Interest", "Fees", "Penalties", "Total", "Paid", "Still owed", "Currency")
    for row in queries.instalments_of(loan):
        minors = (
            row.principal_minor,
            row.interest_minor,
            row.fee_minor,
            row.penalty_minor,
            row.total_minor,
            row.paid_minor,
            row.outstanding_minor,
        )
        figures = (Money(minor, loan.currency).decimal for minor in minors)
        yield (row.number, row.due_date.isoformat(), *figures, loan.currency)


def schedule_pdf(loan: Loan, *, now: datetime) -> bytes:
    """The running plan: what was due, what is paid, what is to come."""

    def plain(minor: int) -> str:
        return f"{Money(minor, loan.currency).decimal:,f}"

    rows = [
        (
            str(row.number),
            day_text(row.due_date),
            plain(row.principal_minor),
            plain(row.interest_minor),
            plain(row.fee_minor + row.penalty_minor),
            plain(row.total_minor),
            plain(row.paid_minor),
            plain(row.outstanding_minor),
        )
        for row in queries.instalments_of(loan)
    ]
    document = Document(
        title="Repayment schedule",
        subtitle=f"{loan.product.name}, {display(loan.disbursed)}",
        facts=[
            ("Loan", loan.product.name),
            ("Rate a year", f"{loan.annual_rate:.2f} %"),
            ("Paid out", day_text(loan.start_date)),
            ("As of", day_text(now.astimezone(UTC).date())),
        ],
        summary=[
            ("Borrowed", display(loan.disbursed), day_text(loan.start_date)),
            ("Principal owed", display(Money(loan.principal_balance_minor, loan.currency)), "today"),
            ("Last instalment", day_text(loan.maturity_date), loan.get_status_display()),
        ],
        tables=[Table(title=f"Instalments ({loan.currency})", columns=_COLUMNS, rows=rows, left=2)],
        **_frame(loan.customer, loan.pk, loan.currency),
    )
    return documents.write(document, created_at=now)


def interest_certificate(loan: Loan, *, year: int, now: datetime) -> bytes | None:
    """Interest paid in a calendar year, payment by payment; None for a year without any."""
    kinds = [EventType.REPAYMENT.value, EventType.PAYOFF.value]
    paid = loan.events.filter(type__in=kinds, day__year=year, interest_minor__gt=0).order_by("number")
    rows = [
        (
            day_text(event.day),
            f"{Money(event.total_minor, loan.currency).decimal:,f}",
            f"{Money(event.interest_minor, loan.currency).decimal:,f}",
        )
        for event in paid
    ]
    if not rows:
        return None
    interest = Money(sum(event.interest_minor for event in paid), loan.currency)
    principal = Money(sum(event.principal_minor for event in paid), loan.currency)
    document = Document(
        title=f"Interest paid in {year}",
        subtitle=f"{loan.product.name}, {year}",
        facts=[("Loan", loan.product.name), ("Year", str(year)), ("Issued", day_text(now.astimezone(UTC).date()))],
        summary=[
            ("Interest paid", display(interest), f"1 Jan to 31 Dec {year}"),
            ("Principal repaid", display(principal), "in these payments"),
            ("Payments", str(len(rows)), "with interest"),
        ],
        paragraphs=[
            ("For your tax return", "We certify that you paid us this interest on the loan above in this year.")
        ],
        tables=[Table(title=f"Payments ({loan.currency})", columns=("Day", "Paid", "Interest in it"), rows=rows)],
        **_frame(loan.customer, loan.pk, loan.currency),
    )
    return documents.write(document, created_at=now)


def _frame(customer: User, reference: UUID, currency: str) -> dict[str, Any]:
    short = str(reference).split("-", maxsplit=1)[0].upper()
    name = kyc.legal_name(customer.pk) or customer.full_name
    return {
        "bank": settings.SITE_NAME,
        "reference": short,
        "address": [name, *kyc.postal_address(customer.pk)],
        "legal": _LEGAL.format(currency=currency, bank=settings.SITE_NAME, reference=short),
    }
