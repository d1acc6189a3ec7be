"""The later parts of a loan: which ones may be asked for, paying the next one out under four eyes, cancelling the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from accounts import services as accounts
from common.db import use_case
from common.errors import Invalid
from common.money import Money
from identity.models import User
from kyc import queries as kyc
from loans import queries
from loans.errors import InvalidTranches, NotPossibleNow, SecondOfficerNeeded
from loans.models import OPEN_TRANCHES, Loan, LoanProduct, Movement, Tranche
from loans.rules import allotting
from loans.rules.allotting import Booking
from loans.rules.events import Event, EventType
from loans.rules.offering import Later
from loans.rules.servicing import Amounts, Servicing
from loans.services import fees, telling, troubles
from loans.services.days import day_of
from loans.services.lateness import NON_PERFORMING_DAYS
from loans.services.sheet import Sheet

# A part as people and programs send it: months after the first one, and an amount as decimal text.
Wanted = tuple[int, str]


def read(
    product: LoanProduct, *, amount: Money, instalments: int, parts: Sequence[Wanted], field: str = "tranches"
) -> list[Later]:
    """The later parts of a wish for `amount`. Raises InvalidTranches when they do not fit the product, the amount or the term."""
    if not parts:
        return []
    most = product.max_tranches
    if most == 1:
        raise InvalidTranches(f"{product.name} is paid out at once.", field=field)
    if len(parts) >= most:
        raise InvalidTranches(f"{product.name} is paid out in at most {most} parts.", field=field)
    found: list[Later] = []
    latest = product.rhythm.months_within(instalments)
    for months, text in parts:
        try:
            minor = Money.parse(text, product.currency).amount_minor
        except Invalid as wrong:
            raise InvalidTranches(f"A later part: {wrong.text}", field=field) from wrong
        if not (found[-1].after_months if found else 0) < months <= latest:
            raise InvalidTranches(
                "Each part comes at least a month after the one before it, and before the last instalment.", field=field
            )
        found.append(Later(after_months=months, amount_minor=minor))
    if sum(part.amount_minor for part in found) >= amount.amount_minor:
        raise InvalidTranches(
            "Leave something for the first part: the later ones come to the whole amount.", field=field
        )
    return found


def ask_payout(*, actor: User, loan_id: UUID, reason: str, now: datetime) -> Tranche:
    """Ask for the next part to be paid out; a second officer decides.

    Raises PermissionMissing (loan_service), UnknownLoan, OwnDecision, RelatedDecision, ReasonRequired, and NotPossibleNow
    when nothing is left, one waits for its answer already, or the loan is non-performing or ended.
    """
    with use_case():
        loan = troubles.lock_to_serve(actor, loan_id, reason)
        tranche = loan.tranches.select_for_update().filter(status__in=OPEN_TRANCHES).order_by("number").first()
        if tranche is None:
            raise NotPossibleNow("Nothing of this loan is left to pay out.")
        if tranche.status == Tranche.Status.ASKED:
            raise NotPossibleNow("The next part waits for its second officer.")
        day = max(day_of(now), loan.last_event_date)
        _try_out(queries.engine(loan, day), tranche, day)
        tranche.status, tranche.reason = Tranche.Status.ASKED, reason.strip()
        tranche.maker, tranche.made_at = actor, now
        tranche.save()
        troubles.trail(loan, actor, "payout_asked", reason, part=tranche.number, amount_minor=tranche.amount_minor)
        return tranche


def answer_payout(*, actor: User, loan_id: UUID, approved: bool, reason: str, now: datetime) -> Tranche:
    """The second officer's word: approved, the money is in the customer's account, and new instalments hold from today.

    Raises SecondOfficerNeeded for the officer who asked, what `ask_payout` raises, AccountFrozen, AccountClosed.
    """
    with use_case():
        loan = troubles.lock_to_serve(actor, loan_id, reason)
        tranche = loan.tranches.select_for_update().filter(status=Tranche.Status.ASKED).first()
        if tranche is None:
            raise NotPossibleNow("No part of this loan waits for an answer.")
        if tranche.maker_id == actor.pk:
            raise SecondOfficerNeeded("You asked for this payout. A second officer decides.")
        tranche.answer = reason.strip()
        if approved:
            _pay_out(loan, tranche, actor, now)
        else:
            # Who asked and who refused stays in the trail; the part can be asked for again.
            tranche.status, tranche.maker, tranche.made_at, tranche.reason = Tranche.Status.PLANNED, None, None, ""
            tranche.save()
        done = "payout_approved" if approved else "payout_refused"
        troubles.trail(loan, actor, done, reason, part=tranche.number, amount_minor=tranche.amount_minor)
        return tranche


def cancel_rest(*, actor: User, loan_id: UUID, reason: str, now: datetime) -> Loan:
    """Pay out no more of what was agreed; the loan goes on with what is paid out. The customer is told.

    Raises as `ask_payout` does, but a non-performing loan's rest may be cancelled.
    """
    with use_case():
        loan = troubles.lock_to_serve(actor, loan_id, reason)
        rest = list(loan.tranches.select_for_update().filter(status__in=OPEN_TRANCHES).order_by("number"))
        if not rest:
            raise NotPossibleNow("Nothing of this loan is left to pay out.")
        for tranche in rest:
            tranche.status = Tranche.Status.CANCELLED
            tranche.save()
        left = sum(tranche.amount_minor for tranche in rest)
        troubles.trail(loan, actor, "rest_cancelled", reason, amount_minor=left)
        telling.tell(loan, "loan_rest_cancelled", amount_minor=left)
        return loan


def _try_out(run: Servicing, tranche: Tranche, day: date) -> None:
    """The loan with the part paid out on a day. Raises NotPossibleNow for a non-performing loan, InvalidEvent after its end."""
    loan = tranche.loan
    if loan.non_performing_since is not None or run.result(day).days_past_due >= NON_PERFORMING_DAYS:
        raise NotPossibleNow("The loan is non-performing: nothing more is paid out.")
    if not kyc.is_approved(loan.customer_id):
        raise NotPossibleNow("The customer's identity check is not complete.")
    run.apply(Event(on=day, type=EventType.DISBURSEMENT, amount_minor=tranche.amount_minor))


def _pay_out(loan: Loan, tranche: Tranche, actor: User, now: datetime) -> None:
    tranche.loan = loan
    accounts.lock_debitable_for(actor=loan.customer, account_id=loan.account_id)
    day, amount = max(day_of(now), loan.last_event_date), tranche.amount_minor
    sheet = Sheet(now=now)
    run = sheet.engine(loan, day)
    sheet.bring_to(loan, run, day, period=day.isoformat())
    _try_out(run, tranche, day)
    event = sheet.add_event(
        loan,
        kind=EventType.DISBURSEMENT,
        day=day,
        fields={"amount": Money(amount, loan.currency).plain},
        client_id=tranche.pk,
        parts=Amounts(principal=amount),
        actor=actor,
    )
    loan.disbursed_minor += amount
    sheet.book(
        loan,
        Booking(legs={allotting.PRINCIPAL: -amount}, parts=Amounts(principal=amount)),
        kind=Movement.Kind.DISBURSEMENT,
        period=str(event.pk),
        day=day,
        text=f"{loan.product.name} paid out, part {tranche.number}",
        customer_minor=amount,
    )
    sheet.settle(loan, run, day)
    sheet.write()
    fees.take(loan, fees.of_last_part(run), period=str(event.pk), now=now)
    tranche.status, tranche.event, tranche.paid_date = Tranche.Status.PAID, event, day
    tranche.checker, tranche.checked_at = actor, now
    tranche.save()
    row = loan.instalments.filter(due_date__gt=day).order_by("number").first()
    text = f"The next instalment is {Money(row.total_minor, loan.currency)}." if row else ""
    telling.tell(loan, "loan_part_disbursed", amount_minor=amount, text=text)
