"""What happens to a loan after it is paid out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from loans.errors import InvalidEvent, LoanClosed
from loans.rules.events import parse_events
from loans.rules.parsing import parse_terms
from loans.rules.servicing import Amounts, Serviced, payoff_quote, replay, service
from tests.loans.conftest import WORKED, cents, fields, schedule

AFTER_EVENTS = [case for case in WORKED.values() if "events" in case]


def serviced(events: list[dict[str, Any]], as_of: str, **changes: Any) -> Serviced:
    terms = parse_terms(fields(**changes))
    return service(terms=terms, events=parse_events(events, currency="EUR"), as_of=date.fromisoformat(as_of))


def pay(on: str, amount: str) -> dict[str, Any]:
    return {"date": on, "type": "REPAYMENT", "amount": amount}


@pytest.mark.parametrize("case", AFTER_EVENTS, ids=[case["id"] for case in AFTER_EVENTS])
def test_reproduces_a_published_loan_after_events(case: dict[str, Any]) -> None:
    events = parse_events(case["events"], currency="EUR")
    loan = service(terms=parse_terms(case["terms"]), events=events, as_of=date.fromisoformat(case["as_of"]))

    found = [[row.number, row.due_date.isoformat(), *row.due, row.outstanding] for row in loan.rows]
    assert found == [[*row[:2], *(cents(amount) for amount in row[2:])] for row in case["rows"]]
    assert sum(row.due.total for row in loan.rows) == cents(case["totals"]["total"])
    assert sum(row.paid.total for row in loan.rows) == sum(cents(event["amount"]) for event in case["events"])


def test_a_late_payment_costs_interest_on_the_overdue_where_the_terms_follow_the_balance() -> None:
    planned = serviced([pay("2026-03-15", "200")], "2026-03-15", interest_basis="PLANNED")
    actual = serviced([pay("2026-03-15", "200")], "2026-03-15", interest_basis="ACTUAL")

    assert planned.rows[1].due.interest == 11_05
    assert actual.rows[1].due.interest > 11_05
    assert planned.days_past_due == 0


def test_a_partial_payment_leaves_the_rest_past_due() -> None:
    loan = serviced([pay("2026-02-28", "50.00")], "2026-03-05")

    # Interest before principal: 12.00 of it first.
    assert loan.payments[0].parts == Amounts(principal=38_00, interest=12_00)
    assert loan.days_past_due == 5
    assert loan.rows[0].paid.total == 50_00


def test_the_allocation_order_is_data() -> None:
    order = [
        f"{when}:{part}"
        for when in ("PAST_DUE", "DUE", "IN_ADVANCE")
        for part in ("PRINCIPAL", "INTEREST", "FEE", "PENALTY")
    ]

    loan = serviced([pay("2026-02-28", "50.00")], "2026-02-28", allocation=order)

    assert loan.payments[0].parts == Amounts(principal=50_00)


def test_spends_a_payment_on_charges_and_the_running_instalment_as_published() -> None:
    """Fineract, LoanRepayment.feature:1575: due penalty, fee, interest, principal; in advance principal first."""
    order = [f"{when}:{part}" for when in ("PAST_DUE", "DUE") for part in ("PENALTY", "FEE", "INTEREST", "PRINCIPAL")]
    order += [f"IN_ADVANCE:{part}" for part in ("PRINCIPAL", "PENALTY", "FEE", "INTEREST")]
    events = [
        {"date": "2023-01-15", "type": "CHARGE", "part": "PENALTY", "amount": "50"},
        {"date": "2023-01-15", "type": "CHARGE", "part": "PENALTY", "amount": "50"},
        {"date": "2023-01-15", "type": "CHARGE", "part": "FEE", "amount": "50"},
        pay("2023-01-15", "1180"),
    ]

    loan = serviced(
        events, "2023-01-15", method="FLAT", principal="3000", instalments=3, start_date="2023-01-01", allocation=order
    )

    assert loan.payments[0].parts == Amounts(principal=1000_00, interest=30_00, fees=50_00, penalties=100_00)
    assert sum(row.due.principal - row.paid.principal for row in loan.rows) == 2000_00


@pytest.mark.parametrize("basis", ["PLANNED", "ACTUAL"])
def test_an_excess_payment_lowers_the_instalment_the_term_or_the_next_instalments(basis: str) -> None:
    paid = [pay("2026-02-28", "506.62")]
    modes = ("REDUCE_INSTALMENT", "REDUCE_TERM", "NEXT_INSTALMENTS")
    lower, shorter, ahead = (serviced(paid, "2026-02-28", prepayment=mode, interest_basis=basis) for mode in modes)

    assert len(lower.rows) == 12
    assert lower.rows[1].due.total == 68_04
    assert len(shorter.rows) == 8
    assert shorter.rows[1].due.total == 106_62
    assert ahead.rows[3].paid.total == 106_62
    assert [loan.rows[-1].outstanding for loan in (lower, shorter, ahead)] == [0, 0, 0]


@pytest.mark.parametrize("basis", ["PLANNED", "ACTUAL"])
def test_a_prepayment_within_a_period_saves_interest_from_its_day(basis: str) -> None:
    loan = serviced(
        [pay("2026-02-28", "106.62"), pay("2026-03-15", "500")],
        "2026-03-15",
        prepayment="REDUCE_TERM",
        interest_basis=basis,
    )

    # 15 of 31 days on 1105.38, 16 on 605.38, each part rounded: 5.35 + 3.12.
    assert loan.rows[1].due.interest == 8_47
    assert loan.rows[1].due.principal == 500_00 + 106_62 - 8_47


def test_an_early_payment_carries_the_rest_of_the_interest_into_the_next_instalment() -> None:
    loan = serviced([pay("2026-02-14", "106.62")], "2026-02-14", interest_basis="ACTUAL")

    # 14 of 28 days on 1200.00; then 14 days of February and March on 1099.38.
    assert loan.rows[0].due.interest == 6_00
    assert loan.rows[1].due.interest == 5_50 + 10_99
    assert loan.rows[1].paid.total == 0


def test_the_pay_off_is_to_the_day_or_to_the_end_of_the_period() -> None:
    terms = {"to": parse_terms(fields()), "end": parse_terms(fields(payoff_interest="TO_PERIOD_END"))}

    quotes = {name: payoff_quote(terms=one, events=[], on=date(2026, 2, 14)) for name, one in terms.items()}

    assert quotes == {"to": Amounts(1200_00, 6_00), "end": Amounts(1200_00, 12_00)}


@pytest.mark.parametrize("method", ["FLAT", "EQUAL_INSTALMENT", "EQUAL_PRINCIPAL"])
@pytest.mark.parametrize("basis", ["PLANNED", "ACTUAL"])
def test_the_pay_off_includes_what_a_grace_held_back(method: str, basis: str) -> None:
    quote = payoff_quote(
        terms=parse_terms(fields(interest_grace=3, principal_grace=3, method=method, interest_basis=basis)),
        events=[],
        on=date(2026, 3, 31),
    )

    assert quote == Amounts(1200_00, 24_00)


def test_paying_the_quote_closes_the_loan_and_nothing_more_is_taken() -> None:
    events = [pay("2026-02-14", "1206.00")]
    loan = serviced(events, "2026-08-01", fees=[{"timing": "INSTALMENT", "basis": "FLAT", "amount": "2"}])

    assert loan.status == "CLOSED"
    assert loan.balance_minor == 0
    assert sum(row.due.interest for row in loan.rows) == 6_00
    assert sum(row.due.fees for row in loan.rows) == 0
    with pytest.raises(LoanClosed):
        serviced([*events, pay("2026-03-01", "1")], "2026-08-01")


def test_refuses_more_than_the_pay_off_and_says_what_it_is() -> None:
    with pytest.raises(InvalidEvent) as refused:
        serviced([pay("2026-02-14", "1206.01")], "2026-02-14")

    assert (refused.value.field, refused.value.data) == ("amount", {"payoff_minor": 1206_00})


def test_a_penalty_comes_once_after_its_days_of_grace() -> None:
    late = {"basis": "PRINCIPAL", "percent": "10", "grace_days": 3}

    on_time = serviced([], "2026-03-03", penalty=late)
    charged = serviced([], "2026-03-04", penalty=late)
    once = serviced([pay("2026-03-10", "20")], "2026-03-20", penalty=late)

    assert [row.due.penalties for row in on_time.rows[:2]] == [0, 0]
    assert [row.due.penalties for row in charged.rows[:2]] == [9_46, 0]
    assert once.rows[0].due.penalties == 9_46
    assert once.payments[0].parts == Amounts(interest=10_54, penalties=9_46)


def test_a_reschedule_changes_term_rate_and_day() -> None:
    longer = serviced([{"date": "2026-02-28", "type": "RESCHEDULE", "instalments": 23}], "2026-02-28")
    dearer = serviced([{"date": "2026-02-28", "type": "RESCHEDULE", "annual_rate": "24"}], "2026-02-28")
    moved = serviced([{"date": "2026-02-28", "type": "RESCHEDULE", "first_due_date": "2026-04-10"}], "2026-02-28")

    assert len(longer.rows) == 24
    assert longer.rows[1].due.total == 54_04
    assert longer.rows[-1].due_date == date(2028, 1, 31)
    assert dearer.rows[1].due.interest == 22_11
    assert [row.due_date.day for row in moved.rows[1:3]] == [10, 10]
    # 42 days of thirty-day months on 1105.38.
    assert moved.rows[1].due.interest == 15_48
    assert all(loan.rows[-1].outstanding == 0 for loan in (longer, dearer, moved))


@pytest.mark.parametrize("method", ["FLAT", "EQUAL_INSTALMENT", "EQUAL_PRINCIPAL"])
def test_a_moratorium_pauses_instalments_and_defers_their_interest(method: str) -> None:
    loan = serviced([{"date": "2026-02-28", "type": "MORATORIUM", "instalments": 2}], "2026-02-28", method=method)
    plain = schedule(method=method)

    assert [row.due.total for row in loan.rows if row.number in (2, 3)] == [0, 0]
    assert len(loan.rows) == 14
    assert [row.due.principal for row in loan.rows][3:] == [row.principal for row in plain.rows[1:]]
    extra = sum(row.due.interest for row in loan.rows) - plain.interest
    assert extra == (0 if method == "FLAT" else 2 * plain.rows[1].interest)


def test_a_write_off_says_what_was_lost_and_ends_the_loan() -> None:
    loan = serviced([pay("2026-02-28", "106.62"), {"date": "2026-03-31", "type": "WRITE_OFF"}], "2026-12-31")

    assert loan.status == "WRITTEN_OFF"
    assert loan.written_off == Amounts(1105_38, 11_05)
    assert (loan.balance_minor, loan.days_past_due) == (0, 0)
    with pytest.raises(LoanClosed):
        payoff_quote(
            terms=parse_terms(fields()),
            events=parse_events([{"date": "2026-03-31", "type": "WRITE_OFF"}], currency="EUR"),
            on=date(2026, 4, 1),
        )


@pytest.mark.parametrize(
    ("field", "event"),
    [
        ("date", {"date": "2026-01-30", "type": "REPAYMENT", "amount": "1"}),
        ("date", {"date": "2027-12-31", "type": "REPAYMENT", "amount": "1"}),
        ("events[0].date", {"date": "2026-02-30", "type": "REPAYMENT", "amount": "1"}),
        ("events[0].amount", {"date": "2026-02-28", "type": "REPAYMENT"}),
        ("events[0].amount", {"date": "2026-02-28", "type": "REPAYMENT", "amount": "0"}),
        ("events[0].amount", {"date": "2026-02-28", "type": "WRITE_OFF", "amount": "1"}),
        ("events[0].part", {"date": "2026-02-28", "type": "CHARGE", "amount": "1", "part": "INTEREST"}),
        ("events[0].instalments", {"date": "2026-02-28", "type": "RESCHEDULE"}),
        ("events[0].instalments", {"date": "2026-02-28", "type": "MORATORIUM", "instalments": 0}),
        ("events[0].first_due_date", {"date": "2026-02-28", "type": "RESCHEDULE", "first_due_date": "2026-02-28"}),
        ("events[0].type", {"date": "2026-02-28", "type": "GIFT"}),
        ("events[0].note", {"date": "2026-02-28", "type": "WRITE_OFF", "note": "x"}),
        ("amount", {"date": "2026-02-28", "type": "PAYOFF", "amount": "5"}),
        ("instalments", {"date": "2026-02-28", "type": "MORATORIUM", "instalments": 1200}),
    ],
)
def test_a_bad_event_gets_one_answer_that_names_the_field(field: str, event: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent) as refused:
        serviced([event], "2027-06-01")

    assert refused.value.field == field


def test_says_ahead_what_each_day_of_the_running_instalment_will_owe_in_interest() -> None:
    agreed = parse_terms(fields(day_count="ACTUAL/365", prepayment="REDUCE_TERM"))
    events = parse_events([pay("2026-03-10", "200")], currency="EUR")
    first = date(2026, 3, 12)

    ahead = replay(terms=agreed, events=events, as_of=first).interest_ahead(first)

    days = [first + timedelta(days=number) for number in range(len(ahead))]
    assert days[-1] == date(2026, 3, 31)
    assert ahead == [replay(terms=agreed, events=events, as_of=day).owed(day).interest for day in days]
    assert ahead[0] < ahead[-1]
