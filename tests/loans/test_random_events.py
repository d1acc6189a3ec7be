"""Random lives of random loans: whatever happens, the parts add up."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loans.errors import InvalidEvent
from loans.rules.events import Event, EventType
from loans.rules.parsing import parse_terms
from loans.rules.schedule import make_schedule
from loans.rules.servicing import Serviced, Status, payoff_quote, service
from loans.rules.terms import Part, Terms
from tests.loans.test_random_terms import loans

EXTRAS = st.fixed_dictionaries(
    {
        "interest_basis": st.sampled_from(["PLANNED", "ACTUAL"]),
        "prepayment": st.sampled_from(["REDUCE_INSTALMENT", "REDUCE_TERM", "NEXT_INSTALMENTS"]),
        "payoff_interest": st.sampled_from(["TO_DATE", "TO_PERIOD_END"]),
        "segment_rounding": st.sampled_from(["EACH", "PERIOD"]),
        "fees": st.sampled_from([[], [{"timing": "INSTALMENT", "basis": "INSTALMENT", "percent": "1.5"}]]),
        "penalty": st.sampled_from([None, {"basis": "PRINCIPAL_AND_INTEREST", "percent": "2", "grace_days": 3}]),
    }
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from(["PAY", "PAY", "PAY", "CHARGE", "RESCHEDULE", "MORATORIUM", "DISBURSEMENT"]),
        st.integers(1, 1000),
    ),
    max_size=8,
)


def assert_adds_up(loan: Serviced) -> None:
    """No part is negative or overpaid; what the rows hold as paid is what the payments were spent on."""
    for row in loan.rows:
        assert min(*row.due, *row.paid, row.outstanding) >= 0, row
        assert all(paid <= due for due, paid in zip(row.due, row.paid, strict=True)), str(row)
    assert loan.rows[-1].outstanding == 0
    for part in ("principal", "interest", "fees", "penalties"):
        paid = sum(getattr(row.paid, part) for row in loan.rows)
        assert paid == sum(getattr(payment.parts, part) for payment in loan.payments)
    if loan.status is not Status.WRITTEN_OFF:
        due = sum(row.due.total for row in loan.rows)
        assert loan.balance_minor == due - sum(payment.parts.total for payment in loan.payments)


def live(terms: Terms, steps: list[tuple[int, str, int]]) -> list[Event]:
    """The events that a loan of these terms accepts: payments are a share of the pay-off, in thousandths."""
    events: list[Event] = []
    on = terms.disbursements[-1].on
    for days, kind, share in steps:
        on += timedelta(days=days)
        owed = payoff_quote(terms=terms, events=events, on=on).total
        amount = max(owed * share // 2000, 1)
        if not owed:
            break
        event = {
            "PAY": lambda on=on, amount=amount: Event(on=on, type=EventType.REPAYMENT, amount_minor=amount),
            "CHARGE": lambda on=on: Event(on=on, type=EventType.CHARGE, part=Part.FEE, amount_minor=500),
            "RESCHEDULE": lambda on=on, share=share: Event(
                on=on, type=EventType.RESCHEDULE, instalments=share % 12 + 1
            ),
            "DISBURSEMENT": lambda on=on, share=share: Event(
                on=on, type=EventType.DISBURSEMENT, amount_minor=share * 100
            ),
            "MORATORIUM": lambda on=on, share=share: Event(on=on, type=EventType.MORATORIUM, instalments=share % 3 + 1),
        }[kind]()
        try:
            loan = service(terms=terms, events=[*events, event], as_of=on)
        except InvalidEvent:
            # FLAT, nothing left to change, or paid in advance.
            assert kind in ("RESCHEDULE", "MORATORIUM", "DISBURSEMENT")
            continue
        assert_adds_up(loan)
        events.append(event)
        later = sum(each.amount_minor or 0 for each in events if each.type is EventType.DISBURSEMENT)
        assert sum(row.due.principal for row in loan.rows) == terms.principal_minor + later
        if loan.status is Status.CLOSED:
            break
    return events


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(loans(), EXTRAS, STEPS)
def test_whatever_happens_the_parts_add_up_and_the_pay_off_closes_the_loan(
    values: dict[str, Any], extras: dict[str, Any], steps: list[tuple[int, str, int]]
) -> None:
    terms = parse_terms(values | {name: value for name, value in extras.items() if value})
    events = live(terms, steps)
    on = max([event.on for event in events], default=terms.disbursements[-1].on) + timedelta(days=11)
    before = service(terms=terms, events=events, as_of=on)
    if before.status is Status.CLOSED:
        return

    quote = payoff_quote(terms=terms, events=events, on=on)
    lost = service(terms=terms, events=[*events, Event(on=on, type=EventType.WRITE_OFF)], as_of=on)
    assert lost.written_off.principal == quote.principal
    assert_adds_up(lost)
    if quote.total:
        paid = Event(on=on, type=EventType.PAYOFF, amount_minor=quote.total)
        closed = service(terms=terms, events=[*events, paid], as_of=on)
        assert (closed.status, closed.balance_minor) == (Status.CLOSED, 0)
        assert closed.payments[-1].parts == quote
        assert_adds_up(closed)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(loans(), EXTRAS)
def test_before_anything_happens_the_running_loan_is_its_schedule(
    values: dict[str, Any], extras: dict[str, Any]
) -> None:
    terms = parse_terms(values | {name: value for name, value in extras.items() if value})
    made = make_schedule(terms=terms)

    loan = service(terms=terms, events=[], as_of=terms.start_date)

    assert [
        (row.due_date, row.due.principal, row.due.interest, row.due.fees, row.outstanding) for row in loan.rows
    ] == [(row.due_date, row.principal, row.interest, row.fees, row.outstanding) for row in made.rows]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(loans().filter(lambda values: len(values["disbursements"]) == 2), EXTRAS)
def test_a_part_paid_out_later_leads_to_the_schedule_that_was_planned_with_it(
    values: dict[str, Any], extras: dict[str, Any]
) -> None:
    values |= {name: value for name, value in extras.items() if value} | {"interest_basis": "PLANNED"}
    planned = make_schedule(terms=parse_terms(values))
    first, second = planned.terms.disbursements
    event = Event(on=second.on, type=EventType.DISBURSEMENT, amount_minor=second.amount_minor)

    begun = parse_terms(values | {"disbursements": values["disbursements"][:1]})
    loan = service(terms=begun, events=[event], as_of=second.on)

    assert [
        (row.due_date, row.due.principal, row.due.interest, row.due.fees, row.outstanding) for row in loan.rows
    ] == [(row.due_date, row.principal, row.interest, row.fees, row.outstanding) for row in planned.rows]
    assert begun.disbursements == (first,)


def test_the_checks_see_a_loan_that_does_not_add_up() -> None:
    """A control for assert_adds_up: a payment that no row knows about is noticed."""
    terms = parse_terms(
        {
            "principal": "100",
            "start_date": "2026-01-01",
            "method": "EQUAL_PRINCIPAL",
            "annual_rate": "5",
            "instalments": 2,
        }
    )
    event = Event(on=date(2026, 2, 1), type=EventType.REPAYMENT, amount_minor=1000)
    loan = service(terms=terms, events=[event], as_of=event.on)
    broken = Serviced(
        as_of=loan.as_of, status=loan.status, rows=loan.rows, payments=loan.payments * 2,
        written_off=loan.written_off, balance_minor=loan.balance_minor, days_past_due=loan.days_past_due,
    )  # fmt: skip

    try:
        assert_adds_up(broken)
    except AssertionError:
        return
    raise RuntimeError("assert_adds_up let a doubled payment pass")
