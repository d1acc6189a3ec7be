"""A stranger becomes a customer, opens an account and pays; an officer looks at the person and at the payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from identity.models import User
from kyc.models import State
from payments.models import Status
from tests.accounts.factories import open_test_account
from tests.browser import steps
from tests.payments.factories import held, posted

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "Nora Newcomer"


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
def test_from_sign_up_to_a_released_transfer(
    new_page: Callable[..., Any], bob: User, officer: User, javascript: bool
) -> None:
    """Without scripts the officer still uses them: the back office needs Alpine."""
    page, office = new_page(javascript=javascript), new_page()
    # One address gets one letter in three minutes, and the cache remembers earlier runs.
    email = f"nora-{uuid4().hex}@example.com"
    nora = steps.sign_up(page, email, NAME)
    steps.log_in(page, email)
    steps.set_pin(page)
    application = steps.apply_for_identity_check(page, NAME)
    steps.log_in_at_the_back_office(office, officer)
    steps.open_application(office, application)
    steps.decide_application(office, application, "approve", reason="Face, card and letter agree.")
    page.reload()
    page.get_by_text("Your identity is confirmed").wait_for()
    application.refresh_from_db()
    assert (application.state, application.decided_by) == (State.APPROVED, officer)

    noras = steps.open_account(page, "CUR-EUR", "2000.00")
    assert posted(noras) == 200_000
    bobs = open_test_account(bob, "CUR-EUR", "100.00")
    first = steps.transfer(page, bobs, "5.00")
    assert (first.status, steps.heading(page)) == (Status.COMPLETED, "You sent €5.00")
    # More than three times the most she ever sent, and she never paid Charlie: a rule wants a person to look.
    second = steps.pay_somebody_new(page)
    assert (second.status, steps.heading(page)) == (Status.HELD, "We are looking at this payment")
    assert (posted(noras), held(noras)) == (199_500, 90_000)

    receipt = page.url
    steps.decide_payment(office, second, "release", "She confirmed it on the phone.")
    steps.relay_messages()
    page.goto(receipt)
    assert steps.heading(page) == "You sent €900.00"
    second.refresh_from_db()
    assert (second.status, posted(noras), held(noras)) == (Status.COMPLETED, 109_500, 0)
    assert "Your transfer of €900.00 to Charlie Cole has left" in steps.message_titles(page)
    decisions = AuditEvent.objects.filter(actor=officer).values_list("action", flat=True)
    assert {"kyc.approved", "fraud.case_released"} <= set(decisions)
    assert nora.pk == noras.owner_id
