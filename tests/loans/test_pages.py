"""The loan pages of the portal, from the calculator to the last payment."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.money import Money
from identity.models import User
from loans import services
from loans.models import Application, Loan
from tests.accounts.factories import open_test_account
from tests.loans.factories import granted, referred
from tests.payments.factories import PIN, give_pin, posted

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def test_the_calculator_is_open_and_exact(client: Client) -> None:
    answer = client.get(
        reverse("loans:calculator"), {"product": "PERSONAL", "amount": "10000", "instalments": "36", "rate": "6.90"}
    )

    page = answer.content.decode()
    assert answer.status_code == 200
    # 10,000.00 at 6.9 % over 36 months: P r / (1 - (1 + r)^-n).
    assert "€308.31" in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"amount": "0"}, "Enter an amount above zero."),
        ({"amount": "999"}, "lends from €1,000.00"),
        ({"instalments": "500"}, "runs for 6 to 84 months"),
        ({"rate": "101"}, "less than or equal to 100"),
        ({"amount": "NaN"}, "Enter an amount such as"),
        ({"product": "YACHT"}, "Select a valid choice"),
        ({"instalments": "1e9"}, "Enter a whole number"),
    ],
)
def test_the_calculator_says_what_is_wrong(client: Client, asked: dict[str, str], text: str) -> None:
    answer = client.get(reverse("loans:calculator"), asked)

    assert answer.status_code == 422
    assert text in answer.content.decode()


def test_what_was_written_off_can_still_be_paid(alice: User, charlie: User, lender: User, login: Login) -> None:
    give_pin(alice)
    loan = granted(alice, open_test_account(alice, "CUR-EUR", "500.00"), lender, now=timezone.now())
    page, client = reverse("loans:recover", args=[loan.pk]), login(alice)
    assert "nothing to settle" in client.get(page).content.decode()
    late = timezone.now() + timedelta(days=130)
    services.write_off(actor=lender, loan_id=loan.pk, reason="Cannot be found", now=late)
    loan.refresh_from_db()

    assert page in client.get(reverse("loans:loan", args=[loan.pk])).content.decode()
    assert login(charlie).get(page).status_code == 404
    key = str(uuid4())
    for amount, text in (("0", "above zero"), ("999999", "more than you owe"), ("", "required")):
        answer = client.post(page, {"client_id": key, "amount": amount})
        assert (answer.status_code, text in answer.content.decode()) == (422, True)
    for _ in range(2):
        client.post(page, {"client_id": key, "amount": "100.00"})

    loan.refresh_from_db()
    assert loan.recovered_minor == 100_00
    rest = Money(loan.written_off_minor - 100_00, "EUR")
    assert str(rest) in client.get(page).content.decode()


def test_from_the_wish_to_the_pay_off(alice: User, lender: User, login: Login) -> None:
    account = open_test_account(alice, "CUR-EUR", "5000.00")
    give_pin(alice)
    client = login(alice)

    answer = client.post(
        reverse("loans:apply"), {"product": "PERSONAL", "amount": "2000", "instalments": "12", "purpose": "Bike"}
    )
    assert answer.headers["Location"] == reverse("loans:apply_means")
    # It resumes: another visit shows what was entered.
    assert 'value="2000.00"' in client.get(reverse("loans:apply")).content.decode()
    answer = client.post(
        reverse("loans:apply_means"),
        {"account": str(account.pk), "employment": "EMPLOYED", "income": "4000", "obligations": "0"},
    )
    assert answer.headers["Location"] == reverse("loans:apply_review")
    answer = client.post(reverse("loans:apply_review"))
    application = Application.objects.get()
    assert answer.headers["Location"] == reverse("loans:application", args=[application.pk])
    assert "A colleague looks at it" in client.get(answer.headers["Location"]).content.decode()

    services.approve(actor=lender, application_id=application.pk, reason="Seen", now=timezone.now())
    offer = reverse("loans:application", args=[application.pk])
    page = client.get(offer).content.decode()
    assert "Your offer" in page
    assert "APR" in page
    facts = client.get(reverse("loans:offer_key_facts", args=[application.pk]))
    assert b"".join(facts.streaming_content).startswith(b"%PDF-")
    before = posted(account)
    assert client.post(offer, {"agree": "on", "pin": "0000"}).status_code == 422
    assert client.post(offer, {"pin": PIN}).status_code == 422
    answer = client.post(offer, {"agree": "on", "pin": PIN})

    loan = Loan.objects.get()
    assert answer.headers["Location"] == reverse("loans:loan", args=[loan.pk])
    assert posted(account) == before + 2_000_00 - 20_00
    shown = client.get(reverse("loans:loan", args=[loan.pk])).content.decode()
    assert "0 %" in shown
    assert shown.count("To come") == 12

    extra = reverse("loans:extra", args=[loan.pk])
    page = client.get(extra, {"amount": "500"}).content.decode()
    assert "Interest you save" in page
    client_id = re.search(r'name="client_id" value="([^"]+)"', page).group(1)
    for _ in range(2):
        assert client.post(extra, {"amount": "500.00", "client_id": client_id}).status_code == 302
    loan.refresh_from_db()
    assert loan.principal_balance_minor == 1_500_00

    payoff = reverse("loans:payoff", args=[loan.pk])
    assert client.post(payoff, {"client_id": str(uuid4()), "quoted_minor": "1"}).status_code == 422
    page = client.get(payoff).content.decode()
    quoted = re.search(r'name="quoted_minor" value="(\d+)"', page).group(1)
    client.post(payoff, {"client_id": str(uuid4()), "quoted_minor": quoted})
    loan.refresh_from_db()
    assert loan.status == Loan.Status.CLOSED
    assert "paid off" in client.get(reverse("loans:loan", args=[loan.pk])).content.decode()


def test_papers_of_a_loan(alice: User, lender: User, login: Login) -> None:
    give_pin(alice)
    loan = granted(alice, open_test_account(alice, "CUR-EUR", "900.00"), lender, now=timezone.now())
    client = login(alice)

    for name in ("key_facts", "schedule_pdf"):
        answer = client.get(reverse(f"loans:{name}", args=[loan.pk]))
        assert b"".join(answer.streaming_content).startswith(b"%PDF-")
        assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = client.get(reverse("loans:schedule_csv", args=[loan.pk])).content.decode().splitlines()
    assert len(rows) == 13
    assert rows[1].endswith(",EUR")
    year = timezone.now().year
    assert client.get(reverse("loans:certificate", args=[loan.pk, year])).status_code == 404


def test_a_loan_can_be_withdrawn_from(alice: User, lender: User, login: Login) -> None:
    give_pin(alice)
    account = open_test_account(alice, "CUR-EUR", "900.00")
    loan = granted(alice, account, lender, now=timezone.now())
    client = login(alice)

    assert "Fee you get back" in client.get(reverse("loans:cancel", args=[loan.pk])).content.decode()
    client.post(reverse("loans:cancel", args=[loan.pk]), {"client_id": str(uuid4())})

    loan.refresh_from_db()
    assert loan.status == Loan.Status.CANCELLED
    assert posted(account) == 900_00


def test_an_application_can_be_taken_back(alice: User, login: Login) -> None:
    application = referred(alice, open_test_account(alice), now=timezone.now())
    client = login(alice)

    client.post(reverse("loans:application_withdraw", args=[application.pk]))

    application.refresh_from_db()
    assert application.status == Application.Status.WITHDRAWN
    assert (
        "You took this application back"
        in client.get(reverse("loans:application", args=[application.pk])).content.decode()
    )
