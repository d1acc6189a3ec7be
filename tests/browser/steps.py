"""What people do in the browser, step by step. Each step ends where the next one begins, and asserts that it got there."""

from __future__ import annotations

import re
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from fraud.models import Case
from identity.models import User
from identity.permissions import Role
from kyc.demo import render_specimens
from kyc.models import Application, Document
from notifications import services as notifications
from payments.models import Payment
from tests.accounts.factories import open_test_account
from tests.conftest import PASSWORD, make_user
from tests.kyc.factories import DETAILS
from tests.payments.factories import PIN


def sign_in(page: Any, user: User) -> None:
    """Give the page a session of a user, without the login form. Needs `new_page`'s cookie settings."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    # As after the form: pages that ask for the password again have just been given it.
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, user, method="password", reauthenticated=True)
    request.session.save()
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": settings.BASE_URL}])


def relay_messages() -> None:
    """What the worker does every few seconds: letters and messages leave the outbox."""
    notifications.relay_due(now=timezone.now())


def heading(page: Any) -> str:
    return str(page.locator("h1").inner_text())


def press(page: Any, name: str) -> None:
    """Press the page's button with this name; waits for the page that answers."""
    page.get_by_role("button", name=name).click()


def at(page: Any, name: str, *args: Any) -> None:
    """Wait until the page is at the address of this name."""
    page.wait_for_url("**" + reverse(name, args=args))


# --- The door ------------------------------------------------------------------------------------------------


def sign_up(page: Any, email: str, full_name: str) -> User:
    """From the front page to a confirmed address, by the link in the mail."""
    page.goto(reverse("landing"))
    page.locator(f"main a[href='{reverse('account_signup')}']").first.click()
    page.get_by_label("Full name").fill(full_name)
    page.get_by_label("E-mail address").fill(email)
    page.locator("input[name=password1]").fill(PASSWORD)
    press(page, "Continue")
    at(page, "account_email_verification_sent")
    open_letter(page, email)
    page.locator(".mail-text a[href*='/confirm-email/']").click()
    assert heading(page) == "Confirm your e-mail address"
    press(page, "Yes, confirm this address")
    at(page, "account_login")
    return User.objects.get(email=email)


def open_letter(page: Any, email: str) -> None:
    """The newest letter to an address, in the sandbox's mailbox."""
    page.goto(f"{reverse('notifications:mailbox')}?to={email}")
    page.locator(".list__title").first.click()
    page.locator(".mail-text").wait_for()


def log_in(page: Any, email: str) -> None:
    """Customers come to their overview, staff to the back office."""
    fill_in_login(page, email)
    page.wait_for_url(re.compile(f"{reverse('insights:dashboard')}$|{reverse('admin:index')}$"))


def fill_in_login(page: Any, email: str) -> None:
    """Send the login form, whatever the answer is."""
    page.goto(reverse("account_login"))
    page.get_by_label("E-mail address").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()


def set_pin(page: Any) -> None:
    page.goto(reverse("identity:pin"))
    page.locator("input[name=pin]").fill(PIN)
    page.locator("input[name=again]").fill(PIN)
    page.get_by_label("Your password").fill(PASSWORD)
    press(page, "Set the PIN")
    at(page, "identity:security")
    page.get_by_text("Your transaction PIN is set.").wait_for()


# --- The identity check ----------------------------------------------------------------------------------------


def fill_personal(page: Any, full_name: str) -> None:
    """The wizard's first page, reached from its start."""
    first, _, last = full_name.partition(" ")
    page.goto(reverse("kyc:start"))
    press(page, "Start the identity check")
    at(page, "kyc:personal")
    for name, value in {**DETAILS, "first_name": first, "last_name": last}.items():
        control = page.locator(f"[name={name}]")
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(str(value))
        else:
            control.fill(str(value))
    press(page, "Save and add documents")
    at(page, "kyc:documents")


def specimens(full_name: str) -> dict[str, dict[str, Any]]:
    """Rendered documents of a person, as a file chooser hands them over."""
    pictures = render_specimens(
        full_name=full_name,
        date_of_birth=DETAILS["date_of_birth"],
        number=DETAILS["document_number"],
        address=f"{DETAILS['address']}, {DETAILS['postcode']} {DETAILS['city']}",
        country=DETAILS["document_country"],
        seed=sum(full_name.encode()),
    )
    return {
        kind: {"name": f"{kind.lower()}.jpg", "mimeType": "image/jpeg", "buffer": data}
        for kind, data in pictures.items()
    }


def upload_documents(page: Any, full_name: str) -> None:
    """All three documents, one after the other, each shown with its picture afterwards."""
    for kind, file in specimens(full_name).items():
        section = page.locator(f"section#{kind.lower()}")
        section.locator("input[type=file]").set_input_files(file)
        section.get_by_role("button", name="Upload").click()
        page.get_by_text(f"We have received {file['name']}.").wait_for()
        assert pictures_shown(page, f"section#{kind.lower()} img") == 1


def pictures_shown(page: Any, selector: str) -> int:
    """How many pictures there are; waits for each and asserts that the browser could draw it."""
    pictures = page.locator(selector).all()
    for picture in pictures:
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("async picture => { await picture.decode(); return picture.naturalWidth }") > 0
    return len(pictures)


def send_application(page: Any) -> Application:
    page.get_by_role("link", name="Check your application").click()
    at(page, "kyc:review")
    press(page, "Send my application")
    at(page, "kyc:status")
    page.get_by_text("We are checking your documents").wait_for()
    return Application.objects.get(pk=Application.objects.newest_first().values_list("pk", flat=True)[0])


def apply_for_identity_check(page: Any, full_name: str) -> Application:
    """The whole wizard, from its start to the page that says that we are checking."""
    fill_personal(page, full_name)
    upload_documents(page, full_name)
    return send_application(page)


# --- Money -----------------------------------------------------------------------------------------------------


def open_account(page: Any, product: str, amount: str) -> Account:
    """Choose a product, pay the first deposit from the sandbox's funding source, check, confirm."""
    page.goto(reverse("accounts:open"))
    page.locator(f"a[href='{reverse('accounts:open-product', args=[product])}']").click()
    page.locator("input[name=amount]").fill(amount)
    page.get_by_label("Sandbox money from outside the bank").check()
    press(page, "Check the opening")
    assert heading(page) == "Check the opening"
    page.get_by_role("button", name="Open with").click()
    page.wait_for_url("**/opened/")
    assert heading(page) == "Your account is open"
    return Account.objects.get(pk=page.url.rstrip("/").split("/")[-2])


def transfer(page: Any, payee: Account, amount: str) -> Payment:
    """Fill the form, read the review, confirm with the PIN; the page ends on the receipt."""
    page.goto(reverse("payments:transfer"))
    page.get_by_label("Payee's name").fill(payee.owner.full_name)
    page.get_by_label("Payee's account number").fill(payee.number)
    page.locator("input[name=amount]").fill(amount)
    press(page, "Review the transfer")
    assert heading(page) == "Review your payment"
    page.get_by_text("The name matches the account").wait_for()
    page.locator("input[name=pin]").fill(PIN)
    press(page, "Send")
    page.wait_for_url("**/activity/**")
    return Payment.objects.get(pk=page.url.rstrip("/").rsplit("/", 1)[-1])


def pay_somebody_new(page: Any) -> Payment:
    """€900.00 to Charlie, whom nobody has paid before: far above what a small payment makes usual, so a rule holds it."""
    charlie = make_user("charlie@example.com", Role.CUSTOMER, name="Charlie Cole")
    return transfer(page, open_test_account(charlie, "CUR-EUR", "100.00"), "900.00")


def message_titles(page: Any) -> list[str]:
    """The titles of the customer's messages, newest first."""
    page.goto(reverse("notifications:list"))
    return [title.strip() for title in page.locator(".list__title").all_inner_texts()]


# --- The back office ---------------------------------------------------------------------------------------------


def log_in_at_the_back_office(page: Any, officer: User) -> None:
    """As a member of staff does it: open /admin/, be asked who is there, arrive at the start page."""
    page.goto(reverse("admin:index"))
    page.locator("[name=login], [name=username]").first.fill(officer.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form:has([name=password]) button[type=submit]").click()
    page.wait_for_url("**" + reverse("admin:index"))


def open_from_queue(page: Any, queue: str, address: str) -> None:
    """Follow a queue of the start page to its list, and there the link to one thing."""
    page.goto(reverse("admin:index"))
    page.locator("main a, #content a").filter(has_text=queue).first.click()
    page.locator(f"a[href^='{address}']").first.click()
    page.wait_for_url(f"**{address}**")


def open_application(page: Any, application: Application) -> None:
    """The review page, from the queue; every document is shown beside the data."""
    open_from_queue(page, "Identity checks", reverse("admin:kyc_application_change", args=[application.pk]))
    kinds = Document.objects.filter(application=application).count()
    assert pictures_shown(page, f"img[src*='{reverse('admin:kyc_application_changelist')}document/']") == kinds == 3
    # Whole, not cut off by the column that they stand in.
    whole = "papers => papers.every(paper => paper.scrollHeight <= paper.clientHeight + 1)"
    assert page.locator(".office-columns__papers > section").evaluate_all(whole)


def decide_application(page: Any, application: Application, deed: str, **fields: str) -> None:
    """Follow the page's button (`approve`, `reject`), fill in the fields, confirm."""
    page.locator(f"a[href='{reverse(f'admin:kyc_application_{deed}', args=[application.pk])}']").click()
    fill_and_confirm(page, fields)
    at(page, "admin:kyc_application_change", application.pk)


def decide_payment(page: Any, payment: Payment, deed: str, reason: str) -> None:
    """Find the case in the queue, follow its button (`release`, `decline`), confirm with a reason."""
    case = Case.objects.get(subject_kind="payment", subject_id=payment.pk)
    open_from_queue(page, "fraud cases", reverse("admin:fraud_case_change", args=[case.pk]))
    page.locator(f"a[href='{reverse(f'admin:fraud_case_{deed}', args=[case.pk])}']").first.click()
    fill_and_confirm(page, {"reason": reason})
    page.wait_for_url(lambda url: f"/{deed}/" not in url)


def fill_and_confirm(page: Any, fields: dict[str, str]) -> None:
    form = page.locator("form:has([name=reason])")
    for name, value in fields.items():
        control = form.locator(f"[name={name}]")
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    for item in form.locator("[name=checks]").all():
        item.check()
    form.locator("button[type=submit]").click()
