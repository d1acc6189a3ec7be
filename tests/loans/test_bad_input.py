"""What lending refuses: a clear answer each, in words that name the cause, and nothing half booked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Account
from identity.models import User
from loans import queries, services, verification
from loans.models import Application, Loan, LoanProduct, Movement
from loans.rules.parsing import parse_terms
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account
from tests.loans.factories import TODAY, books, customer_with_a_past, live_until, noon, post, referred, running_loan
from tests.payments.factories import posted

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
# The issue names six happenings that other systems wait for.
TOLD = {"loan_approved", "loan_disbursed", "loan_instalment_due", "loan_paid", "loan_overdue", "loan_closed"}


def told(user: User) -> dict[str, int]:
    kinds = OutboxEvent.objects.filter(user=user, kind__in=TOLD).values_list("kind", flat=True)
    return {kind: list(kinds).count(kind) for kind in set(kinds)}


def right() -> list[str]:
    return [str(found) for found in verification.verify()]


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"amount": "0"}, 422, "invalid_amount"),
        ({"amount": "-500.00"}, 422, "invalid_amount"),
        ({"amount": "0.001"}, 422, "invalid_amount"),
        ({"amount": "50000.01"}, 422, "loan_amount_out_of_range"),
        ({"instalments": 5}, 422, "loan_term_out_of_range"),
        ({"instalments": 85}, 422, "loan_term_out_of_range"),
        ({"instalments": 12.5}, 400, "validation_error"),
        ({"annual_rate": "100.01"}, 400, "validation_error"),
        ({"annual_rate": "-0.01"}, 400, "validation_error"),
        ({"later_parts": [{"after_months": 1, "amount": "500"}]}, 422, "invalid_tranches"),
        ({"later_parts": [{"after_months": 0, "amount": "500"}]}, 400, "validation_error"),
    ],
)
def test_a_wish_outside_the_product_says_what_is_wrong(api: Api, wish: dict[str, Any], status: int, code: str) -> None:
    body = {"product": "PERSONAL", "amount": "5000.00", "instalments": 12, **wish}

    answer = api(None).post("/api/v1/loans/quote", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_loan_at_rate_nought_is_paid_back_without_interest(alice: User) -> None:
    LoanProduct.objects.get(code="PERSONAL").bands.all().delete()
    LoanProduct.objects.filter(code="PERSONAL").update(annual_rate=0, arrangement_fee_percent=0)

    loan = running_loan(alice)

    assert (loan.annual_rate, loan.apr) == (Decimal(0), Decimal(0))
    assert [row.total_minor for row in queries.instalments_of(loan)] == [500_00] * 12
    live_until(date(2026, 4, 3))
    assert books() == {"1200": -5_500_00, "1290": 27_50, "5200": -27_50}
    assert right() == []


def test_a_loan_of_29_february_falls_due_on_the_29th_again(alice: User) -> None:
    fields = {**running_loan(alice).terms, "start_date": "2028-02-29", "instalments": 13}

    due = parse_terms(fields).due_dates
    assert (due[0], due[11], due[12]) == (date(2028, 3, 29), date(2029, 2, 28), date(2029, 3, 29))


def test_more_than_the_pay_off_is_refused_and_nothing_is_booked(alice: User) -> None:
    loan = running_loan(alice)
    post(loan.account, 9_000_00, on=TODAY, text="Savings")
    before = (posted(loan.account), Movement.objects.count())

    with pytest.raises(services.TooMuch) as refusal:
        services.repay(actor=alice, loan_id=loan.pk, amount="6000.01", client_id=uuid4(), now=noon())

    assert refusal.value.data == {"payoff_minor": 6_000_00}
    assert (posted(loan.account), Movement.objects.count()) == before


def test_a_closed_loan_takes_no_payment(alice: User) -> None:
    loan = running_loan(alice)
    post(loan.account, 9_000_00, on=TODAY, text="Savings")
    services.pay_off(actor=alice, loan_id=loan.pk, quoted_minor=6_000_00, client_id=uuid4(), now=noon())
    before = (posted(loan.account), Movement.objects.count())

    for act in (
        lambda: services.repay(actor=alice, loan_id=loan.pk, amount="10", client_id=uuid4(), now=noon()),
        lambda: services.pay_due(actor=alice, loan_id=loan.pk, client_id=uuid4(), now=noon()),
        lambda: services.what_if(loan=Loan.objects.get(pk=loan.pk), amount="10", now=noon()),
    ):
        with pytest.raises(services.LoanClosed):
            act()

    assert (posted(loan.account), Movement.objects.count()) == before
    assert told(alice)["loan_closed"] == 1


def test_an_account_that_cannot_pay_pays_nothing(alice: User) -> None:
    loan = running_loan(alice)
    post(loan.account, -(posted(loan.account) - 50_00), on=TODAY, text="Holiday", kind="withdrawal")
    before = Movement.objects.count()
    # More than there is, overdraft included.
    with pytest.raises(services.NotEnoughMoney):
        services.repay(actor=alice, loan_id=loan.pk, amount="5900", client_id=uuid4(), now=noon())
    Account.objects.filter(pk=loan.account_id).update(status="FROZEN")
    with pytest.raises(accounts.AccountFrozen):
        services.repay(actor=alice, loan_id=loan.pk, amount="10", client_id=uuid4(), now=noon())

    assert (posted(loan.account), Movement.objects.count()) == (50_00, before)
    live_until(date(2026, 4, 2))
    assert loan.collections.get().reason == "account_frozen"
    assert right() == []


def test_the_second_of_two_officers_deciding_finds_it_decided(alice: User, lender: User, second_lender: User) -> None:
    application = referred(alice, open_test_account(alice), now=timezone.now())
    deed = {"application_id": application.pk, "reason": "Pay slips seen", "now": timezone.now()}
    services.approve(actor=lender, **deed)

    with pytest.raises(services.NotPossibleNow) as refusal:
        services.decline(actor=second_lender, told="Your income varies.", **deed)

    assert refusal.value.data == {"status": "APPROVED"}
    application.refresh_from_db()
    assert application.status == Application.Status.APPROVED
    assert application.decisions.filter(officer__isnull=False).count() == 1
    assert told(alice) == {"loan_approved": 1}


def test_each_happening_of_a_loan_is_told_once(alice: User) -> None:
    account = customer_with_a_past(alice, salary=3_000_00)
    loan = running_loan(alice, account, amount="3000.00", instalments=6)
    post(account, -posted(account), on=TODAY, text="Holiday", kind="withdrawal")
    live_until(date(2026, 4, 3))
    assert told(alice) == {"loan_approved": 1, "loan_disbursed": 1, "loan_instalment_due": 1, "loan_overdue": 1}

    post(account, 9_000_00, on=date(2026, 4, 4), text="Found again")
    live_until(date(2026, 4, 4), since=date(2026, 4, 4))
    live_until(date(2026, 4, 4), since=date(2026, 4, 4))
    assert told(alice)["loan_paid"] == 1
    quoted = services.payoff_quote(loan=Loan.objects.get(pk=loan.pk), day=date(2026, 4, 5)).total
    services.pay_off(actor=alice, loan_id=loan.pk, quoted_minor=quoted, client_id=uuid4(), now=noon(date(2026, 4, 5)))
    live_until(date(2026, 4, 5) + timedelta(days=30), since=date(2026, 4, 5))

    assert told(alice) == dict.fromkeys(TOLD, 1)
    assert right() == []
