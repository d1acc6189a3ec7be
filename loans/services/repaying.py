"""Paying: what is due, something extra, all of it; and paying later for what was written off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from accounts import services as accounts
from common.db import as_use_case, require_transaction, use_case
from common.money import Money
from identity.models import User
from ledger import services as ledger
from loans import queries
from loans.errors import (
    ClientIdReused,
    InvalidEvent,
    LoanClosed,
    NotEnoughMoney,
    NothingDue,
    QuoteChanged,
    TooMuch,
    UnknownLoan,
)
from loans.models import Loan, LoanEvent, Movement
from loans.rules import allotting
from loans.rules.events import Event, EventType
from loans.rules.servicing import Amounts, Servicing
from loans.services import booking
from loans.services.days import day_of
from loans.services.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Paid:
    """What became of a payment. `replayed`: it had been made before, and nothing was done now."""

    loan: Loan
    event: LoanEvent
    replayed: bool


def repay_within(*, actor: User, loan_id: UUID, amount: str, client_id: UUID, now: datetime) -> Paid:
    """Pay `amount` (decimal text) from the loan's account: first what is due, the rest as the product treats extra payments.

    The pay-off itself closes the loan. Raises UnknownLoan, LoanClosed, InvalidAmount, TooMuch, NotEnoughMoney,
    AccountFrozen, AccountClosed, ClientIdReused.

    Inside the caller's transaction; `repay` opens one.
    """
    loan = _lock_own(actor, loan_id)
    minor = Money.parse(amount, loan.currency).amount_minor
    known = _paid_before(loan, client_id)
    if known is not None:
        if known.total_minor != minor:
            raise ClientIdReused()
        return Paid(loan, known, replayed=True)
    return _pay(loan, minor, actor=actor, client_id=client_id, now=now)


repay = as_use_case(repay_within)


def pay_due_within(*, actor: User, loan_id: UUID, client_id: UUID, now: datetime) -> Paid:
    """Pay everything that is due by today. Raises NothingDue and what `repay` raises.

    Inside the caller's transaction; `pay_due` opens one.
    """
    loan = _lock_own(actor, loan_id)
    known = _paid_before(loan, client_id)
    if known is not None:
        return Paid(loan, known, replayed=True)
    if loan.status != Loan.Status.ACTIVE:
        raise LoanClosed()
    today = max(day_of(now), loan.last_event_date)
    run = queries.engine(loan, today)
    due = run.due_by(today)
    if not due:
        raise NothingDue()
    return _pay(loan, due, actor=actor, client_id=client_id, now=now)


pay_due = as_use_case(pay_due_within)


def pay_off_within(*, actor: User, loan_id: UUID, quoted_minor: int, client_id: UUID, now: datetime) -> Paid:
    """Pay all of it, as quoted on the same day. Raises QuoteChanged when it comes to something else by now; see `repay`.

    Inside the caller's transaction; `pay_off` opens one.
    """
    loan = _lock_own(actor, loan_id)
    known = _paid_before(loan, client_id)
    if known is not None:
        return Paid(loan, known, replayed=True)
    if loan.status != Loan.Status.ACTIVE:
        raise LoanClosed()
    today = max(day_of(now), loan.last_event_date)
    owed = queries.engine(loan, today).payoff_parts(today).total
    if owed != quoted_minor:
        raise QuoteChanged(data={"payoff_minor": owed})
    return _pay(loan, owed, actor=actor, client_id=client_id, now=now)


pay_off = as_use_case(pay_off_within)


def _lock_own(actor: User, loan_id: UUID) -> Loan:
    """The loan first, then the account that pays. Raises UnknownLoan, AccountFrozen, AccountClosed."""
    require_transaction()
    loan = booking.lock(loan_id)
    if loan.customer_id != actor.pk:
        raise UnknownLoan()
    return loan


def _paid_before(loan: Loan, client_id: UUID) -> LoanEvent | None:
    return loan.events.filter(client_id=client_id).first()


def _pay(loan: Loan, minor: int, *, actor: User, client_id: UUID, now: datetime) -> Paid:
    if loan.status != Loan.Status.ACTIVE:
        raise LoanClosed()
    accounts.lock_debitable_for(actor=actor, account_id=loan.account_id)
    sheet, day = Sheet(now=now), max(day_of(now), loan.last_event_date)
    event = take(sheet, loan, sheet.engine(loan, day), minor, day=day, actor=actor, client_id=client_id)
    _write(sheet)
    return Paid(loan, event, replayed=False)


def _write(sheet: Sheet) -> None:
    """Raises NotEnoughMoney when the customer's account cannot pay."""
    try:
        sheet.write()
    except ledger.InsufficientFunds as refusal:
        raise NotEnoughMoney(field="amount") from refusal


def take(
    sheet: Sheet, loan: Loan, run: Servicing, minor: int, *, day: date, actor: User | None, client_id: UUID
) -> LoanEvent:
    """Take a payment from the loan's account, spend it by the engine, book it; for callers that hold both locks.

    `run` is the loan on `day`. Raises TooMuch above the pay-off.
    """
    sheet.bring_to(loan, run, day, period=day.isoformat())
    try:
        run.apply(Event(on=day, type=EventType.REPAYMENT, amount_minor=minor))
    except InvalidEvent as refusal:
        raise TooMuch(field="amount", data=refusal.data) from refusal
    paid = run.payments[-1].parts
    event = sheet.add_event(
        loan,
        kind=EventType.REPAYMENT,
        day=day,
        fields={"amount": Money(minor, loan.currency).plain},
        client_id=client_id,
        parts=paid,
        actor=actor,
    )
    sheet.book(
        loan,
        allotting.repay(paid, suspended=loan.suspended_minor),
        kind=Movement.Kind.REPAYMENT,
        period=str(event.pk),
        day=day,
        text=f"Repayment, {loan.product.name}",
        customer_minor=-minor,
    )
    sheet.bring_to(loan, run, day, period=str(event.pk))
    if not loan.owed_minor:
        sheet.release_allowance(loan, period=str(event.pk), day=day)
    sheet.settle(loan, run, day)
    _tell_paid(sheet, loan, event, paid, actor)
    return event


def _tell_paid(sheet: Sheet, loan: Loan, event: LoanEvent, paid: Amounts, actor: User | None) -> None:
    sheet.trail(
        loan,
        "loan.repaid",
        actor=actor,
        amount_minor=paid.total,
        parts=paid._asdict(),
        event=str(event.pk),
        status=loan.status,
    )
    if loan.status == Loan.Status.ACTIVE:
        text = f"You still owe {Money(loan.principal_balance_minor, loan.currency)} of principal."
        sheet.tell(loan, "loan_paid", amount_minor=paid.total, text=text)
    else:
        sheet.tell(loan, "loan_closed")


def recover(*, actor: User, loan_id: UUID, amount: str, client_id: UUID, now: datetime) -> Loan:
    """The customer pays something of a loan that was written off; `amount` is decimal text.

    The same `client_id` again changes nothing. Raises UnknownLoan, LoanClosed, InvalidAmount, TooMuch, NotEnoughMoney,
    AccountFrozen, AccountClosed.
    """
    with use_case():
        loan = _lock_own(actor, loan_id)
        if loan.status != Loan.Status.WRITTEN_OFF:
            raise LoanClosed()
        if loan.movements.filter(kind=Movement.Kind.RECOVERY, period=str(client_id)).exists():
            return loan
        accounts.lock_debitable_for(actor=actor, account_id=loan.account_id)
        minor = Money.parse(amount, loan.currency).amount_minor
        left = loan.written_off_minor - loan.recovered_minor
        if minor > left:
            raise TooMuch(field="amount", data={"payoff_minor": left})
        sheet = Sheet(now=now)
        sheet.book(
            loan,
            allotting.Booking(legs={allotting.RECOVERED: minor}, parts=Amounts()),
            kind=Movement.Kind.RECOVERY,
            period=str(client_id),
            day=day_of(now),
            text=f"Paid for a written-off {loan.product.name}",
            customer_minor=-minor,
        )
        loan.recovered_minor += minor
        sheet.trail(loan, "loan.recovered", actor=actor, amount_minor=minor)
        _write(sheet)
        return loan


def payoff_quote(*, loan: Loan, day: date) -> Amounts:
    """What pays the loan off on a day, by part. Raises LoanClosed."""
    if loan.status != Loan.Status.ACTIVE:
        raise LoanClosed()
    return queries.engine(loan, max(day, loan.last_event_date)).payoff_parts(max(day, loan.last_event_date))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What an extra payment would change."""

    amount: Money
    instalment_before: Money
    instalment_after: Money
    end_before: date
    end_after: date | None
    left_before: int
    left_after: int
    interest_saved: Money


def what_if(*, loan: Loan, amount: str, now: datetime) -> WhatIf:
    """Pay this much now: the new instalment, the new end, the interest saved. Changes nothing.

    Raises LoanClosed, InvalidAmount, TooMuch.
    """
    if loan.status != Loan.Status.ACTIVE:
        raise LoanClosed()
    paid = Money.parse(amount, loan.currency)
    day = max(day_of(now), loan.last_event_date)
    run = queries.engine(loan, day)
    owed = run.payoff_parts(day).total
    if paid.amount_minor > owed:
        raise TooMuch(field="amount", data={"payoff_minor": owed})
    before = run.result(day)
    run.apply(Event(on=day, type=EventType.REPAYMENT, amount_minor=paid.amount_minor))
    after = run.result(day)
    ahead = [row for row in before.rows if row.due_date > day]
    then = [row for row in after.rows if row.due_date > day and row.due.total > row.paid.total]
    interest = sum(row.due.interest for row in before.rows) - sum(row.due.interest for row in after.rows)

    def money(minor: int) -> Money:
        return Money(minor, loan.currency)

    return WhatIf(
        amount=paid,
        instalment_before=money(max((row.due.total for row in ahead), default=0)),
        instalment_after=money(max((row.due.total - row.paid.total for row in then), default=0)),
        end_before=before.rows[-1].due_date,
        end_after=then[-1].due_date if then else None,
        left_before=len([row for row in ahead if row.due.total > row.paid.total]),
        left_after=len(then),
        interest_saved=money(max(interest, 0)),
    )
