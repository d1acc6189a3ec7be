"""What a payment is spent on: any order of the twelve against a naive reference, its words, and the product that says it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.models import User
from loans.models import LoanProduct
from loans.rules.events import Event, EventType
from loans.rules.parsing import parse_terms, read_allocation
from loans.rules.servicing import Serviced, service
from loans.rules.spending import PRESETS, Preset, default_order, in_words
from loans.rules.terms import Part
from tests.loans.conftest import fields
from tests.loans.factories import running_loan

Login = Callable[[User], Client]
NAMES = {"PRINCIPAL": "principal", "INTEREST": "interest", "FEE": "fees", "PENALTY": "penalties"}
Open = list[dict[str, int]]
PRODUCT = "/admin/loans/loanproduct/PERSONAL/change/"


def loan_of(order: list[str], **more: Any) -> Any:
    """Ten instalments from 28 February 2026 with fees, and penalties for late ones."""
    fees = [{"timing": "INSTALMENT", "basis": "FLAT", "amount": "3"}]
    late = {"basis": "FLAT", "amount": "7", "grace_days": 1}
    return parse_terms(fields(instalments=10, fees=fees, penalty=late, allocation=order, **more))


def unpaid(loan: Serviced) -> Open:
    return [
        {part: getattr(row.due, name) - getattr(row.paid, name) for part, name in NAMES.items()} for row in loan.rows
    ]


def spend_slowly(order: list[str], rows: Open, dues: list[date], on: date, amount: int) -> Open:
    """The reference: cent by cent to the first place of the order that has something open, then instalment by instalment."""
    left = [dict(row) for row in rows]
    following = next((index for index, due in enumerate(dues) if due > on and sum(rows[index].values())), None)
    ahead = [place.split(":")[1] for place in order if place.startswith("IN_ADVANCE")]
    places = []
    for place in order:
        when, part = place.split(":")
        for index, due in enumerate(dues):
            fits = {"PAST_DUE": due < on, "DUE": due == on, "IN_ADVANCE": index == following}[when]
            places += [(index, part)] if fits else []
    places += [(index, part) for index, due in enumerate(dues) if due > on for part in ahead]
    for index, part in places:
        taken = min(amount, left[index][part])
        left[index][part] -= taken
        amount -= taken
    assert amount == 0
    return left


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.permutations(default_order()),
    st.lists(st.tuples(st.integers(0, 55), st.integers(1, 900)), min_size=1, max_size=4),
    st.booleans(),
)
def test_any_order_is_what_the_slow_reference_gives(
    order: list[str], payments: list[tuple[int, int]], on_due_dates: bool
) -> None:
    terms, on = loan_of(order, principal="900"), date(2026, 2, 20)
    charge = Event(on=on, type=EventType.CHARGE, part=Part.PENALTY, amount_minor=5_00)
    events = [charge]
    for days, share in payments:
        on += timedelta(days=days)
        if on_due_dates:
            on = next((due for due in terms.due_dates if due >= on), on)
        before = service(terms=terms, events=events, as_of=on)
        rows, dues = unpaid(before), [row.due_date for row in before.rows]
        owed = sum(row["PRINCIPAL"] for row in rows)
        amount = owed * share // 1000
        if not amount:
            break
        events.append(Event(on=on, type=EventType.REPAYMENT, amount_minor=amount))

        after = service(terms=terms, events=events, as_of=on)

        assert unpaid(after) == spend_slowly(order, rows, dues, on, amount)


def test_the_reference_knows_another_order() -> None:
    """A control: an order turned round spends a payment on something else."""
    order, on = default_order(), date(2026, 2, 28)
    before = service(terms=loan_of(order), events=[], as_of=on)
    paid = Event(on=on, type=EventType.REPAYMENT, amount_minor=50_00)
    other = service(terms=loan_of(order[::-1]), events=[paid], as_of=on)
    dues = [row.due_date for row in before.rows]
    assert unpaid(other) != spend_slowly(order, unpaid(before), dues, on, 50_00)


def test_by_part_pays_all_penalties_before_any_interest() -> None:
    """One instalment past due, the next one running with a charge of 5.00: 12.00 go to both penalties."""
    charge = Event(on=date(2026, 3, 3), type=EventType.CHARGE, part=Part.PENALTY, amount_minor=5_00)
    paid = Event(on=date(2026, 3, 3), type=EventType.REPAYMENT, amount_minor=12_50)
    rows = {
        preset: service(terms=loan_of(PRESETS[preset]), events=[charge, paid], as_of=paid.on).rows
        for preset in (Preset.BY_PART, Preset.CHARGES_FIRST)
    }
    by_part, by_time = rows[Preset.BY_PART], rows[Preset.CHARGES_FIRST]
    assert [(row.paid.penalties, row.paid.fees, row.paid.interest) for row in by_part[:2]] == [
        (7_00, 50, 0),
        (5_00, 0, 0),
    ]
    assert [(row.paid.penalties, row.paid.fees, row.paid.interest) for row in by_time[:2]] == [
        (7_00, 3_00, 2_50),
        (0, 0, 0),
    ]


def test_paying_ahead_twice_loses_no_interest() -> None:
    """Interest on what is owed: the row after one that is paid ahead earns from that day on, whatever is paid later."""
    terms = loan_of(default_order(), interest_basis="ACTUAL")
    first = service(terms=terms, events=[], as_of=date(2026, 2, 10)).rows[0].due.total
    ahead = Event(on=date(2026, 2, 10), type=EventType.REPAYMENT, amount_minor=first)
    more = Event(on=date(2026, 2, 20), type=EventType.REPAYMENT, amount_minor=1)

    once = service(terms=terms, events=[ahead], as_of=ahead.on)
    twice = service(terms=terms, events=[ahead, more], as_of=more.on)

    assert once.rows[1].due.interest - twice.rows[1].due.interest in (0, 1)


def test_an_order_has_its_words() -> None:
    times = "what is past due, what is due today, then what comes next"
    kinds = "penalties, fees, interest, then principal"
    assert in_words(read_allocation(PRESETS[Preset.CHARGES_FIRST], "order")) == f"{times}; of each, {kinds}"
    assert in_words(read_allocation(PRESETS[Preset.BY_PART], "order")) == f"{kinds}; of each, {times}"
    mixed = read_allocation([*default_order()[1:], default_order()[0]], "order")
    assert in_words(mixed).startswith("fees past due, interest past due,")
    assert in_words(mixed).endswith(", then penalties past due")


@pytest.mark.django_db
def test_a_loan_keeps_the_order_it_was_agreed_with(alice: User) -> None:
    order = PRESETS[Preset.BY_PART]
    LoanProduct.objects.filter(pk="PERSONAL").update(allocation=order)
    loan = running_loan(alice)
    LoanProduct.objects.filter(pk="PERSONAL").update(allocation=default_order())
    loan.refresh_from_db()
    assert loan.terms["allocation"] == order


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [[], default_order()[1:], [*default_order()[1:], "DUE:FEE"], [*default_order(), "DUE:FEE"]]
)
def test_the_database_keeps_each_of_the_twelve_once(wrong: list[str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LoanProduct.objects.filter(pk="PERSONAL").update(allocation=wrong)


@pytest.fixture
def form(administrator: User, login: Login) -> tuple[Client, dict[str, Any]]:
    """The product's form as a browser without JavaScript sends it back."""
    client = login(administrator)
    page = client.get(PRODUCT)
    shown = page.context["adminform"].form
    values = {name: shown[name].value() for name in shown.fields if name != "allocation"}
    inline = page.context["inline_admin_formsets"][0].formset
    data = {name: "" if value is None else value for name, value in values.items() if value is not False}
    data |= {f"{inline.prefix}-TOTAL_FORMS": "0", f"{inline.prefix}-INITIAL_FORMS": "0", "allocation_0": ""}
    return client, data | {f"allocation_{place}": str(place) for place in range(1, 13)}


@pytest.mark.django_db
def test_the_form_takes_a_ready_order_or_twelve_places(form: tuple[Client, dict[str, Any]]) -> None:
    client, data = form
    product = LoanProduct.objects.get(pk="PERSONAL")
    page = client.get(PRODUCT).content.decode()
    assert 'name="allocation_12" value="12"' in page.replace("\n", " ")

    assert client.post(PRODUCT, {**data, "allocation_0": "BY_PART", "allocation_1": "9"}).status_code == 302
    product.refresh_from_db()
    assert product.allocation == PRESETS[Preset.BY_PART]

    swapped = {"allocation_1": "2", "allocation_2": "1"}
    assert client.post(PRODUCT, {**data, **swapped}).status_code == 302
    product.refresh_from_db()
    assert product.allocation == ["PAST_DUE:FEE", "PAST_DUE:PENALTY", *default_order()[2:]]

    for wrong in ({"allocation_1": "2"}, {"allocation_1": ""}, {"allocation_1": "13"}, {"allocation_1": "x"}):
        answer = client.post(PRODUCT, {**data, **wrong})
        assert (answer.status_code, "office-order" in answer.content.decode()) == (200, True), wrong
    product.refresh_from_db()
    assert product.allocation[0] == "PAST_DUE:FEE"


@pytest.mark.django_db
def test_who_only_looks_reads_the_order_in_words(lender: User, login: Login) -> None:
    page = login(lender).get(PRODUCT).content.decode()
    assert "of each, penalties, fees, interest, then principal" in page
