"""Lending in the back office: the file of an application, deciding it, a loan's books, the portfolio, products and policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from identity.models import User
from loans import queries, verification
from loans.models import Application, LoanProduct, Policy, Restructure
from tests.accounts.factories import open_test_account
from tests.loans.factories import customer_with_a_past, granted, live_until, referred, running_loan
from tests.payments.factories import give_pin

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
REASON = {"reason": "Because the test says so."}


def test_the_whole_file_is_on_one_page(alice: User, lender: User, login: Login) -> None:
    application = referred(alice, open_test_account(alice), now=timezone.now())
    client = login(lender)

    assert "Alice Archer" in client.get("/admin/loans/application/").content.decode()
    page = client.get(f"/admin/loans/application/{application.pk}/change/").content.decode()

    for text in (
        "Can it be carried?",
        "Seen in the ledger",
        "What stands against it",
        "APR",
        "We do not see the income",
    ):
        assert text in page
    assert "Loans to decide" in client.get("/admin/").content.decode()


def test_an_officer_approves_and_declines_there(alice: User, bob: User, lender: User, login: Login) -> None:
    first = referred(alice, open_test_account(alice), now=timezone.now())
    second = referred(bob, open_test_account(bob), now=timezone.now())
    client = login(lender)

    assert client.post(f"/admin/loans/application/{first.pk}/approve/", {"reason": ""}).status_code == 422
    assert client.post(f"/admin/loans/application/{first.pk}/approve/", REASON).status_code == 302
    told = {**REASON, "told": "Your income varies too much."}
    assert client.post(f"/admin/loans/application/{second.pk}/decline/", told).status_code == 302

    assert [Application.objects.get(pk=each.pk).status for each in (first, second)] == ["APPROVED", "DECLINED"]
    again = client.post(f"/admin/loans/application/{first.pk}/approve/", REASON)
    assert again.status_code == 422


def test_another_plan_takes_two_officers(alice: User, lender: User, second_lender: User, login: Login) -> None:
    give_pin(alice)
    loan = granted(alice, open_test_account(alice), lender, now=timezone.now())
    client, colleague = login(lender), login(second_lender)

    assert client.post(f"/admin/loans/loan/{loan.pk}/propose/", REASON).status_code == 422
    client.post(f"/admin/loans/loan/{loan.pk}/propose/", {**REASON, "instalments": "24"})
    proposal = Restructure.objects.get()
    assert client.post(f"/admin/loans/restructure/{proposal.pk}/agree/", REASON).status_code == 422
    assert "24 instalments" in colleague.get("/admin/loans/restructure/").content.decode()
    colleague.post(f"/admin/loans/restructure/{proposal.pk}/agree/", REASON)

    assert loan.instalments.count() == 24
    assert client.post(f"/admin/loans/loan/{loan.pk}/write-off/", REASON).status_code == 422
    page = client.get(f"/admin/loans/loan/{loan.pk}/change/").content.decode()
    assert "instalments 24" in page


def test_another_plan_is_shown_before_it_is_proposed(
    alice: User, lender: User, second_lender: User, login: Login
) -> None:
    give_pin(alice)
    loan = granted(alice, open_test_account(alice), lender, now=timezone.now())
    client, base = login(lender), f"/admin/loans/loan/{loan.pk}"
    before = [row.due_date for row in queries.instalments_of(loan)]

    shown = client.get(f"{base}/plan/", {"pause_instalments": "2"}).content.decode()

    assert "Propose this plan" in shown
    assert date_format(before[-1], "j M Y") in shown
    assert "propose/?pause_instalments=2" in shown
    assert loan.restructures.count() == 0
    assert "Propose this plan" not in client.get(f"{base}/plan/").content.decode()
    both = client.get(f"{base}/plan/", {"pause_instalments": "2", "instalments": "24"})
    assert (both.status_code, "A pause goes alone" in both.content.decode()) == (422, True)
    assert 'value="2"' in client.get(f"{base}/propose/?pause_instalments=2").content.decode()

    client.post(f"{base}/propose/", {**REASON, "pause_instalments": "2"})
    proposal = Restructure.objects.get()
    page = login(second_lender).get(f"/admin/loans/restructure/{proposal.pk}/agree/").content.decode()
    assert "a pause of 2 instalments" in page
    assert "14, today 12" in page
    login(second_lender).post(f"/admin/loans/restructure/{proposal.pk}/agree/", REASON)

    rows = queries.instalments_of(loan)
    assert [row.due_date for row in rows][:12] == before
    assert [row.total_minor for row in rows][:2] == [0, 0]
    assert (len(rows), list(verification.verify())) == (14, [])


def test_the_portfolio_adds_up(alice: User, lender: User, login: Login) -> None:
    loan = running_loan(alice, customer_with_a_past(alice))
    live_until(date(2026, 4, 3))
    loan.refresh_from_db()

    page = login(lender).get("/admin/loans/loan/portfolio/").content.decode()

    assert f"€{loan.principal_balance_minor / 100:,.2f}" in page
    assert "March 2026" in page
    assert "No loan of these months was ever 30 days late." in page
    assert page.count("<rect") == 1
    assert "Personal loan" in page


def test_who_only_looks_reads_amounts_as_money(lender: User, login: Login) -> None:
    client = login(lender)

    product = client.get("/admin/loans/loanproduct/BUSINESS/change/").content.decode()
    policy = client.get(f"/admin/loans/policy/{Policy.objects.get().pk}/change/").content.decode()

    for page, shown, stored in ((product, "€5,000.00", 5_000_00), (policy, "€25,000.00", 25_000_00)):
        assert shown in page
        assert f">{stored}<" not in page.replace("\n", "").replace(" ", "")


def test_the_administrator_edits_products_and_policy(administrator: User, lender: User, login: Login) -> None:
    client = login(administrator)
    product = LoanProduct.objects.get(code="PERSONAL")
    page = client.get("/admin/loans/loanproduct/PERSONAL/change/")
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    assert values["max_amount_minor"] == "50000.00"
    data = {name: "" if value is None else value for name, value in values.items() if value is not False}
    data |= {"allocation_0": "CHARGES_FIRST"}
    inline = page.context["inline_admin_formsets"][0].formset
    data |= {
        "name": "Everyday loan",
        "max_amount_minor": "60000.50",
        f"{inline.prefix}-TOTAL_FORMS": "0",
        f"{inline.prefix}-INITIAL_FORMS": "0",
    }

    assert client.post("/admin/loans/loanproduct/PERSONAL/change/", data).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.min_amount_minor, product.max_amount_minor) == ("Everyday loan", 1_000_00, 60_000_50)
    wrong = client.post("/admin/loans/loanproduct/PERSONAL/change/", {**data, "max_amount_minor": "-1"})
    assert "Enter an amount such as" in wrong.content.decode()
    every_kind = {
        "method": "FIXED_INSTALMENT",
        "fixed_instalment_percent": "2.5",
        "day_count": "ACTUAL/ACTUAL",
        "principal_grace": "1",
        "interest_grace": "2",
        "payoff_interest": "TO_PERIOD_END",
        "arrangement_fee_minor": "25.00",
        "instalment_fee_basis": "INSTALMENT",
        "instalment_fee_percent": "0.5",
        "penalty_basis": "FLAT",
        "penalty_minor": "15",
        "penalty_percent": "0",
    }
    assert client.post("/admin/loans/loanproduct/PERSONAL/change/", {**data, **every_kind}).status_code == 302
    refused = {
        "A fixed instalment, and only that": {"fixed_instalment_percent": ""},
        "Give the fee per instalment": {"instalment_fee_minor": "3.00"},
        "Give the late penalty": {"penalty_minor": "0"},
        "a grace leaves one instalment": {"interest_grace": "6"},
    }
    for told, wrong_choice in refused.items():
        answer = client.post("/admin/loans/loanproduct/PERSONAL/change/", {**data, **every_kind, **wrong_choice})
        assert (answer.status_code, told in answer.content.decode()) == (200, True), told
    policy = {
        "approve_from_score": "80",
        "refer_from_score": "50",
        "approve_up_to_minor": "1000.00",
        "second_officer_above_minor": "5000",
        "approve_up_to_burden": "35",
        "decline_above_burden": "50",
    }
    assert client.post("/admin/loans/policy/add/", policy).status_code == 302
    newest = Policy.objects.latest("version")
    assert (newest.version, newest.approve_up_to_minor, newest.second_officer_above_minor) == (2, 1_000_00, 5_000_00)
    assert Policy.objects.latest("version").created_by == administrator
    assert login(lender).post("/admin/loans/policy/add/", policy).status_code == 403
