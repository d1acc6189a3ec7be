"""Who gets a loan, who has to be looked at, who is declined, and by whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError, ProgrammingError

from identity.errors import PermissionMissing
from identity.models import User
from loans import queries, services
from loans.models import Application, Decision, LoanProduct
from tests.accounts.factories import open_test_account
from tests.loans.factories import applied, customer_with_a_past, draft, noon
from tests.payments.factories import PIN

pytestmark = pytest.mark.django_db


def codes(application: Application) -> list[str]:
    return [code for code, _ in queries.last_decision(application).reasons]


def test_the_draft_resumes(alice: User) -> None:
    account = customer_with_a_past(alice)
    first = draft(alice, account)
    second = services.save_wish(
        actor=alice, product_code="VEHICLE", amount="9000", instalments=24, purpose="", now=noon()
    )

    assert first.pk == second.pk
    assert queries.open_application(alice).product_id == "VEHICLE"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": "0"}, "invalid_amount"),
        ({"amount": "-5"}, "invalid_amount"),
        ({"amount": "999.99"}, "loan_amount_out_of_range"),
        ({"amount": "50000.01"}, "loan_amount_out_of_range"),
        ({"instalments": 5}, "loan_term_out_of_range"),
        ({"instalments": 85}, "loan_term_out_of_range"),
        ({"product_code": "YACHT"}, "unknown_loan_product"),
    ],
)
def test_refuses_what_the_product_does_not_lend(alice: User, change: dict[str, Any], error: str) -> None:
    wish = {"product_code": "PERSONAL", "amount": "5000", "instalments": 12, "purpose": "", **change}
    with pytest.raises(services.AmountOutOfRange.__mro__[2]) as refused:
        services.save_wish(actor=alice, now=noon(), **wish)
    assert refused.value.error_code == error
    assert not Application.objects.exists()


def test_asks_for_what_is_missing(alice: User) -> None:
    customer_with_a_past(alice)
    application = services.save_wish(
        actor=alice, product_code="PERSONAL", amount="5000", instalments=12, purpose="", now=noon()
    )
    with pytest.raises(services.Incomplete) as refused:
        services.submit(actor=alice, application_id=application.pk, now=noon())
    assert refused.value.field == "account"


def test_asks_who_somebody_is_first(charlie: User) -> None:
    application = services.save_wish(
        actor=charlie, product_code="PERSONAL", amount="5000", instalments=12, purpose="", now=noon()
    )
    with pytest.raises(services.KycRequired):
        services.submit(actor=charlie, application_id=application.pk, now=noon())


def test_income_that_is_not_seen_is_looked_at(alice: User) -> None:
    application = applied(alice, customer_with_a_past(alice, salary=0))

    assert application.status == Application.Status.REFERRED
    assert "income_unseen" in codes(application)


def test_the_lower_income_counts(alice: User) -> None:
    application = applied(alice, customer_with_a_past(alice), income="9000.00")

    figures = queries.last_decision(application).inputs["affordability"]
    assert (figures["declared_income_minor"], figures["income_minor"]) == (9_000_00, 3_000_00)


def test_a_burden_too_high_is_declined_with_its_reason(alice: User) -> None:
    application = applied(alice, customer_with_a_past(alice, rent=1_500_00), amount="20000.00")

    assert application.status == Application.Status.DECLINED
    assert codes(application)[0] == "burden"
    with pytest.raises(services.NotPossibleNow):
        services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())


def test_a_new_customer_is_not_approved_by_the_policy(bob: User) -> None:
    account = open_test_account(bob, "CUR-EUR", "50.00", now=noon() - timedelta(days=3))
    application = applied(bob, account)

    assert application.status in (Application.Status.REFERRED, Application.Status.DECLINED)


def test_an_officer_approves_what_was_referred(alice: User, lender: User) -> None:
    application = applied(alice, customer_with_a_past(alice, salary=0))

    application = services.approve(
        actor=lender, application_id=application.pk, reason="Pay slips seen", now=noon() + timedelta(hours=1)
    )

    assert application.status == Application.Status.APPROVED
    assert application.first_approver == lender
    assert queries.last_decision(application).outcome == Decision.Outcome.APPROVE


def test_above_the_limit_a_second_officer_approves(alice: User, lender: User, second_lender: User) -> None:
    account = customer_with_a_past(alice, salary=9_000_00)
    application = applied(alice, account, product="HOME", amount="120000.00", instalments=240, income="9000.00")
    assert "amount" in codes(application)

    first = services.approve(actor=lender, application_id=application.pk, reason="Solid", now=noon())
    assert first.status == Application.Status.REFERRED
    with pytest.raises(services.SecondOfficerNeeded):
        services.approve(actor=lender, application_id=application.pk, reason="Solid", now=noon())
    second = services.approve(actor=second_lender, application_id=application.pk, reason="Agreed", now=noon())

    assert second.status == Application.Status.APPROVED
    assert (second.first_approver, second.second_approver) == (lender, second_lender)


def test_nobody_decides_an_own_loan(lender: User) -> None:
    application = applied(lender, customer_with_a_past(lender))
    assert "staff" in codes(application)
    with pytest.raises(services.OwnDecision):
        services.approve(actor=lender, application_id=application.pk, reason="I am good", now=noon())
    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(first_approver=lender)


def test_only_lending_decides(alice: User, teller: User, lender: User) -> None:
    application = applied(alice, customer_with_a_past(alice, salary=0))
    with pytest.raises(PermissionMissing):
        services.approve(actor=teller, application_id=application.pk, reason="Nice", now=noon())
    with pytest.raises(services.ReasonRequired):
        services.decline(actor=lender, application_id=application.pk, reason=" ", told="No", now=noon())

    services.decline(
        actor=lender, application_id=application.pk, reason="Thin file", told="Your income varies.", now=noon()
    )

    with pytest.raises(services.NotPossibleNow):
        services.approve(actor=lender, application_id=application.pk, reason="After all", now=noon())
    application.refresh_from_db()
    assert application.status == Application.Status.DECLINED


def test_the_database_guards_states_figures_and_decisions(alice: User) -> None:
    application = applied(alice, customer_with_a_past(alice))
    for change in ({"status": "DRAFT"}, {"status": "DECLINED"}, {"amount_minor": 1}):
        with pytest.raises((ProgrammingError, InternalError, IntegrityError)), transaction.atomic():
            Application.objects.filter(pk=application.pk).update(**change)
    with pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
        Decision.objects.update(score=100)


def test_an_offer_runs_out(alice: User) -> None:
    application = applied(alice, customer_with_a_past(alice))
    later = noon() + timedelta(days=15)
    with pytest.raises(services.OfferExpired):
        services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=later)

    assert services.expire_offers(now=later) == 1
    application.refresh_from_db()
    assert application.status == Application.Status.EXPIRED


def test_a_changed_product_leaves_the_offer_and_the_loan_alone(alice: User) -> None:
    application = applied(alice, customer_with_a_past(alice))
    LoanProduct.objects.filter(code="PERSONAL").update(annual_rate="19.90", penalty_percent="9.00")
    LoanProduct.objects.get(code="PERSONAL").bands.all().delete()

    loan = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())

    assert loan.annual_rate == application.offered_rate < 10
    assert str(queries.terms_of(loan).penalty.percent) == "2.00"
