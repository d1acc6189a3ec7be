"""A loan after its events: what was paid on what, what is due of each instalment, what paying it off costs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from loans.errors import InvalidEvent, LoanClosed
from loans.rules import changes, fees
from loans.rules.account import Account, Instalment, nothing
from loans.rules.events import Event, EventType
from loans.rules.terms import Part, PayoffInterest, Prepayment, Terms, When


class Status(StrEnum):
    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"
    WRITTEN_OFF = "WRITTEN_OFF"


class Amounts(NamedTuple):
    """Minor units by part."""

    principal: int = 0
    interest: int = 0
    fees: int = 0
    penalties: int = 0

    @property
    def total(self) -> int:
        return sum(self)


class ServicedRow(NamedTuple):
    number: int
    from_date: date
    due_date: date
    due: Amounts
    paid: Amounts
    outstanding: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One repayment and the parts it was spent on."""

    on: date
    parts: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Serviced:
    """The loan as of a day. `outstanding` of a row is principal by plan, `balance_minor` what is unpaid of it all."""

    as_of: date
    status: Status
    rows: tuple[ServicedRow, ...]
    payments: tuple[Payment, ...]
    written_off: Amounts
    balance_minor: int
    days_past_due: int


def _amounts(parts: dict[Part, int]) -> Amounts:
    return Amounts(parts[Part.PRINCIPAL], parts[Part.INTEREST], parts[Part.FEE], parts[Part.PENALTY])


def service(*, terms: Terms, events: Sequence[Event], as_of: date) -> Serviced:
    """The loan on `as_of` after its events, which come in the order of their dates and none later than that.

    Raises InvalidEvent for an event out of order, outside the loan's life or larger than the pay-off, LoanClosed for
    one after the loan was paid off or written off. Nothing is half applied: the result is new each time.
    """
    return replay(terms=terms, events=events, as_of=as_of).result(as_of)


def payoff_quote(*, terms: Terms, events: Sequence[Event], on: date) -> Amounts:
    """What pays the loan off on a day: all that is due, all principal, and interest to the day or its period's end.

    Instalment fees that are not yet due are not asked. Raises as `service` does.
    """
    run = replay(terms=terms, events=events, as_of=on)
    run.require_open()
    return run.payoff_parts(on)


def replay(*, terms: Terms, events: Sequence[Event], as_of: date) -> Servicing:
    """The loan brought to `as_of`, ready for the next event. Raises as `service` does."""
    run = Servicing(terms)
    for event in events:
        if event.on > as_of:
            raise InvalidEvent("An event lies after the day asked for.", field="date")
        run.apply(event)
    run.advance(as_of)
    return run


class Servicing:
    """Applies events one by one to an account."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.account = Account(terms)
        self.status = Status.ACTIVE
        self.today = terms.start_date
        self.payments: list[Payment] = []
        self.written_off = Amounts()
        self._principal_repaid = 0
        # Places of the first row that no penalty was looked into for, and of the first that is not wholly paid.
        self._not_late = self._unpaid = 0

    def require_open(self) -> None:
        if self.status is not Status.ACTIVE:
            raise LoanClosed()

    def advance(self, to: date) -> None:
        """Bring the loan to a day: late penalties first, then what is due. Raises InvalidEvent for a day gone by."""
        if to < self.today:
            raise InvalidEvent("Events come in the order of their dates, none before the disbursement.", field="date")
        self.today = to
        self.account.look(to)
        if self.status is Status.ACTIVE and self.terms.penalty is not None:
            rows, grace = self.account.rows, self.terms.penalty.grace_days
            while self._not_late < len(rows) and (to - rows[self._not_late].due).days > grace:
                row = rows[self._not_late]
                self._not_late += 1
                row.charges[Part.PENALTY] += fees.late(
                    self.terms, row.unpaid(Part.PRINCIPAL), row.unpaid(Part.INTEREST)
                )
                self.account.refill(row)

    def apply(self, event: Event) -> None:
        self.advance(event.on)
        self.require_open()
        match event.type:
            case EventType.DISBURSEMENT:
                changes.disburse(self.account, event.amount_minor or 0, event.on)
            case EventType.REPAYMENT:
                self._repay(event.amount_minor or 0, event.on)
            case EventType.PAYOFF:
                self._pay_off(event.amount_minor, event.on)
            case EventType.CHARGE:
                self._charge(event)
            case EventType.WRITE_OFF:
                self.written_off = self.payoff_parts(event.on, PayoffInterest.TO_DATE)
                self._freeze(event.on, PayoffInterest.TO_DATE)
                self.status = Status.WRITTEN_OFF
            case EventType.RESCHEDULE:
                changes.reschedule(self.account, event)
            case EventType.MORATORIUM:
                changes.pause(self.account, event)
        self.account.look(event.on)

    def owed(self, on: date) -> Amounts:
        """What is earned and unpaid on a day, by part: all principal paid out, interest to the day; nothing once it ended."""
        return self.payoff_parts(on, PayoffInterest.TO_DATE) if self.status is Status.ACTIVE else Amounts()

    def interest_ahead(self, on: date) -> list[int]:
        """`owed(...).interest` of each day from `on` to the running instalment's due date, if nothing happens meanwhile.

        Only under PLANNED; past the last due date it stays what it is.
        """
        today = self.owed(on).interest
        index = next((index for index, row in enumerate(self.account.rows) if row.start <= on < row.due), None)
        if index is None or self.status is not Status.ACTIVE:
            return [today]
        row = self.account.rows[index]
        paid = row.paid[Part.INTEREST]
        apart = today - max(self.account.earned(index, on) - paid, 0)
        days = (on + timedelta(days=number) for number in range((row.due - on).days + 1))
        return [apart + max(self.account.earned(index, day) - paid, 0) for day in days]

    def _charge(self, event: Event) -> None:
        rows = self.account.rows
        row = next((row for row in rows if row.due >= event.on), rows[-1])
        assert event.part is not None
        row.charges[event.part] += event.amount_minor or 0
        self.account.refill(row)
        self._unpaid = min(self._unpaid, row.number - 1)

    def _repay(self, amount: int, on: date) -> None:
        # The pay-off is that much at least; most payments are far below it.
        if amount >= self._principal_owed(on):
            owed = self.payoff_parts(on).total
            if amount > owed:
                raise InvalidEvent("This is more than the loan's pay-off.", field="amount", data={"payoff_minor": owed})
            if amount == owed:
                self._pay_off(amount, on)
                return
        spent = nothing()
        amount = self._spend(amount, on, spent)
        if amount and self.terms.prepayment is Prepayment.NEXT_INSTALMENTS:
            amount = self._pay_next(amount, on, spent)
        elif amount:
            amount = self._prepay(amount, on, spent)
        assert amount == 0, "a payment within the pay-off is spent to the last cent"
        self._note(on, spent)

    def _spend(self, amount: int, on: date, spent: dict[Part, int]) -> int:
        """Bucket by bucket, as the terms have them; returns what is left.

        In advance is the next instalment at its place in the order, where payments in advance pay instalments.
        """
        classes, ahead = self._classes(on), self.terms.prepayment is Prepayment.NEXT_INSTALMENTS
        following: int | None = None
        for when, part in self.terms.allocation:
            if not amount:
                break
            if when is not When.IN_ADVANCE:
                for row in classes[when]:
                    amount -= self._pay(row, part, min(amount, row.unpaid(part)), spent)
            elif ahead:
                following = self._following(on) if following is None else following
                if following < len(self.account.rows):
                    amount = self._pay_ahead(following, [part], amount, on, spent)
        return amount

    def _following(self, on: date) -> int:
        """The place of the first instalment not yet due that is not wholly paid; one after the last when there is none."""
        rows = self.account.rows
        for index in range(self._unpaid, len(rows)):
            if rows[index].due > on:
                wanted = self._in_advance(index, on)
                if any(wanted[part] > rows[index].paid[part] for part in Part):
                    return index
        return len(rows)

    def _principal_owed(self, on: date) -> int:
        """Paid out by a day and not repaid."""
        return sum(part.amount_minor for part in self.account.disbursements if part.on <= on) - self._principal_repaid

    def _classes(self, on: date) -> dict[When, list[Instalment]]:
        """The rows that are past due and due, from the first on that is not wholly paid."""
        rows = self.account.rows
        while self._unpaid < len(rows) and rows[self._unpaid].due < on and not rows[self._unpaid].unpaid_total:
            self._unpaid += 1
        found: dict[When, list[Instalment]] = {When.PAST_DUE: [], When.DUE: []}
        for row in itertools.islice(rows, self._unpaid, None):
            if row.due > on:
                break
            found[When.PAST_DUE if row.due < on else When.DUE].append(row)
        return found

    def _prepay(self, amount: int, on: date, spent: dict[Part, int]) -> int:
        """Principal first; what is beyond all of it goes to charges and interest of the running instalment."""
        # What this payment repaid before is not noted yet.
        if taken := min(amount, self._principal_owed(on) - spent[Part.PRINCIPAL]):
            changes.prepay(self.account, taken, on, self.terms.prepayment)
            spent[Part.PRINCIPAL] += taken
            amount -= taken
        for index, row in enumerate(self.account.rows):
            wanted = row.charges | {Part.INTEREST: self.account.earned(index, on)}
            for part in (Part.PENALTY, Part.FEE, Part.INTEREST):
                amount -= self._pay(row, part, min(amount, wanted[part] - row.paid[part]), spent)
        self.account.touch()
        return amount

    def _pay(self, row: Instalment, part: Part, amount: int, spent: dict[Part, int]) -> int:
        if amount <= 0:
            return 0
        row.paid[part] += amount
        spent[part] += amount
        return amount

    def _note(self, on: date, spent: dict[Part, int]) -> None:
        """Keep the payment; under ACTUAL interest runs on less from this day, under PLANNED only what was prepaid."""
        if self.account.follows_balance and spent[Part.PRINCIPAL]:
            self.account.principal_flows.append((on, spent[Part.PRINCIPAL]))
        self._principal_repaid += spent[Part.PRINCIPAL]
        self.payments.append(Payment(on=on, parts=_amounts(spent)))

    def _pay_next(self, amount: int, on: date, spent: dict[Part, int]) -> int:
        """Pay the next instalments in advance, each wholly before the one after it."""
        order = [part for when, part in self.terms.allocation if when is When.IN_ADVANCE]
        for index, row in enumerate(self.account.rows):
            if not amount:
                break
            if row.due > on:
                amount = self._pay_ahead(index, order, amount, on, spent)
        return amount

    def _pay_ahead(self, index: int, order: list[Part], amount: int, on: date, spent: dict[Part, int]) -> int:
        """Spend on parts of an instalment not yet due; returns what is left. Once complete, it earns no more interest."""
        account, row = self.account, self.account.rows[index]
        wanted = self._in_advance(index, on)
        for part in order:
            amount -= self._pay(row, part, min(amount, wanted[part] - row.paid[part]), spent)
        complete = all(row.paid[part] >= wanted[part] for part in Part)
        if complete and account.follows_balance and not row.deferred and row.frozen is None:
            account.complete(index, on)
        return amount

    def _in_advance(self, index: int, on: date) -> dict[Part, int]:
        """What completes an instalment before it is due: under ACTUAL the interest earned so far, the rest principal."""
        account, row = self.account, self.account.rows[index]
        if not account.follows_balance:
            return row.due_parts
        principal = row.open_principal
        if index < len(account.rows) - 1:
            wanted = account.wanted(row, account.accrued(index, on)) + row.extra
            principal = min(max(wanted, row.paid[Part.PRINCIPAL]), principal)
        return row.due_parts | {Part.INTEREST: account.earned(index, on), Part.PRINCIPAL: principal}

    def payoff_parts(self, on: date, interest: PayoffInterest | None = None) -> Amounts:
        """Everything unpaid on a day, by part, as `payoff_interest` says unless told otherwise."""
        account, rows = self.account, self.account.rows
        until = self._interest_until(on, interest or self.terms.payoff_interest)
        earned = fees_owed = penalties = 0
        # The rows before are wholly paid.
        for index in range(self._unpaid, len(rows)):
            row = rows[index]
            past = row.due <= on
            penalties += row.unpaid(Part.PENALTY)
            fees_owed += row.unpaid(Part.FEE) if past else max(row.charges[Part.FEE] - row.paid[Part.FEE], 0)
            due = row.due_parts[Part.INTEREST] if past else account.earned(index, until)
            earned += max(due - row.paid[Part.INTEREST], 0)
        return Amounts(self._principal_owed(on), earned, fees_owed, penalties)

    def due_by(self, on: date) -> int:
        """What is unpaid of everything due by a day that the loan was brought to."""
        rows = itertools.islice(self.account.rows, self._unpaid, None)
        return sum(row.unpaid_total for row in itertools.takewhile(lambda row: row.due <= on, rows))

    def _interest_until(self, on: date, interest: PayoffInterest) -> date:
        if interest is PayoffInterest.TO_DATE:
            return on
        return next((row.due for row in self.account.rows if row.start <= on < row.due), on)

    def _pay_off(self, amount: int | None, on: date) -> None:
        owed = self.payoff_parts(on)
        if amount is not None and amount != owed.total:
            raise InvalidEvent("This is not the pay-off.", field="amount", data={"payoff_minor": owed.total})
        self._freeze(on, self.terms.payoff_interest)
        self.account.principal_flows.append((on, owed.principal))
        self._principal_repaid += owed.principal
        self.account.touch()
        self.account.look(on)
        for row in self.account.rows:
            row.paid = dict(row.due_parts)
        self.payments.append(Payment(on=on, parts=owed))
        self.status = Status.CLOSED

    def _freeze(self, on: date, interest: PayoffInterest) -> None:
        """From here on nothing more accrues or is paid out; a fee not yet due is not asked."""
        account, until = self.account, self._interest_until(on, interest)
        earned = [
            row.due_parts[Part.INTEREST] if row.due <= on else account.earned(index, until)
            for index, row in enumerate(account.rows)
        ]
        for row, amount in zip(account.rows, earned, strict=True):
            row.frozen, row.deferred = max(amount, row.paid[Part.INTEREST]), False
            if row.due <= on:
                row.settled = row.due_parts[Part.PRINCIPAL]
            else:
                row.fee_waived = True
                row.charges[Part.FEE] = max(row.charges[Part.FEE], row.paid[Part.FEE])
        account.disbursements = tuple(part for part in account.disbursements if part.on <= on)
        account.touch()

    def result(self, as_of: date) -> Serviced:
        rows, owed = self.account.rows, 0
        made: list[ServicedRow] = []
        for row in rows:
            owed += sum(part.amount_minor for part in self.account.disbursements if row.start <= part.on < row.due)
            owed -= row.due_parts[Part.PRINCIPAL]
            made.append(ServicedRow(row.number, row.start, row.due, _amounts(row.due_parts), _amounts(row.paid), owed))
        while len(made) > 1 and not made[-1].due.total:
            made.pop()
        late = [row.due for row in rows if row.due < as_of and row.unpaid_total > 0]
        active = self.status is Status.ACTIVE
        closed = active and not any(row.unpaid_total for row in rows)
        return Serviced(
            as_of=as_of,
            status=Status.CLOSED if closed else self.status,
            rows=tuple(made),
            payments=tuple(self.payments),
            written_off=self.written_off,
            balance_minor=sum(row.unpaid_total for row in rows) if active else 0,
            days_past_due=(as_of - min(late)).days if late and active else 0,
        )
