"""From the offer to the money: acceptance with the PIN, payout in the same transaction; and withdrawing from it in time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from accounts import queries as accounts
from accounts import services as accounts_services
from audit import services as audit
from common.db import require_transaction, use_case
from common.money import Money
from identity import services as identity
from identity.models import User
from kyc import queries as kyc
from loans import queries
from loans.errors import CoolingOffOver, KycRequired, NotPossibleNow, OfferExpired, UnknownApplication, UnknownLoan
from loans.models import Application, Loan, Movement, Tranche
from loans.rules import allotting, offering
from loans.rules.allotting import Booking
from loans.rules.events import Event, EventType
from loans.rules.parsing import parse_terms
from loans.rules.servicing import Amounts, Servicing
from loans.services import booking, fees, telling
from loans.services.days import day_of
from loans.services.sheet import Sheet


def accept_offer(*, actor: User, application_id: UUID, pin: str, now: datetime) -> Loan:
    """Agree to the offer and get the money, in one transaction; the terms are frozen from here on.

    Accepting twice gives the same loan. Raises WrongPin, PinLocked, PinNotSet, UnknownApplication, NotPossibleNow,
    OfferExpired, KycRequired, AccountFrozen, AccountClosed.
    """
    identity.verify_pin(actor=actor, pin=pin, now=now)
    with use_case():
        return accept_offer_within(actor=actor, application_id=application_id, now=now)


def accept_offer_within(*, actor: User, application_id: UUID, now: datetime) -> Loan:
    """`accept_offer` inside the caller's transaction, after its check of the PIN."""
    require_transaction()
    rows = Application.objects.select_for_update(of=("self",)).select_related("product", "account", "customer")
    application = rows.filter(pk=application_id, customer=actor).first()
    if application is None:
        raise UnknownApplication()
    if application.status == Application.Status.ACCEPTED:
        return queries.own_loans(actor).get(application=application)
    _require_acceptable(application, now)
    loan = _make_loan(application, now)
    application.status, application.changed_at = Application.Status.ACCEPTED, now
    application.save()
    return loan


def _require_acceptable(application: Application, now: datetime) -> None:
    if application.status == Application.Status.EXPIRED:
        raise OfferExpired()
    if application.status != Application.Status.APPROVED:
        raise NotPossibleNow(data={"status": application.status})
    assert application.offer_until is not None, "the database sees to it that an offer has its last day"
    if application.offer_until < day_of(now):
        raise OfferExpired()
    if not kyc.is_approved(application.customer_id):
        raise KycRequired()


def _make_loan(application: Application, now: datetime) -> Loan:
    today = day_of(now)
    # The database sees to it that an approved application has all three.
    assert application.account_id is not None
    assert application.offered_terms is not None
    assert application.offered_rate is not None
    account = accounts_services.lock_debitable_for(actor=application.customer, account_id=application.account_id)
    beside = queries.promised(application)
    agreed = queries.offer_of(offering.terms_on(application.offered_terms, today))
    fields = offering.starting(application.offered_terms, today)
    run = Servicing(parse_terms(fields))
    principal = run.terms.principal_minor
    run.advance(today)
    loan = Loan(
        application=application,
        customer=application.customer,
        product=application.product,
        account=account,
        currency=application.currency,
        principal_minor=application.amount_minor,
        annual_rate=application.offered_rate,
        apr=agreed.apr,
        terms=fields,
        takes_partial=beside.collecting.partial,
        retries=beside.collecting.retries,
        retry_days=beside.collecting.retry_days,
        cooling_off_until=today + timedelta(days=beside.cooling_off_days),
        start_date=today,
        maturity_date=agreed.schedule.rows[-1].due_date,
        disbursed_at=now,
        disbursed_minor=principal,
        last_event_date=today,
        accrued_to=today,
        accruals_from=today,
        accruals=[0],
    )
    loan.save(force_insert=True)
    _plan_later_parts(loan, application.offered_terms)
    sheet = Sheet(now=now)
    sheet.book(
        loan,
        Booking(legs={allotting.PRINCIPAL: -principal}, parts=Amounts(principal=principal)),
        kind=Movement.Kind.DISBURSEMENT,
        period=str(loan.pk),
        day=today,
        text=f"{loan.product.name} paid out",
        customer_minor=principal,
    )
    sheet.settle(loan, run, today)
    sheet.write()
    fees.take(loan, fees.of_last_part(run), period="disbursement", now=now)
    audit.record(
        actor=application.customer,
        action="loan.disbursed",
        subject_kind="loan",
        subject_id=loan.pk,
        data={
            "amount_minor": principal,
            "rate": str(loan.annual_rate),
            "apr": str(loan.apr),
            "account": account.number,
        },
    )
    telling.tell(loan, "loan_disbursed", amount_minor=principal, day=loan.next_due_date)
    return loan


def _plan_later_parts(loan: Loan, offered: Mapping[str, Any]) -> None:
    planned = offering.later_days(offered, loan.start_date)
    Tranche.objects.bulk_create(
        Tranche(loan=loan, number=number, planned_date=on, amount_minor=Money.parse(amount, loan.currency).amount_minor)
        for number, (on, amount) in enumerate(planned, start=2)
    )


def cancel(*, actor: User, loan_id: UUID, now: datetime) -> Loan:
    """Withdraw within the cooling-off days: pay back what is owed to the day, get the arrangement fee back.

    Raises UnknownLoan, NotPossibleNow, CoolingOffOver, AccountFrozen, AccountClosed, InsufficientFunds.
    """
    with use_case():
        loan = booking.lock(loan_id)
        if loan.customer_id != actor.pk:
            raise UnknownLoan()
        today = max(day_of(now), loan.last_event_date)
        if loan.status == Loan.Status.CANCELLED:
            return loan
        if loan.status != Loan.Status.ACTIVE:
            raise NotPossibleNow(data={"status": loan.status})
        if today > loan.cooling_off_until:
            raise CoolingOffOver(data={"until": loan.cooling_off_until.isoformat()})
        _pay_back(loan, actor, today, now)
        return loan


def _pay_back(loan: Loan, actor: User, today: date, now: datetime) -> None:
    accounts.require_usable(loan.account)
    sheet = Sheet(now=now)
    run = sheet.engine(loan, today)
    sheet.bring_to(loan, run, today, period=today.isoformat())
    run.apply(Event(on=today, type=EventType.PAYOFF))
    paid = run.payments[-1].parts
    fee = fees.taken(loan).amount_minor
    event = sheet.add_event(
        loan,
        kind=EventType.PAYOFF,
        day=today,
        fields={},
        client_id=booking.reference("cancellation", loan.pk, ""),
        parts=paid,
        actor=actor,
    )
    repaid = allotting.repay(paid, suspended=loan.suspended_minor)
    legs = dict(repaid.legs)
    if fee:
        legs[allotting.FEE_INCOME] = -fee
    sheet.book(
        loan,
        Booking(legs=legs, parts=repaid.parts, suspended=repaid.suspended),
        kind=Movement.Kind.CANCELLATION,
        period=str(event.pk),
        day=today,
        text=f"{loan.product.name} withdrawn from, fees returned",
        customer_minor=fee - paid.total,
    )
    sheet.release_allowance(loan, period=str(event.pk), day=today)
    sheet.settle(loan, run, today, ended=Loan.Status.CANCELLED)
    sheet.write()
    audit.record(
        actor=actor,
        action="loan.cancelled",
        subject_kind="loan",
        subject_id=loan.pk,
        data={"paid_minor": paid.total, "fee_returned_minor": fee},
    )
    telling.tell(loan, "loan_cancelled")
