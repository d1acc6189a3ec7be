"""A loan from the application to its last instalment, with every entry on the ledger's accounts."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest

from identity.models import User
from loans import queries, services, verification
from loans.models import Application, Loan, LoanProduct, Movement
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account
from tests.loans.factories import (
    TODAY,
    applied,
    books,
    customer_with_a_past,
    end_of,
    live_until,
    noon,
    post,
    running_loan,
)
from tests.payments.factories import PIN, posted

pytestmark = pytest.mark.django_db


def right() -> list[str]:
    return [str(found) for found in verification.verify()]


def test_lends_to_a_customer_whose_books_carry_it(alice: User) -> None:
    account = customer_with_a_past(alice)
    application = applied(alice, account)

    assert application.status == Application.Status.APPROVED
    decision = queries.last_decision(application)
    assert decision.officer is None
    assert decision.inputs["affordability"]["seen_income_minor"] == 3_000_00
    assert decision.inputs["affordability"]["seen_obligations_minor"] == 500_00
    assert decision.score == sum(line["points"] for line in decision.inputs["score"]["lines"])
    before = posted(account)

    loan = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())

    assert loan.status == Loan.Status.ACTIVE
    assert posted(account) - before == 6_000_00 - 60_00
    assert books() == {"1200": -6_000_00, "4110": 60_00}
    assert right() == []
    rows = queries.instalments_of(loan)
    assert sum(row.principal_minor for row in rows) == 6_000_00
    assert rows[0].due_date == date(2026, 4, 2)
    assert loan.next_due_date == date(2026, 4, 2)


def test_accepting_twice_pays_out_once(alice: User) -> None:
    account = customer_with_a_past(alice)
    application = applied(alice, account)
    first = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())
    again = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())

    assert first == again
    assert books()["1200"] == -6_000_00


def test_accrues_each_day_and_collects_on_the_due_date(alice: User) -> None:
    loan = running_loan(alice)
    account = loan.account
    first = queries.instalments_of(loan)[0]
    before = posted(account)

    live_until(date(2026, 3, 31))
    loan.refresh_from_db()
    assert loan.accrued_to == date(2026, 3, 31)
    assert 0 < loan.interest_balance_minor < first.interest_minor
    assert books()["1210"] == -loan.interest_balance_minor
    assert right() == []

    live_until(date(2026, 4, 3), since=date(2026, 4, 1))

    loan.refresh_from_db()
    assert posted(account) == before - first.total_minor
    assert loan.next_due_date == date(2026, 5, 2)
    assert loan.principal_balance_minor == 6_000_00 - first.principal_minor
    assert books()["4210"] == first.interest_minor + loan.interest_balance_minor
    assert loan.collections.get().outcome == "COLLECTED"
    assert right() == []
    assert OutboxEvent.objects.filter(user=alice, kind="loan_instalment_due").count() == 1


def test_checks_what_was_booked_ahead_of_the_clock(alice: User) -> None:
    running_loan(alice)

    end_of(date(2090, 1, 2))

    assert right() == []


def test_runs_to_its_end_and_closes(alice: User) -> None:
    loan = running_loan(alice, amount="3000.00", instalments=6)
    post(loan.account, 4_000_00, on=TODAY, text="Savings")

    live_until(date(2026, 9, 3))

    loan.refresh_from_db()
    assert loan.status == Loan.Status.CLOSED
    assert loan.owed_minor == 0
    rows = queries.instalments_of(loan)
    assert all(row.unpaid_minor == 0 for row in rows)
    interest = sum(row.interest_minor for row in rows)
    assert books() == {"4110": 30_00, "4210": interest}
    assert right() == []
    assert OutboxEvent.objects.filter(user=alice, kind="loan_closed").count() == 1


def test_a_day_done_twice_changes_nothing(alice: User) -> None:
    loan = running_loan(alice)
    live_until(date(2026, 4, 2))
    before = (books(), posted(loan.account), Movement.objects.count())

    end_of(date(2026, 4, 2))

    assert (books(), posted(loan.account), Movement.objects.count()) == before


def test_days_that_were_missed_are_made_up(alice: User, bob: User) -> None:
    loan = running_loan(alice)
    end_of(date(2026, 3, 20))
    loan.refresh_from_db()
    one_by_one = running_loan(bob)
    live_until(date(2026, 3, 20))
    one_by_one.refresh_from_db()

    assert loan.interest_balance_minor == one_by_one.interest_balance_minor
    assert right() == []


def test_collects_in_part_then_the_rest_when_there_is_money(alice: User) -> None:
    loan = running_loan(alice)
    account = loan.account
    post(account, -(posted(account) - 100_00), on=TODAY, text="Holiday", kind="withdrawal")

    live_until(date(2026, 4, 2))

    loan.refresh_from_db()
    due = queries.instalments_of(loan)[0]
    assert loan.collections.get().outcome == "PARTIAL"
    assert posted(account) == 0
    assert due.paid_minor == 100_00
    live_until(date(2026, 4, 3), since=date(2026, 4, 3))
    assert loan.collections.get(day=date(2026, 4, 3)).outcome == "FAILED"
    post(account, 3_000_00, on=date(2026, 4, 4), text="Salary")
    live_until(date(2026, 4, 5), since=date(2026, 4, 4))

    loan.refresh_from_db()
    assert loan.days_past_due == 0
    assert loan.worst_days_past_due > 0
    assert queries.instalments_of(loan)[0].unpaid_minor == 0
    assert right() == []


def empty(loan: Loan) -> None:
    post(loan.account, -posted(loan.account), on=TODAY, text="Holiday", kind="withdrawal")


def test_a_loan_that_is_not_paid_becomes_non_performing_and_is_written_off(alice: User, lender: User) -> None:
    loan = running_loan(alice)
    empty(loan)
    live_until(date(2026, 7, 1))

    loan.refresh_from_db()
    assert loan.days_past_due == 90
    assert loan.non_performing_since == date(2026, 7, 1)
    assert loan.penalty_balance_minor > 0
    assert books()["2310"] == loan.suspended_minor == loan.interest_balance_minor
    assert "4210" not in books()
    assert books()["1290"] == loan.allowance_minor == 3_600_00
    assert right() == []

    live_until(date(2026, 7, 10), since=date(2026, 7, 2))
    loan.refresh_from_db()
    assert "4210" not in books()
    owed, allowance, suspended = loan.owed_minor, loan.allowance_minor, loan.suspended_minor

    services.write_off(actor=lender, loan_id=loan.pk, reason="Cannot be found", now=noon(date(2026, 7, 11)))

    loan.refresh_from_db()
    assert loan.status == Loan.Status.WRITTEN_OFF
    assert loan.written_off_minor >= owed
    lost = loan.written_off_minor - (suspended + loan.written_off_minor - owed) - allowance
    assert books()["5210"] == -lost
    assert not {"1200", "1210", "1220", "1290", "2310"} & books().keys()
    assert right() == []

    post(loan.account, 500_00, on=date(2026, 7, 12), text="From a friend")
    client_id = uuid4()
    for _ in range(2):
        services.recover(
            actor=alice, loan_id=loan.pk, amount="200.00", client_id=client_id, now=noon(date(2026, 7, 12))
        )
    assert books()["4290"] == 200_00
    assert right() == []
    with pytest.raises(services.TooMuch):
        services.recover(
            actor=alice, loan_id=loan.pk, amount="90000.00", client_id=uuid4(), now=noon(date(2026, 7, 12))
        )


def test_paying_all_arrears_brings_suspended_interest_back_as_income(alice: User) -> None:
    loan = running_loan(alice)
    empty(loan)
    live_until(date(2026, 7, 1))
    post(loan.account, 5_000_00, on=date(2026, 7, 2), text="Bonus")

    services.pay_due(actor=alice, loan_id=loan.pk, client_id=uuid4(), now=noon(date(2026, 7, 2)))
    end_of(date(2026, 7, 2))

    loan.refresh_from_db()
    assert (loan.days_past_due, loan.non_performing_since, loan.suspended_minor) == (0, None, 0)
    assert "2310" not in books()
    paid = sum(row.paid_interest_minor for row in queries.instalments_of(loan))
    assert books()["4210"] == paid + loan.interest_balance_minor
    assert books()["1290"] == round(loan.principal_balance_minor * 0.005)
    assert right() == []


def test_an_extra_payment_does_what_was_shown_before(alice: User) -> None:
    loan = running_loan(alice)
    live_until(date(2026, 4, 9))
    now = noon(date(2026, 4, 10))
    loan.refresh_from_db()
    shown = services.what_if(loan=loan, amount="2000.00", now=now)

    services.repay(actor=alice, loan_id=loan.pk, amount="2000.00", client_id=uuid4(), now=now)

    loan.refresh_from_db()
    rows = [row for row in queries.instalments_of(loan) if row.unpaid_minor]
    assert shown.end_after == rows[-1].due_date < shown.end_before
    assert shown.left_after == len(rows)
    assert shown.interest_saved.amount_minor > 0
    assert right() == []
    live_until(date(2026, 5, 3), since=date(2026, 4, 10))
    assert right() == []


def test_the_quoted_pay_off_closes_the_loan(alice: User) -> None:
    loan = running_loan(alice)
    post(loan.account, 5_000_00, on=TODAY, text="Bonus")
    live_until(date(2026, 4, 19))
    loan.refresh_from_db()
    quote = services.payoff_quote(loan=loan, day=date(2026, 4, 20)).total
    client_id = uuid4()

    with pytest.raises(services.QuoteChanged):
        services.pay_off(
            actor=alice, loan_id=loan.pk, quoted_minor=quote, client_id=client_id, now=noon(date(2026, 4, 21))
        )
    for _ in range(2):
        services.pay_off(
            actor=alice, loan_id=loan.pk, quoted_minor=quote, client_id=client_id, now=noon(date(2026, 4, 20))
        )

    loan.refresh_from_db()
    assert loan.status == Loan.Status.CLOSED
    assert set(books()) == {"4110", "4210"}
    assert right() == []
    with pytest.raises(services.LoanClosed):
        services.repay(actor=alice, loan_id=loan.pk, amount="1.00", client_id=uuid4(), now=noon(date(2026, 4, 22)))


def test_withdrawing_in_time_returns_the_fee(alice: User) -> None:
    account = customer_with_a_past(alice)
    before = posted(account)
    loan = running_loan(alice, account)
    live_until(TODAY + timedelta(days=4))

    loan = services.cancel(actor=alice, loan_id=loan.pk, now=noon(TODAY + timedelta(days=5)))

    assert loan.status == Loan.Status.CANCELLED
    interest = books()["4210"]
    assert books() == {"4210": interest}
    assert posted(account) == before - interest
    assert right() == []


def test_the_fee_is_paid_from_what_was_lent(alice: User) -> None:
    customer_with_a_past(alice)
    empty = open_test_account(alice, "WAL-EUR", "1.00", now=noon())

    loan = running_loan(alice, empty)

    fee = services.arrangement_fee(loan).amount_minor
    assert fee > 1_00
    assert posted(empty) == 1_00 + 6_000_00 - fee
    assert right() == []


def test_a_day_before_the_loan_books_nothing_on_it(alice: User) -> None:
    loan = running_loan(alice)
    end_of(TODAY - timedelta(days=1))
    assert set(loan.movements.values_list("kind", flat=True)) == {Movement.Kind.DISBURSEMENT}
    end_of(TODAY)
    assert Movement.Kind.PROVISION in loan.movements.values_list("kind", flat=True)
    assert right() == []


def test_withdrawing_too_late_is_refused(alice: User) -> None:
    loan = running_loan(alice)
    with pytest.raises(services.CoolingOffOver):
        services.cancel(actor=alice, loan_id=loan.pk, now=noon(TODAY + timedelta(days=15)))


@pytest.mark.parametrize("basis", ["PLANNED", "ACTUAL"])
@pytest.mark.parametrize("prepayment", ["REDUCE_TERM", "REDUCE_INSTALMENT", "NEXT_INSTALMENTS"])
def test_the_product_says_what_interest_is_and_what_an_extra_payment_does(
    alice: User, basis: str, prepayment: str
) -> None:
    """Late, extra, and to the end: the books are right on every one of these days."""
    terms = {"interest_basis": basis, "prepayment": prepayment, "payoff_interest": "TO_PERIOD_END"}
    LoanProduct.objects.filter(pk="PERSONAL").update(**terms)
    loan = running_loan(alice)
    assert {name: loan.terms[name] for name in terms} == terms
    first = queries.instalments_of(loan)[0].total_minor
    live_until(date(2026, 3, 20))
    services.repay(actor=alice, loan_id=loan.pk, amount="1500.00", client_id=uuid4(), now=noon(date(2026, 3, 21)))
    assert right() == []
    live_until(date(2026, 5, 3), since=date(2026, 3, 21))
    assert right() == []
    row = queries.instalments_of(loan)[0]
    assert row.unpaid_minor == 0
    assert prepayment != "NEXT_INSTALMENTS" or row.total_minor <= first

    quote = services.payoff_quote(loan=Loan.objects.get(pk=loan.pk), day=date(2026, 5, 10)).total
    post(loan.account, 6_000_00, on=date(2026, 5, 4), text="From a friend")
    services.pay_off(actor=alice, loan_id=loan.pk, quoted_minor=quote, client_id=uuid4(), now=noon(date(2026, 5, 10)))

    loan.refresh_from_db()
    assert (loan.status, loan.owed_minor, right()) == (Loan.Status.CLOSED, 0, [])


def test_every_kind_of_fee_penalty_and_grace_comes_from_the_product(alice: User) -> None:
    LoanProduct.objects.filter(code="PERSONAL").update(
        method="FIXED_INSTALMENT",
        fixed_instalment_percent="2.5",
        interest_grace=1,
        arrangement_fee_percent=0,
        arrangement_fee_minor=25_00,
        instalment_fee_basis="INSTALMENT",
        instalment_fee_percent="2",
        penalty_basis="FLAT",
        penalty_minor=15_00,
        penalty_percent=0,
        payoff_interest="TO_PERIOD_END",
    )

    loan = running_loan(alice)

    terms = queries.terms_of(loan)
    assert terms.instalment_amount_minor == 150_00
    assert (terms.penalty.amount_minor, terms.penalty.basis.value) == (15_00, "FLAT")
    assert books()["4110"] == 25_00
    rows = queries.instalments_of(loan)
    # The first interest comes with the second instalment, on top of 150.00; the last takes the rest.
    assert (rows[0].interest_minor, rows[1].interest_minor > rows[2].interest_minor) == (0, True)
    assert [row.principal_minor + row.interest_minor for row in rows[2:11]] == [150_00] * 9
    assert rows[2].fee_minor == 3_00
    assert rows[-1].principal_minor > 4_000_00
    post(loan.account, -posted(loan.account), on=TODAY, text="Holiday", kind="withdrawal")
    live_until(date(2026, 4, 9))
    loan.refresh_from_db()
    assert loan.penalty_balance_minor == 15_00
    assert right() == []


def test_pays_nothing_twice_for_one_wish(alice: User) -> None:
    loan = running_loan(alice)
    client_id = uuid4()
    first = services.repay(actor=alice, loan_id=loan.pk, amount="50.00", client_id=client_id, now=noon())
    again = services.repay(actor=alice, loan_id=loan.pk, amount="50.00", client_id=client_id, now=noon())

    assert (first.replayed, again.replayed) == (False, True)
    assert first.event == again.event
    assert books()["1200"] == -5_950_00
    with pytest.raises(services.ClientIdReused):
        services.repay(actor=alice, loan_id=loan.pk, amount="51.00", client_id=client_id, now=noon())


def test_refuses_more_than_is_owed_or_there(alice: User, charlie: User) -> None:
    loan = running_loan(alice)
    with pytest.raises(services.TooMuch) as refused:
        services.repay(actor=alice, loan_id=loan.pk, amount="6000.01", client_id=uuid4(), now=noon())
    assert refused.value.data == {"payoff_minor": 6_000_00}
    with pytest.raises(services.NothingDue):
        services.pay_due(actor=alice, loan_id=loan.pk, client_id=uuid4(), now=noon())
    with pytest.raises(services.UnknownLoan):
        services.repay(actor=charlie, loan_id=loan.pk, amount="5.00", client_id=uuid4(), now=noon())


def test_a_refused_payment_leaves_nothing_half_booked(alice: User) -> None:
    loan = running_loan(alice)
    empty(loan)
    before = (books(), loan.events.count(), Movement.objects.count())
    with pytest.raises(services.NotEnoughMoney):
        services.repay(actor=alice, loan_id=loan.pk, amount="700.00", client_id=uuid4(), now=noon())
    assert (books(), loan.events.count(), Movement.objects.count()) == before


def test_two_officers_make_another_plan(alice: User, lender: User, second_lender: User) -> None:
    loan = running_loan(alice)
    live_until(date(2026, 4, 3))
    now = noon(date(2026, 4, 10))
    proposal = services.propose(
        actor=lender,
        loan_id=loan.pk,
        instalments=24,
        annual_rate=None,
        first_due_date=None,
        reason="Fewer hours",
        now=now,
    )
    with pytest.raises(services.SecondOfficerNeeded):
        services.answer(actor=lender, restructure_id=proposal.pk, approved=True, reason="Fine", now=now)

    services.answer(actor=second_lender, restructure_id=proposal.pk, approved=True, reason="Fine", now=now)

    loan.refresh_from_db()
    rows = queries.instalments_of(loan)
    assert len(rows) == 25
    assert rows[1].total_minor < rows[0].total_minor
    assert sum(row.principal_minor for row in rows) == 6_000_00
    assert right() == []
    live_until(date(2026, 5, 3), since=date(2026, 4, 10))
    assert right() == []


def test_the_checks_find_what_was_changed(alice: User, as_owner) -> None:
    loan = running_loan(alice)
    live_until(TODAY + timedelta(days=3))
    Loan.objects.filter(pk=loan.pk).update(interest_balance_minor=1)

    found = right()

    assert any("balances" in text for text in found)
    assert any("replay" in text for text in found)
