"""Every page of the portal has no violation that axe finds, light on a desktop and dark on a phone.

`portal_pages.py` lists them. A new address that is in none of its lists fails the first test.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from common.errors import TooMany
from fraud.rules.facts import Outcome
from identity import services as identity
from identity.models import User
from identity.permissions import Role
from kyc import services as kyc
from loans import queries
from loans import services as loans
from notifications import queries as notifications
from notifications.models import MailboxMessage
from payments import services as payments
from payments.models import BulkFile
from tests.accounts.factories import open_test_account
from tests.browser import steps
from tests.browser.addresses import address, routes
from tests.browser.axe import Visitor
from tests.browser.portal_pages import (
    EMPTY,
    FOR_EVERYBODY,
    FORMS_OF_A_CUSTOMER,
    NO_PAGE,
    OF_A_BORROWER,
    OF_A_CUSTOMER,
    OF_A_DORMANT_ACCOUNT,
    OF_AN_APPLICANT,
    OF_AN_ASKING_CUSTOMER,
    ON_ITS_OWN,
    WITH_A_SECOND_FACTOR,
)
from tests.conftest import make_user
from tests.kyc import helpers
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.loans.factories import referred
from tests.payments import bulk
from tests.payments.factories import PIN, give_pin, held_payment, pay, verdict

pytestmark = pytest.mark.django_db(transaction=True)


def portal_routes() -> set[str]:
    return {name for name, route in routes().items() if not route.startswith(("admin/", "api/"))}


def test_no_page_is_left_out() -> None:
    listed = [
        *FOR_EVERYBODY,
        *EMPTY,
        *OF_AN_APPLICANT,
        *OF_A_CUSTOMER,
        *OF_A_DORMANT_ACCOUNT,
        *WITH_A_SECOND_FACTOR,
        *OF_A_BORROWER,
        *OF_AN_ASKING_CUSTOMER,
        *ON_ITS_OWN,
    ]
    visited = {name.partition("?")[0] for name in listed}
    assert visited | set(NO_PAGE) == portal_routes()
    assert not visited & set(NO_PAGE)


def test_pages_for_everybody(new_page: Callable[..., Any], alice: User) -> None:
    unconfirmed = EmailAddress.objects.create(user=alice, email="alice@home.example", verified=False, primary=False)
    confirmation = EmailConfirmationHMAC(unconfirmed)
    confirmation.send()
    things = {
        "key": confirmation.key,
        "message_id": MailboxMessage.objects.get(recipient=unconfirmed.email).pk,
        "uidb36": user_pk_to_url_str(alice),
    }
    reset = {**things, "key": default_token_generator.make_token(alice)}
    visitor = Visitor(new_page)
    visitor.visit([name for name in FOR_EVERYBODY if name != "account_reset_password_from_key"], things)
    visitor.visit(["account_reset_password_from_key"], reset)
    # Links that somebody used already.
    visitor.visit(["account_confirm_email", "account_reset_password_from_key"], {**things, "key": "no-more"})
    assert visitor.found == []


def test_pages_of_somebody_who_has_nothing(new_page: Callable[..., Any], charlie: User) -> None:
    visitor = Visitor(new_page)
    steps.sign_in(visitor.page, charlie)
    visitor.visit(EMPTY, {"channel": "portal"})
    assert visitor.found == []


@pytest.mark.usefixtures("in_process")
def test_pages_of_an_applicant(new_page: Callable[..., Any], charlie: User, bob: User, officer: User) -> None:
    visitor = Visitor(new_page)
    steps.sign_in(visitor.page, charlie)
    application = helpers.draft(charlie)
    visitor.visit(["kyc:personal", "kyc:documents"])
    for kind in helpers.COLORS:
        helpers.upload(charlie, application, kind)
    visitor.visit(["kyc:documents", "kyc:review"])
    kyc.submit(actor=charlie, application_id=application.pk, now=timezone.now())
    visitor.visit(["kyc:status"])
    kyc.reject(
        actor=officer,
        application_id=application.pk,
        kind="RETRY",
        public_reason="The letter is cut off.",
        internal_comment="Looks edited.",
        now=timezone.now(),
    )
    visitor.visit(["kyc:status"])
    assert visitor.found == []


def test_pages_of_a_customer(new_page: Callable[..., Any], alice: User, bob: User) -> None:
    give_pin(alice)
    now = timezone.now()
    long_ago = now - timedelta(days=9)
    account, bobs = open_test_account(alice, now=long_ago), open_test_account(bob, now=long_ago)
    savings = open_test_account(alice, "SAV-EUR", "500.00")
    # Far enough apart that nobody takes them for a rush.
    completed = [pay(alice, account, bobs, "1.00", now=long_ago + timedelta(hours=2 * each)) for each in range(1, 21)]
    with verdict(Outcome.BLOCKED):
        refused = pay(alice, account, bobs, "3.00", now=now - timedelta(hours=2))
    held = held_payment(alice, account, bobs)
    incoming = pay(bob, bobs, account, "7.00")
    steps.relay_messages()
    review = payments.review_transfer(
        actor=alice,
        debit_account_id=account.pk,
        payee_number=bobs.number,
        payee_name="Somebody Else",
        amount="12.50",
        now=now,
    )
    payee = payments.save_payee(actor=alice, name="Robert Baker", number=bobs.number, pin=PIN, now=now)
    draft = payments.draft_standing_order(
        actor=alice,
        debit_account_id=account.pk,
        credit_account_id=savings.pk,
        amount="5.00",
        unit="MONTH",
        first_date=now.date(),
        now=now,
    )
    order = payments.make_standing_order(draft=draft, pin=PIN, now=now)
    firm = open_test_account(alice, "BUS-EUR", "2000.00")
    files = {name: bulk_file(firm, bobs) for name in ("checked", "waiting", "paid")}
    bulk.confirmed(files["waiting"])
    bulk.paid(files["paid"])
    things = {
        "bulk_id": files["checked"].pk,
        "account_id": account.pk,
        "product_code": "CUR-EUR",
        "payment_id": held.pk,
        "review_id": review.pk,
        "payee_id": payee.pk,
        "order_id": order.pk,
        "channel": "portal",
    }
    visitor = Visitor(new_page)
    steps.sign_in(visitor.page, alice)
    visitor.visit(OF_A_CUSTOMER, things)
    asleep = {"status": "DORMANT", "dormant_at": now, "dormancy_warned_at": now}
    Account.objects.filter(pk=savings.pk).update(**asleep)
    visitor.visit(OF_A_DORMANT_ACCOUNT, {"account_id": savings.pk})
    for payment in (completed[0], refused, incoming):
        visitor.visit(["payments:receipt"], {"payment_id": payment.pk})
    visitor.visit(["accounts:detail", "accounts:close"], {"account_id": savings.pk})
    for name in ("waiting", "paid"):
        visitor.visit(["payments:bulk_file"], {"bulk_id": files[name].pk})
    assert visitor.found == []


def bulk_file(firm: Account, payee: Account) -> BulkFile:
    """Rows of every kind that the check tells apart by colour."""
    unknown = ("Nobody", "BP00000000000000", "1.00", "")
    return bulk.checked(firm, [bulk.to(payee, "1.00", "Rent"), ("Else", payee.number, "2.00", "Else"), unknown])


def test_pages_of_loans(new_page: Callable[..., Any], alice: User) -> None:
    """From the draft over the offer to the running loan and its last way back."""
    give_pin(alice)
    account, now = open_test_account(alice, "CUR-EUR", "5000.00"), timezone.now()
    lender = make_user("lender@bank.example", Role.LENDING)
    visitor = Visitor(new_page)
    steps.sign_in(visitor.page, alice)
    loans.save_wish(actor=alice, product_code="PERSONAL", amount="2000", instalments=12, purpose="", now=now)
    visitor.visit(["loans:loans", "loans:apply", "loans:apply_means"])
    application = referred(alice, account, now=now)
    visitor.visit(["loans:loans", "loans:application"], {"loan_application_id": application.pk})
    loans.approve(actor=lender, application_id=application.pk, reason="Pay slips seen", now=now)
    visitor.visit(["loans:loans", "loans:application"], {"loan_application_id": application.pk})
    loan = loans.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=now)
    visitor.visit([*OF_A_BORROWER, "loans:cancel"], {"loan_id": loan.pk})
    loans.save_wish(actor=alice, product_code="VEHICLE", amount="3000", instalments=24, purpose="", now=now)
    again = queries.open_application(alice)
    loans.save_means(
        actor=alice,
        application_id=again.pk,
        account_id=account.pk,
        employment="EMPLOYED",
        income="5000",
        obligations="0",
        now=now,
    )
    visitor.visit(["loans:apply_review"])
    loans.cancel(actor=alice, loan_id=loan.pk, now=now)
    visitor.visit(["loans:loan", "loans:payoff"], {"loan_id": loan.pk})
    assert visitor.found == []


def test_pages_of_a_second_factor(new_page: Callable[..., Any], alice: User) -> None:
    TOTP.activate(alice, generate_totp_secret())
    RecoveryCodes.activate(alice)
    visitor = Visitor(new_page)
    steps.sign_in(visitor.page, alice)
    visitor.visit(WITH_A_SECOND_FACTOR)
    assert visitor.found == []


def test_the_question_for_the_second_factor(new_page: Callable[..., Any], alice: User) -> None:
    TOTP.activate(alice, generate_totp_secret())
    visitor = Visitor(new_page)
    steps.fill_in_login(visitor.page, alice.email)
    steps.at(visitor.page, "mfa_authenticate")
    visitor.look("mfa_authenticate")
    assert visitor.found == []


def test_the_page_for_a_first_password(new_page: Callable[..., Any], alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    visitor = Visitor(new_page)
    steps.sign_in(visitor.page, alice)
    visitor.visit(["account_set_password"])
    assert visitor.found == []


def test_letters(new_page: Callable[..., Any], alice: User) -> None:
    """A letter's own page can run nothing, and so not axe either: the letter is shown on an empty page instead."""
    give_pin(alice)
    steps.relay_messages()
    letter = MailboxMessage.objects.get(recipient=alice.email)
    visitor = Visitor(new_page)
    visitor.page.set_content(letter.html)
    visitor.look("notifications:mailbox_html")
    assert visitor.found == []


@pytest.mark.usefixtures("in_process")
def test_refused_forms(new_page: Callable[..., Any], alice: User, charlie: User) -> None:
    """Forms that are sent with nothing in them: their errors are as readable as the forms."""
    visitor = Visitor(new_page, answers=(422,))
    send_empty(visitor, ["account_login", "account_signup", "account_reset_password"])
    give_pin(alice)
    account, savings = open_test_account(alice), open_test_account(alice, "SAV-EUR", "500.00")
    review = payments.review_own_transfer(
        actor=alice, debit_account_id=account.pk, credit_account_id=savings.pk, amount="5.00", now=timezone.now()
    )
    held = held_payment(alice, account, open_test_account(make_user("payee@example.com", Role.CUSTOMER)))
    things = {"product_code": "CUR-EUR", "review_id": review.pk, "channel": "api", "payment_id": held.pk}
    steps.sign_in(visitor.page, alice)
    send_empty(visitor, FORMS_OF_A_CUSTOMER, things)
    helpers.draft(charlie)
    steps.sign_in(visitor.page, charlie)
    send_empty(visitor, ["kyc:personal", "kyc:documents"])
    assert visitor.found == []


def send_empty(visitor: Visitor, names: list[str], things: dict[str, Any] | None = None) -> None:
    for name in names:
        visitor.page.goto(address(name, things or {}))
        form = visitor.page.locator("main form[method=post]").first
        form.locator("details").evaluate_all("folds => folds.forEach(fold => { fold.open = true })")
        for control in form.locator("input:not([type=hidden]):not([type=radio]):not([type=file])").all():
            control.fill("")
        form.locator("button[type=submit]").first.click()
        visitor.page.locator("[aria-invalid=true], .form-errors, [data-error-summary]").first.wait_for()
        visitor.look(f"{name}, refused")


FAILURES: dict[int, Exception] = {
    400: SuspiciousOperation(),
    403: PermissionDenied(),
    404: Http404(),
    500: RuntimeError("made by a test"),
    503: OperationalError("made by a test"),
}


def test_error_pages(new_page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(new_page, answers=tuple(FAILURES))
    for status, failure in FAILURES.items():
        monkeypatch.setattr(notifications, "mailbox", Mock(side_effect=failure))
        assert visitor.page.goto(reverse("notifications:mailbox")).status == status
        visitor.look(str(status))
    assert visitor.found == []


def test_the_page_for_too_many_tries(
    new_page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    monkeypatch.setattr(identity, "guard_sign_in", Mock(side_effect=TooMany(data={"retry_after": 60})))
    visitor = Visitor(new_page, answers=(429,))
    steps.fill_in_login(visitor.page, alice.email)
    assert steps.heading(visitor.page) == "That was a little fast"
    visitor.look("429")
    assert visitor.found == []
