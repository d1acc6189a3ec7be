"""Instalments in another rhythm than the month: figures and words, a fortnightly loan from quote to pay-off, the product form."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from identity.models import User
from loans import queries, services, verification
from loans.models import Application, Loan, LoanProduct
from loans.queries import means
from loans.rules.calendar import Frequency
from loans.rules.rhythm import Rhythm, rhythm_of
from notifications.models import OutboxEvent
from tests.accounts.factories import open_test_account
from tests.loans.factories import TODAY, applied, customer_with_a_past, live_until, noon, post, referred, running_loan
from tests.payments.factories import PIN, posted

Login = Callable[[User], Client]
FORTNIGHT = timedelta(days=14)
EVERY_2_WEEKS = Rhythm(Frequency.WEEKS, 2)
in_the_bank = pytest.mark.django_db


@pytest.mark.parametrize(
    ("frequency", "every", "words", "term", "span"),
    [
        ("MONTHS", 1, "every month", "36 months", "6 to 84 months"),
        (
            "MONTHS",
            3,
            "every 3 months",
            "36 instalments, one every 3 months",
            "6 to 84 instalments, one every 3 months",
        ),
        ("WEEKS", 1, "every week", "36 weeks", "6 to 84 weeks"),
        ("WEEKS", 2, "every 2 weeks", "36 instalments, one every 2 weeks", "6 to 84 instalments, one every 2 weeks"),
        ("DAYS", 1, "every day", "36 days", "6 to 84 days"),
        ("DAYS", 10, "every 10 days", "36 instalments, one every 10 days", "6 to 84 instalments, one every 10 days"),
    ],
)
def test_says_how_often_and_how_long(frequency: str, every: int, words: str, term: str, span: str) -> None:
    rhythm = Rhythm(Frequency(frequency), every)
    assert (rhythm.words, rhythm.term(36), rhythm.term_from_to(6, 84)) == (words, term, span)


def test_says_one_of_each() -> None:
    assert Rhythm(Frequency.MONTHS, 1).term(1) == "1 month"
    assert EVERY_2_WEEKS.term(1) == "1 instalment, one every 2 weeks"
    assert EVERY_2_WEEKS.term_from_to(26, 26) == "26 instalments, one every 2 weeks"


@pytest.mark.parametrize(
    ("frequency", "every", "instalment", "monthly"),
    [
        ("MONTHS", 1, 250_00, 250_00),
        ("MONTHS", 3, 900_00, 300_00),
        # 300.00 x 26 / 12, 100.00 x 52 / 12 = 433.333..., 10.00 x 365 / 12 = 304.1666...: a part of a cent counts as one.
        ("WEEKS", 2, 300_00, 650_00),
        ("WEEKS", 1, 100_00, 433_34),
        ("DAYS", 1, 10_00, 304_17),
        ("DAYS", 10, 100_00, 304_17),
    ],
)
def test_an_instalment_has_its_monthly_figure(frequency: str, every: int, instalment: int, monthly: int) -> None:
    assert Rhythm(Frequency(frequency), every).monthly(instalment) == monthly


@pytest.mark.parametrize(
    ("frequency", "every", "count", "months"),
    [("MONTHS", 2, 6, 11), ("WEEKS", 2, 26, 11), ("WEEKS", 1, 4, 0), ("DAYS", 1, 63, 2)],
)
def test_a_later_part_comes_before_the_last_instalment(frequency: str, every: int, count: int, months: int) -> None:
    assert Rhythm(Frequency(frequency), every).months_within(count) == months


def test_terms_that_say_nothing_are_monthly() -> None:
    assert rhythm_of({}) == Rhythm(Frequency.MONTHS, 1)


@in_the_bank
def test_a_quote_falls_due_every_two_weeks(api: Callable[[User | None], APIClient]) -> None:
    wish = {"product": "FORTNIGHT", "amount": "2600.00", "instalments": 26, "annual_rate": "7.80"}

    quote = api(None).post("/api/v1/loans/quote", wish, format="json").json()

    # 0.3 % a period: 2,600.00 x 0.003 / (1 - 1.003^-26) = 104.1005...
    assert quote["instalment"] == "104.10"
    assert (quote["frequency"], quote["every"]) == ("WEEKS", 2)
    assert quote["schedule"][0]["interest"] == "7.80"
    days = [date.fromisoformat(row["due_date"]) for row in quote["schedule"]]
    assert {after - before for before, after in itertools.pairwise(days)} == {FORTNIGHT}
    assert abs(float(quote["schedule"][-1]["total"]) - 104.10) < 0.26


@in_the_bank
def test_a_fortnightly_loan_from_the_wish_to_the_pay_off(alice: User) -> None:
    account = customer_with_a_past(alice)
    application = applied(alice, account, product="FORTNIGHT", amount="2600.00", instalments=26)
    assert application.status == Application.Status.APPROVED
    looked_at = queries.last_decision(application).inputs["affordability"]
    # At the highest rate, 10.4 %: 105.49 every two weeks, x 26 / 12 = 228.57 a month.
    assert looked_at["instalment_minor"] == 228_57

    loan = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())

    rows = queries.instalments_of(loan)
    assert [row.due_date for row in rows] == [TODAY + FORTNIGHT * number for number in range(1, 27)]
    so_far = means.loans_so_far(alice, currency="EUR", now=noon())
    assert so_far.instalments_minor == EVERY_2_WEEKS.monthly(max(row.total_minor for row in rows))
    before = posted(account)
    live_until(TODAY + FORTNIGHT)
    assert posted(account) == before - rows[0].total_minor
    reminded = OutboxEvent.objects.get(user=alice, kind="loan_instalment_due")
    assert reminded.data["day"] == "16 March 2026"
    assert list(verification.verify()) == []

    post(account, -posted(account), on=TODAY + FORTNIGHT, text="Holiday", kind="withdrawal")
    live_until(TODAY + FORTNIGHT * 2 + timedelta(days=6), since=TODAY + FORTNIGHT + timedelta(days=1))
    loan.refresh_from_db()
    assert (loan.days_past_due, loan.penalty_balance_minor > 0) == (6, True)
    assert list(verification.verify()) == []

    post(account, 4_000_00, on=TODAY + FORTNIGHT * 2, text="Savings")
    now = noon(TODAY + FORTNIGHT * 2 + timedelta(days=7))
    services.pay_due(actor=alice, loan_id=loan.pk, client_id=uuid4(), now=now)
    owed = services.payoff_quote(loan=Loan.objects.get(pk=loan.pk), day=now.date()).total
    services.pay_off(actor=alice, loan_id=loan.pk, quoted_minor=owed, client_id=uuid4(), now=now)
    loan.refresh_from_db()
    assert (loan.status, loan.owed_minor, list(verification.verify())) == (Loan.Status.CLOSED, 0, [])


@in_the_bank
def test_another_plan_keeps_the_rhythm(alice: User, lender: User, second_lender: User) -> None:
    loan = running_loan(alice, product="FORTNIGHT", amount="2600.00", instalments=26)
    plan = {"instalments": 40, "annual_rate": None, "first_due_date": None, "reason": "Fewer hours", "now": noon()}
    proposal = services.propose(actor=lender, loan_id=loan.pk, **plan)

    services.answer(
        actor=second_lender, restructure_id=proposal.pk, approved=True, reason="It can be carried", now=noon()
    )

    rows = queries.instalments_of(loan)
    assert [row.due_date for row in rows] == [TODAY + FORTNIGHT * number for number in range(1, 41)]
    # 2,600.00 x 0.003 / (1 - 1.003^-40) = 69.0811...
    assert {row.total_minor for row in rows[:-1]} == {69_08}
    assert list(verification.verify()) == []


@in_the_bank
def test_pages_say_every_two_weeks(alice: User, lender: User, client: Client, login: Login) -> None:
    asked = {"product": "FORTNIGHT", "amount": "2000", "instalments": "26"}
    shown = client.get(reverse("loans:calculator"), asked).content.decode()
    assert "Every 2 weeks</h2>" in shown
    assert "every 2 weeks from" in shown
    refused = client.get(reverse("loans:calculator"), {**asked, "instalments": "5"}).content.decode()
    assert "runs for 6 to 78 instalments, one every 2 weeks." in refused

    application = referred(alice, open_test_account(alice), now=timezone.now(), product="FORTNIGHT")
    portal, office = login(alice), login(lender)
    assert (
        "12 instalments, one every 2 weeks"
        in portal.get(reverse("loans:application", args=[application.pk])).content.decode()
    )
    assert "6 to 78 instalments, one every 2 weeks" in portal.get(reverse("loans:loans")).content.decode()
    file = office.get(f"/admin/loans/application/{application.pk}/change/").content.decode()
    assert "over 12 instalments, one every 2 weeks" in file
    services.approve(actor=lender, application_id=application.pk, reason="Seen", now=timezone.now())
    offer = portal.get(reverse("loans:application", args=[application.pk])).content.decode()
    assert "Fortnightly loan, every 2 weeks" in offer
    for page in (shown, offer, file):
        assert "12 months" not in page


@in_the_bank
def test_the_product_form_takes_a_rhythm_once(administrator: User, login: Login) -> None:
    client, add = login(administrator), "/admin/loans/loanproduct/add/"
    page = client.get(add)
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    inline = page.context["inline_admin_formsets"][0].formset
    data = {name: "" if value is None else value for name, value in values.items() if value is not False} | {
        "code": "TENDAYS",
        "name": "Ten days' loan",
        "kind": "BUSINESS",
        "currency": "EUR",
        "every": "10",
        "frequency": "DAYS",
        "min_amount_minor": "100.00",
        "max_amount_minor": "900.00",
        "min_instalments": "3",
        "max_instalments": "30",
        "annual_rate": "9",
        "allocation_0": "CHARGES_FIRST",
        f"{inline.prefix}-TOTAL_FORMS": "0",
        f"{inline.prefix}-INITIAL_FORMS": "0",
    }
    for wrong, told in (("0", "greater than or equal to 1"), ("367", "less than or equal to 366"), ("", "required")):
        assert told in client.post(add, {**data, "every": wrong}).content.decode()
    long = {"every": "12", "frequency": "MONTHS", "max_instalments": "101"}
    assert "A loan runs for a hundred years at most." in client.post(add, {**data, **long}).content.decode()

    assert client.post(add, data).status_code == 302
    made = LoanProduct.objects.get(code="TENDAYS")
    assert made.term == "3 to 30 instalments, one every 10 days"
    client.post("/admin/loans/loanproduct/TENDAYS/change/", {**data, "every": "20"})
    made.refresh_from_db()
    assert made.every == 10


@in_the_bank
def test_the_database_refuses_a_rhythm_that_no_loan_has() -> None:
    product = LoanProduct.objects.get(code="FORTNIGHT")
    for wrong in ({"every": 0}, {"frequency": "YEARS"}, {"every": 60, "max_instalments": 100}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LoanProduct.objects.filter(pk=product.pk).update(**wrong)
    product.every = 0
    with pytest.raises(ValidationError):
        product.full_clean()
