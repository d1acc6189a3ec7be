"""What a customer and a compliance officer do in the browser, from the login form to the decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account
from fraud.models import Case
from identity.models import User
from payments.models import Payment, Status
from tests.accounts.factories import open_test_account
from tests.browser.conftest import sign_in
from tests.conftest import PASSWORD
from tests.payments.factories import PIN, give_pin, held, posted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alices(alice: User) -> Account:
    give_pin(alice)
    return open_test_account(alice, "CUR-EUR", "20000.00")


def log_in(page: Any, user: User) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("E-mail address").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**" + reverse("insights:dashboard"))


def transfer(page: Any, payee: Account, amount: str) -> Payment:
    """Fill the form, read the review, confirm with the PIN; the page ends on the receipt."""
    page.goto(reverse("payments:transfer"))
    page.get_by_label("Payee's name").fill(payee.owner.full_name)
    page.get_by_label("Payee's account number").fill(payee.number)
    page.locator("input[name=amount]").fill(amount)
    page.get_by_role("button", name="Review the transfer").click()
    assert page.get_by_role("heading", name="Review your payment").is_visible()
    assert page.get_by_text("The name matches the account").is_visible()
    page.locator("input[name=pin]").fill(PIN)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/activity/**")
    return Payment.objects.get(pk=page.url.rstrip("/").rsplit("/", 1)[-1])


def decide(page: Any, payment: Payment, decision: str) -> None:
    """An officer opens the case's page in the back office, follows its button and confirms with a reason."""
    case = Case.objects.get(subject_kind="payment", subject_id=payment.pk)
    page.goto(reverse("admin:fraud_case_change", args=[case.pk]))
    page.locator(f"a[href*='/{decision}/']").first.click()
    page.locator("[name=reason]").fill("We called the customer and asked about this payment.")
    page.locator("form:has([name=reason]) button[type=submit]").click()
    page.wait_for_url(lambda url: f"/{decision}/" not in url)


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_log_in_and_pay(
    new_page: Callable[..., Any], alice: User, bob: User, alices: Account, javascript: bool
) -> None:
    bobs = open_test_account(bob, "CUR-EUR", "100.00")
    page = new_page(javascript=javascript)
    log_in(page, alice)
    payment = transfer(page, bobs, "20.00")
    assert "You sent" in page.locator("h1").inner_text()
    assert payment.status == Status.COMPLETED
    assert (posted(alices), posted(bobs)) == (1_998_000, 12_000)


@pytest.mark.parametrize(
    ("decision", "status", "heading", "alice_has", "payee_has"),
    [
        ("release", Status.COMPLETED, "You sent", 1_998_000 - 900_000, 10_000 + 900_000),
        ("decline", Status.REFUSED, "This payment was refused", 1_998_000, 10_000),
    ],
)
def test_an_officer_decides_an_unusual_payment(
    new_page: Callable[..., Any],
    alice: User,
    bob: User,
    charlie: User,
    officer: User,
    alices: Account,
    decision: str,
    status: str,
    heading: str,
    alice_has: int,
    payee_has: int,
) -> None:
    bobs, charlies = open_test_account(bob, "CUR-EUR", "100.00"), open_test_account(charlie, "CUR-EUR", "100.00")
    page, office = new_page(), new_page()
    sign_in(page, alice)
    sign_in(office, officer)
    transfer(page, bobs, "20.00")
    payment = transfer(page, charlies, "9000.00")
    assert "We are looking at this payment" in page.locator("h1").inner_text()
    assert (payment.status, held(alices)) == (Status.HELD, 900_000)
    decide(office, payment, decision)
    page.reload()
    assert heading in page.locator("h1").inner_text()
    payment.refresh_from_db()
    assert payment.status == status
    assert (posted(alices), posted(charlies), held(alices)) == (alice_has, payee_has, 0)
