"""Loans in trouble: another plan (proposed by one officer, decided by another), and giving up."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from audit import services as audit
from common.db import use_case
from common.money import Money
from identity import queries as identity_queries
from identity import services as identity
from identity.models import User
from loans import queries
from loans.errors import (
    InvalidEvent,
    NotPossibleNow,
    OwnDecision,
    ReasonRequired,
    RelatedDecision,
    SecondOfficerNeeded,
    UnknownRestructure,
)
from loans.models import Loan, Movement, Restructure
from loans.rules import allotting
from loans.rules.events import Event, EventType
from loans.rules.servicing import Amounts, Serviced
from loans.services import booking, telling
from loans.services.days import day_of
from loans.services.sheet import Sheet

_WRITE_OFF_FROM_DAYS = 90


def propose(
    *,
    actor: User,
    loan_id: UUID,
    instalments: int | None,
    annual_rate: Decimal | None,
    first_due_date: date | None,
    pause_instalments: int | None = None,
    reason: str,
    now: datetime,
) -> Restructure:
    """Propose another number of instalments, another rate or other due dates for what is not yet due; or a pause.

    In a pause so many instalments pay nothing, and the loan ends that much later; it goes alone. Raises
    PermissionMissing (loan_service), UnknownLoan, OwnDecision, RelatedDecision, NotPossibleNow, ReasonRequired, and
    InvalidEvent for a plan that the engine refuses.
    """
    with use_case():
        loan = lock_to_serve(actor, loan_id, reason)
        if loan.restructures.filter(status=Restructure.Status.PROPOSED).exists():
            raise NotPossibleNow("A proposal for this loan waits for its answer.")
        proposal = Restructure(
            loan=loan,
            instalments=instalments,
            annual_rate=annual_rate,
            first_due_date=first_due_date,
            pause_instalments=pause_instalments,
            reason=reason.strip(),
            maker=actor,
            made_at=now,
        )
        preview(proposal, day=day_of(now))
        proposal.save(force_insert=True)
        trail(loan, actor, "restructure_proposed", reason, **_plan(proposal))
        return proposal


def preview(proposal: Restructure, *, day: date) -> Serviced:
    """The loan's schedule with the proposal on `day`. Raises InvalidEvent."""
    loan = proposal.loan
    day = max(day, loan.last_event_date)
    run = queries.engine(loan, day)
    run.apply(_event(proposal, day))
    return run.result(day)


def _event(proposal: Restructure, day: date) -> Event:
    others = (proposal.instalments, proposal.annual_rate, proposal.first_due_date)
    if proposal.pause_instalments is not None:
        if any(value is not None for value in others):
            raise InvalidEvent("A pause goes alone: leave the other fields empty.", field="pause_instalments")
        return Event(on=day, type=EventType.MORATORIUM, instalments=proposal.pause_instalments)
    return Event(
        on=day,
        type=EventType.RESCHEDULE,
        instalments=proposal.instalments,
        annual_rate=proposal.annual_rate,
        first_due_date=proposal.first_due_date,
    )


def _plan(proposal: Restructure) -> dict[str, Any]:
    """The event's own fields, JSON-safe."""
    found = {
        "instalments": proposal.pause_instalments or proposal.instalments,
        "annual_rate": None if proposal.annual_rate is None else str(proposal.annual_rate),
        "first_due_date": proposal.first_due_date and proposal.first_due_date.isoformat(),
    }
    return {name: value for name, value in found.items() if value is not None}


def answer(*, actor: User, restructure_id: UUID, approved: bool, reason: str, now: datetime) -> Restructure:
    """The second officer's word; approved, the new plan holds from today.

    Raises UnknownRestructure, SecondOfficerNeeded for the proposer, and what `propose` raises.
    """
    with use_case():
        found = Restructure.objects.filter(pk=restructure_id).values_list("loan_id", flat=True).first()
        if found is None:
            raise UnknownRestructure()
        loan = lock_to_serve(actor, found, reason)
        proposal = Restructure.objects.select_for_update().get(pk=restructure_id)
        proposal.loan = loan
        if proposal.status != Restructure.Status.PROPOSED:
            raise NotPossibleNow()
        if proposal.maker_id == actor.pk:
            raise SecondOfficerNeeded("You proposed this plan. A second officer decides.")
        proposal.status = Restructure.Status.APPROVED if approved else Restructure.Status.REFUSED
        proposal.checker, proposal.checked_at, proposal.answer = actor, now, reason.strip()
        proposal.save()
        if approved:
            _reschedule(proposal, actor, now)
        trail(loan, actor, "restructure_approved" if approved else "restructure_refused", reason, **_plan(proposal))
        return proposal


def _reschedule(proposal: Restructure, actor: User, now: datetime) -> None:
    loan = proposal.loan
    day = max(day_of(now), loan.last_event_date)
    sheet = Sheet(now=now)
    run = sheet.engine(loan, day)
    sheet.bring_to(loan, run, day, period=day.isoformat())
    run.apply(_event(proposal, day))
    event = sheet.add_event(
        loan,
        kind=EventType.MORATORIUM if proposal.pause_instalments else EventType.RESCHEDULE,
        day=day,
        fields=_plan(proposal),
        client_id=proposal.pk,
        parts=Amounts(),
        actor=actor,
    )
    sheet.bring_to(loan, run, day, period=str(event.pk))
    sheet.settle(loan, run, day)
    sheet.write()
    row = loan.instalments.filter(due_date__gt=day).order_by("number").first()
    text = f"The next instalment is {Money(row.total_minor, loan.currency)}." if row else ""
    telling.tell(loan, "loan_restructured", text=text)


def write_off(*, actor: User, loan_id: UUID, reason: str, now: datetime) -> Loan:
    """Give a loan up that is 90 days late or more: what is owed leaves the books; what is paid later is a recovery.

    Raises PermissionMissing (loan_service), UnknownLoan, OwnDecision, NotPossibleNow, ReasonRequired.
    """
    with use_case():
        loan = lock_to_serve(actor, loan_id, reason)
        day = max(day_of(now), loan.last_event_date)
        sheet = Sheet(now=now)
        run = sheet.engine(loan, day)
        if run.result(day).days_past_due < _WRITE_OFF_FROM_DAYS:
            raise NotPossibleNow("Only a loan that is 90 days late or more is written off.")
        sheet.bring_to(loan, run, day, period=day.isoformat())
        owed = queries.balances(loan)
        run.apply(Event(on=day, type=EventType.WRITE_OFF))
        event = sheet.add_event(
            loan,
            kind=EventType.WRITE_OFF,
            day=day,
            fields={},
            client_id=booking.reference("write-off", loan.pk, ""),
            parts=owed,
            actor=actor,
        )
        sheet.book(
            loan,
            allotting.write_off(owed, suspended=loan.suspended_minor, allowance=loan.allowance_minor),
            kind=Movement.Kind.WRITE_OFF,
            period=str(event.pk),
            day=day,
            text=f"{loan.product.name} written off",
        )
        loan.written_off_minor = owed.total
        sheet.settle(loan, run, day)
        sheet.write()
        trail(loan, actor, "written_off", reason, amount_minor=owed.total)
        telling.tell(loan, "loan_written_off")
        return loan


def lock_to_serve(actor: User, loan_id: UUID, reason: str) -> Loan:
    """A running loan, held for an officer who may deal with it and says why.

    Raises PermissionMissing (loan_service), UnknownLoan, OwnDecision, RelatedDecision, NotPossibleNow, ReasonRequired.
    """
    identity.require(actor, "loan_service")
    loan = booking.lock(loan_id)
    if loan.customer_id == actor.pk:
        raise OwnDecision()
    if identity_queries.are_connected(actor, loan.customer):
        raise RelatedDecision()
    if loan.status != Loan.Status.ACTIVE:
        raise NotPossibleNow(data={"status": loan.status})
    if not reason.strip():
        raise ReasonRequired(field="reason")
    return loan


def trail(loan: Loan, actor: User, done: str, reason: str, **facts: Any) -> None:
    """What an officer did to a loan, and why."""
    audit.record(
        actor=actor, action=f"loan.{done}", subject_kind="loan", subject_id=loan.pk, data=facts, reason=reason.strip()
    )
