"""What an officer refuses in the back office, and what the customer then sees in the portal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from identity.models import User
from payments.models import Status
from tests.accounts.factories import open_test_account
from tests.browser import steps
from tests.payments.factories import give_pin, held, posted

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refused_identity_check_tells_why_and_may_be_tried_again(
    new_page: Callable[..., Any], charlie: User, officer: User
) -> None:
    page, office = new_page(), new_page()
    steps.sign_in(page, charlie)
    steps.sign_in(office, officer)
    application = steps.apply_for_identity_check(page, charlie.full_name)
    steps.open_application(office, application)
    steps.decide_application(
        office,
        application,
        "reject",
        kind="RETRY",
        public_reason="The letter is cut off. Please send all of it.",
        reason="Edges look edited, watch this one.",
    )
    page.reload()
    page.get_by_text("The letter is cut off. Please send all of it.").wait_for()
    steps.relay_messages()
    for path in (reverse("kyc:status"), reverse("notifications:list"), reverse("notifications:mailbox")):
        page.goto(path)
        assert "watch this one" not in page.content()
    page.goto(reverse("kyc:status"))
    steps.press(page, "Apply again")
    page.wait_for_url(re.compile(f"{reverse('kyc:personal')}$|{reverse('kyc:documents')}$"))


def test_a_declined_transfer_comes_back(new_page: Callable[..., Any], alice: User, bob: User, officer: User) -> None:
    give_pin(alice)
    alices, bobs = open_test_account(alice, "CUR-EUR", "20000.00"), open_test_account(bob, "CUR-EUR", "100.00")
    page, office = new_page(), new_page()
    steps.sign_in(page, alice)
    steps.sign_in(office, officer)
    steps.transfer(page, bobs, "20.00")
    payment = steps.pay_somebody_new(page)
    assert (payment.status, held(alices)) == (Status.HELD, 90_000)
    steps.decide_payment(office, payment, "decline", "The payee is on a list of ours.")
    steps.relay_messages()
    page.reload()
    assert steps.heading(page) == "This payment was refused"
    assert "on a list of ours" not in page.content()
    payment.refresh_from_db()
    assert (payment.status, posted(alices), held(alices)) == (Status.REFUSED, 1_998_000, 0)
    assert "We did not send your transfer of €900.00" in steps.message_titles(page)
    assert "on a list of ours" not in page.content()
