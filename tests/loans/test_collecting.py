"""How a loan is collected: which days are tries, in part or not, and that the loan keeps what it agreed on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from identity.models import User
from loans import queries, services, verification
from loans.models import Loan, LoanProduct
from loans.rules.collecting import Collecting
from tests.loans.factories import TODAY, applied, customer_with_a_past, end_of, live_until, noon, post, running_loan
from tests.payments.factories import PIN, posted

FIRST_DUE = date(2026, 4, 2)
in_the_bank = pytest.mark.django_db


@pytest.mark.parametrize(
    ("retries", "retry_days", "tried"),
    [(0, 1, [0]), (3, 1, [0, 1, 2, 3]), (2, 5, [0, 5, 10]), (1, 31, [0, 31])],
)
def test_the_days_of_the_tries(retries: int, retry_days: int, tried: list[int]) -> None:
    agreed = Collecting(partial=True, retries=retries, retry_days=retry_days)
    assert [days for days in range(-3, 60) if agreed.tries_on(days)] == tried


@pytest.mark.parametrize(
    ("partial", "retries", "retry_days", "words"),
    [
        (True, 10, 1, "we take what is there and try again every day, up to 10 times."),
        (False, 3, 4, "we take nothing and try again every 4 days, up to 3 times."),
        (True, 1, 1, "we take what is there and try once more the next day."),
        (True, 1, 6, "we take what is there and try once more after 6 days."),
        (False, 0, 1, "we take nothing and wait for you to pay the rest, or for the next instalment's day."),
    ],
)
def test_says_how_it_collects(partial: bool, retries: int, retry_days: int, words: str) -> None:
    told = Collecting(partial=partial, retries=retries, retry_days=retry_days).words
    assert told == f"We take each instalment from your account on its day. If there is not enough, {words}"


def spend_all(loan: Loan, *, but: int = 0) -> None:
    post(loan.account, but - posted(loan.account), on=TODAY, text="Holiday", kind="withdrawal")


def tries(loan: Loan) -> list[tuple[date, str]]:
    return list(loan.collections.order_by("day").values_list("day", "outcome"))


@in_the_bank
def test_tries_as_often_as_agreed_and_anew_with_the_next_instalment(alice: User) -> None:
    LoanProduct.objects.filter(pk="PERSONAL").update(retries=2, retry_days=3)
    loan = running_loan(alice)
    # A product that changes later changes nothing of it.
    LoanProduct.objects.filter(pk="PERSONAL").update(retries=50, retry_days=1)
    spend_all(loan)

    live_until(date(2026, 5, 4))

    assert tries(loan) == [
        (FIRST_DUE, "FAILED"),
        (FIRST_DUE + timedelta(days=3), "FAILED"),
        (FIRST_DUE + timedelta(days=6), "FAILED"),
        (date(2026, 5, 2), "FAILED"),
    ]
    post(loan.account, 3_000_00, on=date(2026, 5, 4), text="Salary")
    end_of(date(2026, 5, 5))
    loan.refresh_from_db()
    assert tries(loan)[-1] == (date(2026, 5, 5), "COLLECTED")
    assert (loan.next_due_date, list(verification.verify())) == (date(2026, 6, 2), [])


@in_the_bank
@pytest.mark.parametrize(("partial", "outcome", "left"), [(True, "PARTIAL", 0), (False, "FAILED", 100_00)])
def test_takes_what_is_there_only_where_agreed(alice: User, partial: bool, outcome: str, left: int) -> None:
    LoanProduct.objects.filter(pk="PERSONAL").update(takes_partial=partial)
    loan = running_loan(alice)
    spend_all(loan, but=100_00)

    live_until(FIRST_DUE)

    assert tries(loan) == [(FIRST_DUE, outcome)]
    assert posted(loan.account) == left
    assert list(verification.verify()) == []


@in_the_bank
def test_what_was_offered_holds_when_it_is_accepted(alice: User) -> None:
    LoanProduct.objects.filter(pk="PERSONAL").update(takes_partial=False, retries=4, retry_days=7, cooling_off_days=20)
    application = applied(alice, customer_with_a_past(alice))
    LoanProduct.objects.filter(pk="PERSONAL").update(takes_partial=True, retries=0, retry_days=1, cooling_off_days=0)

    loan = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())

    assert loan.collecting == Collecting(partial=False, retries=4, retry_days=7)
    assert loan.cooling_off_until == TODAY + timedelta(days=20)
    assert queries.terms_of(loan).instalments == 12


@in_the_bank
def test_an_offer_from_before_goes_by_the_product(alice: User) -> None:
    application = applied(alice, customer_with_a_past(alice))
    known = application.offered_terms
    application.offered_terms = {name: known[name] for name in known if name not in ("collecting", "cooling_off_days")}
    application.save()
    LoanProduct.objects.filter(pk="PERSONAL").update(retries=7)

    loan = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())

    assert loan.collecting == Collecting(partial=True, retries=7, retry_days=1)
