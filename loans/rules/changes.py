"""What changes the rows themselves: another disbursement, prepayment, reschedule, moratorium."""

from __future__ import annotations

from datetime import date

from loans.errors import InvalidEvent
from loans.rules import calendar, instalments
from loans.rules.account import Account, Instalment
from loans.rules.amounts import divide_to
from loans.rules.events import Event
from loans.rules.terms import MAX_INSTALMENTS, AnnuityRate, Disbursement, Method, Part, Prepayment


def disburse(account: Account, amount: int, on: date) -> None:
    """Pay `amount` out on a day: new instalments from the running row on, as `schedule` sets them for a planned one.

    Raises InvalidEvent for FLAT loans, and from the last due date on.
    """
    if account.terms.method is Method.FLAT:
        raise InvalidEvent("FLAT interest is on one disbursement.", field="type")
    index = next((index for index, row in enumerate(account.rows) if row.start <= on < row.due), None)
    if index is None:
        raise InvalidEvent("The last disbursement is before the last due date.", field="date")
    account.disbursements = (*account.disbursements, Disbursement(on=on, amount_minor=amount))
    account.touch()
    account.look(on)
    set_instalments(account, index, spent=account.rows[index].extra)
    if account.terms.annuity_rate is AnnuityRate.ACTUAL_PERIODS and account.terms.method is Method.EQUAL_INSTALMENT:
        _smooth(account, index, on)


def _smooth(account: Account, first: int, on: date) -> None:
    """Spread a last instalment that is far off over all of them, as `instalments` does for a plan."""
    paying = [row for row in account.rows[first:] if row.target is not None]
    if len(paying) < 2:
        return
    for _ in range(instalments.SMOOTHING_ROUNDS):
        account.look(on)
        before, off = paying[0].target or 0, _last_difference(account)
        tried = instalments.nearer(account.terms, before, off, len(paying))
        if tried is None:
            return
        _set_targets(account, paying, tried)
        account.look(on)
        if abs(_last_difference(account)) >= abs(off):
            _set_targets(account, paying, before)
            return


def _last_difference(account: Account) -> int:
    """By how much the last instalment is above the others; the interest that a grace ends with does not count."""
    last = account.rows[-1]
    if len(account.rows) > 1 and account.rows[-2].deferred:
        return 0
    return last.due_parts[Part.PRINCIPAL] + last.due_parts[Part.INTEREST] - (last.target or 0)


def _set_targets(account: Account, rows: list[Instalment], target: int) -> None:
    for row in rows:
        row.target = target
    account.touch()


def prepay(account: Account, amount: int, on: date, mode: Prepayment) -> None:
    """Take `amount` off the principal on a day, beyond what is due: smaller instalments, or fewer of them.

    It counts as principal of the row due that day, or of the running one.
    """
    index = next(index for index, row in enumerate(account.rows) if row.due >= on)
    row = account.rows[index]
    row.extra += amount
    row.paid[Part.PRINCIPAL] += amount
    if not account.follows_balance:
        account.principal_flows.append((on, amount))
    account.touch()
    account.look(on)
    if mode is Prepayment.REDUCE_INSTALMENT:
        _require_paid_out(account, on)
        set_instalments(account, index + 1 if row.due == on else index, spent=0 if row.due == on else row.extra)


def set_instalments(account: Account, first: int, *, spent: int = 0) -> None:
    """New equal instalments (or shares) for the rows from `first` on, over what they have to repay less `spent`."""
    rows, terms = account.rows[first:], account.terms
    if not rows or terms.method is Method.FIXED_INSTALMENT:
        return
    owed = rows[0].open_principal - spent
    paying = [index for index, row in enumerate(rows, first) if row.target is not None]
    if not paying:
        return
    if terms.method is Method.EQUAL_INSTALMENT:
        target = _equal_instalment(account, paying, owed)
    else:
        target = divide_to(owed, len(paying), multiple=terms.amount_multiple_minor, rounding=terms.interest_rounding)
    _set_targets(account, [account.rows[index] for index in paying], target)


def _equal_instalment(account: Account, paying: list[int], owed: int) -> int:
    """At the rate of today; the actual periods are those of the calendar."""
    terms = account.terms
    if terms.annuity_rate is AnnuityRate.ACTUAL_PERIODS:
        factors = account.factors(paying[0])[: len(paying)]
    else:
        factors = [account.annuity_factor()] * len(paying)
    return instalments.instalment_for(terms, factors, owed)


def reschedule(account: Account, event: Event) -> None:
    """From a day on: another number of instalments, another rate, or other due dates. What is due stays due.

    Raises InvalidEvent for FLAT loans, and when no instalment is left to change.
    """
    if account.terms.method is Method.FLAT:
        raise InvalidEvent("A FLAT loan has its interest fixed and cannot be rescheduled.", field="type")
    _require_paid_out(account, event.on)
    if event.annual_rate is not None:
        account.rates.append((event.on, calendar.percent_ratio(event.annual_rate)))
    first = _first_after(account, event.on)
    count = event.instalments or len(account.rows) - first
    _resize(account, first, count)
    if event.first_due_date is not None:
        _move(account, first, event.first_due_date)
    account.touch()
    account.look(event.on)
    set_instalments(account, first)


def pause(account: Account, event: Event) -> None:
    """The next instalments pay nothing, the loan is that much longer; their interest is due with the first after them.

    A FLAT loan earns no more interest for it. Raises InvalidEvent when no instalment is left to pause.
    """
    count = event.instalments or 0
    first = _first_after(account, event.on)
    _resize(account, first, len(account.rows) - first + count)
    rows = account.rows
    for index in range(len(rows) - 1, first + count - 1, -1):
        rows[index].target, rows[index].flat_interest = rows[index - count].target, rows[index - count].flat_interest
        rows[index].deferred = rows[index - count].deferred
    for row in rows[first : first + count]:
        row.target, row.flat_interest, row.deferred, row.fee_waived = None, 0, True, True
    account.touch()


def _require_paid_out(account: Account, on: date) -> None:
    if account.disbursements[-1].on > on:
        raise InvalidEvent("New instalments need a loan that is fully paid out.", field="date")


def _first_after(account: Account, on: date) -> int:
    for index, row in enumerate(account.rows):
        if row.due > on:
            if any(any(later.paid.values()) for later in account.rows[index:]):
                raise InvalidEvent("The next instalments are paid in advance; do this when they are due.", field="date")
            return index
    raise InvalidEvent("No instalment is left to change.", field="date")


def _resize(account: Account, first: int, count: int) -> None:
    """Leave `count` rows from `first` on; new ones continue the calendar."""
    rows, terms = account.rows, account.terms
    if first + count > MAX_INSTALMENTS:
        raise InvalidEvent(f"A loan has at most {MAX_INSTALMENTS} instalments.", field="instalments")
    if any(part.on >= rows[min(first + count, len(rows)) - 1].due for part in account.disbursements):
        raise InvalidEvent("The last disbursement is before the last due date.", field="instalments")
    del rows[first + count :]
    while len(rows) < first + count:
        last = rows[-1]
        due = calendar.step(last.due, terms.frequency, terms.every, account.seed_day)
        rows.append(
            Instalment(number=last.number + 1, start=last.due, due=due, years=account.regular_years, target=last.target)
        )


def _move(account: Account, first: int, first_due: date) -> None:
    """Let the rows from `first` on fall due from `first_due`, on its day of the month."""
    rows, terms = account.rows, account.terms
    account.seed_day = first_due.day
    regular = rows[first].due == first_due
    if not regular:
        rows[first].years = calendar.thirty_factor(rate=(1, 1), from_date=rows[first].start, due_date=first_due)
    for offset, row in enumerate(rows[first:]):
        row.due = calendar.step(first_due, terms.frequency, terms.every * offset, first_due.day)
        if offset:
            row.start, row.years = rows[first + offset - 1].due, account.regular_years
