"""The customers' pages have no violations that axe finds, light on a desktop and dark on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from identity.models import User
from payments import services as payments
from tests.accounts.factories import open_test_account
from tests.browser.steps import sign_in
from tests.kyc.factories import ApplicationFactory
from tests.payments.factories import give_pin, held_payment, pay

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = [pytest.param(False, id="light-1280"), pytest.param(True, id="dark-390")]


def complaints(page: Any, paths: list[str]) -> list[str]:
    """What axe finds on each path; a path that does not answer 200 is a complaint as well."""
    found = []
    for path in paths:
        answer = page.goto(path)
        if answer.status != 200 or not page.url.endswith(path):
            found.append(f"{path} answered {answer.status} at {page.url}")
        for violation in Axe().run(page).response["violations"]:
            places = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
            found.append(f"{path}: {violation['id']} ({violation['help']}): {places}")
    return found


@pytest.mark.parametrize("phone", LOOKS)
def test_public_pages(new_page: Callable[..., Any], phone: bool) -> None:
    page = new_page(phone=phone, dark=phone)
    assert complaints(page, [reverse("landing"), reverse("account_login"), reverse("account_signup")]) == []


@pytest.mark.parametrize("phone", LOOKS)
def test_pages_of_a_customer(new_page: Callable[..., Any], alice: User, bob: User, phone: bool) -> None:
    give_pin(alice)
    account, bobs = open_test_account(alice), open_test_account(bob)
    completed, held = pay(alice, account, bobs), held_payment(alice, account, bobs)
    review = payments.review_transfer(
        actor=alice,
        debit_account_id=account.pk,
        payee_number=bobs.number,
        payee_name=bob.full_name,
        amount="12.50",
        now=timezone.now(),
    )
    page = new_page(phone=phone, dark=phone)
    sign_in(page, alice)
    found = complaints(
        page,
        [
            reverse("insights:dashboard"),
            reverse("accounts:list"),
            reverse("accounts:detail", args=[account.pk]),
            reverse("accounts:statement", args=[account.pk]),
            reverse("accounts:open"),
            reverse("payments:transfer"),
            reverse("payments:review", args=[review.pk]),
            reverse("payments:receipt", args=[completed.pk]),
            reverse("payments:receipt", args=[held.pk]),
            reverse("payments:history"),
            reverse("kyc:status"),
            reverse("notifications:list"),
            reverse("identity:profile"),
            reverse("identity:security"),
        ],
    )
    assert found == []


@pytest.mark.parametrize("phone", LOOKS)
def test_pages_of_an_applicant(new_page: Callable[..., Any], charlie: User, phone: bool) -> None:
    page = new_page(phone=phone, dark=phone)
    sign_in(page, charlie)
    assert complaints(page, [reverse("kyc:start"), reverse("identity:pin")]) == []
    ApplicationFactory(user=charlie)
    assert complaints(page, [reverse("kyc:personal"), reverse("kyc:documents")]) == []
