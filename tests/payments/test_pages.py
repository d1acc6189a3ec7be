"""The portal's payment pages and the back office, without a browser."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fraud.rules.facts import Outcome
from identity import services as identity
from payments.models import Payment, Review, Status
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, held_payment, pay, posted, verdict

pytestmark = pytest.mark.django_db


def start(client: Any, bank: Bank, **overrides: str) -> Any:
    body = {
        "debit_account": str(bank.current.pk),
        "payee_name": "Bob Baker",
        "payee_number": bank.bobs.number,
        "amount": "40.00",
        "description": "Lunch",
        "country": "",
    }
    return client.post(reverse("payments:transfer"), {**body, **overrides})


def test_a_transfer_from_form_to_receipt(bank: Bank, login: Any) -> None:
    client = login(bank.alice)
    assert client.get(reverse("payments:transfer")).status_code == 200
    started = start(client, bank)
    assert started.status_code == 302
    page = client.get(started["Location"]).content.decode()
    assert "The name matches the account" in page
    assert "€960.00" in page
    done = client.post(started["Location"], {"pin": PIN})
    assert done.status_code == 302
    assert "You sent €40.00" in client.get(done["Location"]).content.decode()
    assert client.post(started["Location"], {"pin": PIN})["Location"] == done["Location"]
    assert client.get(started["Location"])["Location"] == done["Location"]
    assert posted(bank.bobs) == 14_000


def test_a_wrong_pin_shows_beside_the_field(bank: Bank, login: Any) -> None:
    client = login(bank.alice)
    url = start(client, bank)["Location"]
    answer = client.post(url, {"pin": "9173"})
    assert answer.status_code == 422
    assert "4 tries left" in answer.content.decode()
    assert client.post(url, {"pin": "12"}).status_code == 422


def test_a_used_and_an_expired_review_explain_themselves(bank: Bank, login: Any, monkeypatch: Any) -> None:
    from payments.services import reviews

    client = login(bank.alice)
    url = start(client, bank)["Location"]
    client.post(url, {"pin": PIN})
    monkeypatch.setattr(reviews, "DOUBLE_CLICK", reviews.DOUBLE_CLICK * -1)
    used = client.post(url, {"pin": PIN})
    assert used.status_code == 409
    assert "already confirmed" in used.content.decode()
    monkeypatch.setattr(reviews, "REVIEW_LASTS", reviews.REVIEW_LASTS / 10**9)
    expired = client.post(start(client, bank)["Location"], {"pin": PIN})
    assert expired.status_code == 409
    assert "This review has expired" in expired.content.decode()
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("amount", "1e3", "Enter an amount such as"),
        ("amount", "-1", "Enter an amount such as"),
        ("amount", "99999", "available"),
        ("payee_number", "BP00000000000000", "typing mistake"),
        ("payee_name", "", "required"),
        ("debit_account", "not an id", "Choose an account"),
    ],
)
def test_bad_input_shows_beside_its_field(bank: Bank, login: Any, field: str, value: str, text: str) -> None:
    answer = start(login(bank.alice), bank, **{field: value})
    assert answer.status_code == 422
    assert text in "".join(answer.context["form"].errors[field])
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Review.objects.exists()


def test_strangers_get_404_for_every_id(bank: Bank, charlie: Any, login: Any) -> None:
    held = held_payment(bank.alice, bank.current, bank.bobs)
    review = start(login(bank.alice), bank)["Location"]
    for stranger in (charlie, bank.bob):
        client = login(stranger)
        assert client.get(review).status_code == 404
        assert client.get(reverse("payments:receipt", args=[held.pk])).status_code == 404
        assert client.get(reverse("payments:cancel", args=[held.pk])).status_code == 404
        assert client.post(reverse("payments:cancel", args=[held.pk])).status_code == 404
    assert start(login(charlie), bank).status_code == 404
    assert login(charlie).get(reverse("payments:receipt", args=[uuid4()])).status_code == 404


def test_held_and_refused_receipts_say_why_and_the_owner_can_cancel(bank: Bank, login: Any) -> None:
    client = login(bank.alice)
    held = held_payment(bank.alice, bank.current, bank.bobs)
    receipt = reverse("payments:receipt", args=[held.pk])
    text = client.get(receipt).content.decode()
    assert "This payment looks unlike you." in text
    assert "If nobody decides by" in text
    cancel = reverse("payments:cancel", args=[held.pk])
    assert client.get(cancel).status_code == 200
    assert client.post(cancel)["Location"] == receipt
    assert "This payment did not happen" in client.get(receipt).content.decode()
    with verdict(Outcome.BLOCKED):
        refused = pay(bank.alice, bank.current, bank.bobs)
    page = client.get(reverse("payments:receipt", args=[refused.pk])).content.decode()
    assert "This payment was refused" in page


def test_the_payer_says_once_whether_a_held_payment_was_theirs(bank: Bank, login: Any) -> None:
    client, stranger = login(bank.alice), login(bank.bob)
    held = held_payment(bank.alice, bank.current, bank.bobs)
    receipt, answer = (reverse(f"payments:{name}", args=[held.pk]) for name in ("receipt", "answer"))
    assert answer in client.get(receipt).content.decode()
    assert "Was it you" in client.get(answer).content.decode()
    assert (stranger.get(answer).status_code, stranger.post(answer, {"answer": "no", "pin": PIN}).status_code) == (
        404,
        404,
    )
    for wrong in ({}, {"answer": "maybe", "pin": PIN}, {"answer": "yes", "pin": "0000"}):
        assert client.post(answer, wrong).status_code == 422
    told = client.post(answer, {"answer": "no", "pin": PIN}, follow=True)
    assert "You told us that it was not you" in told.content.decode()
    assert answer not in told.content.decode()
    assert client.get(answer)["Location"] == receipt
    again = client.post(answer, {"answer": "yes", "pin": PIN}, follow=True)
    assert "You have answered already" in again.content.decode()
    held.refresh_from_db()
    assert held.status == Status.HELD


def test_the_payee_sees_no_fee_and_no_checks(bank: Bank, login: Any) -> None:
    done = pay(bank.alice, bank.current, bank.bobs, payee_name="Somebody Else")
    page = login(bank.bob).get(reverse("payments:receipt", args=[done.pk])).content.decode()
    assert "You received €25.00" in page
    assert "Somebody Else" not in page
    assert bank.current.number not in page.replace(" ", "")


def test_history_filters_and_needs_a_fixed_number_of_queries(bank: Bank, login: Any) -> None:
    client, url = login(bank.alice), reverse("payments:history")
    held_payment(bank.alice, bank.current, bank.bobs, "77.00")
    pay(bank.alice, bank.current, bank.bobs, "11.00", description="Lunch")
    pay(bank.bob, bank.bobs, bank.current, "1.00")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _ in range(2):
        pay(bank.bob, bank.bobs, bank.current, "1.00")
    with CaptureQueriesContext(connection) as more:
        client.get(url)
    assert len(few) == len(more) <= 11

    def amounts(**query: str) -> list[str]:
        answer = client.get(url, query)
        return [item["amount"] for day in answer.context["days"] for item in day["entries"]]

    assert amounts(status="HELD") == ["€77.00"]
    assert amounts(direction="IN") == ["€1.00"] * 3
    assert amounts(amount_from="10", amount_to="20.5") == ["€11.00"]
    assert amounts(text="lunch") == ["€11.00"]
    assert len(amounts(text="Bob")) == 5
    bobs_payments = len(amounts(text="bob b"))
    identity.change_name(actor=bank.bob, full_name="Bobby Tables")
    assert len(amounts(text="Bobby")) == 0, "the page shows the checked name, so only that is searched"
    assert len(amounts(text="bob b")) == bobs_payments == 5
    assert amounts(account=str(bank.savings.pk)) == []
    assert amounts(account=str(bank.bobs.pk)) == []
    assert amounts(amount_from="NaN") == []
    partial = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in partial


def test_own_transfer_withdrawal_and_sandbox_deposit_pages(bank: Bank, login: Any) -> None:
    client = login(bank.alice)
    for name in ("own", "withdraw", "deposit", "history"):
        assert client.get(reverse(f"payments:{name}")).status_code == 200
    own = {"debit_account": str(bank.current.pk), "credit_account": str(bank.savings.pk), "amount": "5.00"}
    url = client.post(reverse("payments:own"), own)["Location"]
    assert client.post(url, {"pin": PIN}).status_code == 302
    out = {"debit_account": str(bank.current.pk), "iban": "DE89 3704 0044 0532 0130 00", "amount": "6.00"}
    assert client.post(reverse("payments:withdraw"), {**out, "iban": "DE00"}).status_code == 422
    url = client.post(reverse("payments:withdraw"), out)["Location"]
    assert client.post(url, {"pin": PIN}).status_code == 302
    body = {"account_number": bank.current.number, "amount": "7.00", "client_id": str(uuid4())}
    first, second = (client.post(reverse("payments:deposit"), body)["Location"] for _ in range(2))
    assert first == second
    assert posted(bank.current) == 100_000 - 500 - 600 + 700


def test_the_sandbox_deposit_exists_in_a_sandbox_only(bank: Bank, login: Any, settings: Any) -> None:
    settings.SANDBOX = False
    client = login(bank.alice)
    assert client.get(reverse("payments:deposit")).status_code == 404
    assert "country" not in client.get(reverse("payments:transfer")).context["form"].fields


def test_pages_hold_nothing_the_policy_refuses(bank: Bank, login: Any) -> None:
    client = login(bank.alice)
    held = held_payment(bank.alice, bank.current, bank.bobs)
    urls = [reverse(f"payments:{name}") for name in ("transfer", "own", "withdraw", "deposit", "history")]
    urls += [reverse("payments:receipt", args=[held.pk]), start(client, bank)["Location"]]
    for url in urls:
        page = client.get(url).content.decode()
        assert not re.search(r"\sstyle=|\son[a-z]+=\"", page), url


def test_a_teller_pays_in_and_out_at_the_counter(
    bank: Bank, teller: Any, auditor: Any, login: Any, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = False
    client = login(teller)
    url = reverse("admin:payments_payment_cash_in")
    assert client.get(url).status_code == 200
    body = {"account_number": bank.current.grouped_number, "amount": "50.00", "client_id": str(uuid4())}
    assert "Alice Archer" in client.post(url, body).content.decode()
    assert posted(bank.current) == 100_000
    assert client.post(url, {**body, "confirmed": "1"}).status_code == 302
    assert client.post(url, {**body, "confirmed": "1"}).status_code == 302
    out = {**body, "client_id": str(uuid4()), "confirmed": "1"}
    assert client.post(reverse("admin:payments_payment_cash_out"), out).status_code == 302
    assert posted(bank.current) == 100_000
    assert client.post(url, {**body, "amount": "NaN"}).status_code == 422
    for name in ("cash_in", "cash_out"):
        assert login(auditor).get(reverse(f"admin:payments_payment_{name}")).status_code == 403


def test_the_back_office_lists_searches_and_reverses(
    bank: Bank, officer: Any, auditor: Any, login: Any, settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = False
    done = pay(bank.alice, bank.current, bank.bobs)
    listing = reverse("admin:payments_payment_changelist")
    detail = reverse("admin:payments_payment_change", args=[done.pk])
    reversal = reverse("admin:payments_payment_reverse", args=[done.pk])
    client = login(officer)
    for term in (str(done.pk), bank.bobs.grouped_number, "alice@example.com"):
        assert client.get(listing, {"q": term}).context["cl"].result_count == 1, term
    assert client.get(listing, {"q": "nobody@example.com"}).context["cl"].result_count == 0
    assert client.get(detail).status_code == 200
    assert login(auditor).get(detail).status_code == 200
    assert login(auditor).post(reversal, {"reason": "because"}).status_code == 403
    assert client.get(reversal).status_code == 200
    assert client.post(reversal, {"reason": ""}).status_code == 422
    assert client.post(reversal, {"reason": "sent by mistake"}).status_code == 302
    done.refresh_from_db()
    assert done.status == Status.REVERSED
