"""Staff read the ledger; nobody changes it there."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger import services
from ledger.services import Leg

pytestmark = pytest.mark.django_db

LISTS = ("entry", "ledgeraccount", "hold", "glcode")


@pytest.fixture
def entry(customer, fees, source):
    payer, payee = customer(10_000), customer()
    return services.post_entry(
        external_ref=uuid4(), legs=[Leg(payer, -1_050), Leg(payee, 1_000), Leg(fees, 50)], **source
    ).entry_id


@pytest.mark.parametrize("model", LISTS)
def test_an_auditor_reads_every_list_and_a_customer_none(model, auditor, alice, entry, login):
    url = reverse(f"admin:ledger_{model}_changelist")
    assert login(auditor).get(url).status_code == 200
    assert login(alice).get(url).status_code in (302, 403, 404)


def test_an_entry_shows_its_legs_on_their_sides(auditor, entry, login):
    page = login(auditor).get(reverse("admin:ledger_entry_change", args=[entry])).content.decode()
    assert "ledger-legs" in page
    for text in ("10.50", "10.00", "0.50"):
        assert text in page


def test_an_account_shows_its_balance_and_newest_postings(auditor, customer, cash, login):
    account = customer(12_345)
    page = login(auditor).get(reverse("admin:ledger_ledgeraccount_change", args=[account])).content.decode()
    assert page.count("123.45") >= 3
    assert "Rent" in page
    bank = login(auditor).get(reverse("admin:ledger_ledgeraccount_change", args=[cash])).content.decode()
    assert "123.45" in bank


def test_a_hold_shows_how_it_ended(auditor, hold, now, login):
    url = reverse("admin:ledger_hold_change", args=[hold])
    assert "Still active" in login(auditor).get(url).content.decode()
    services.void_hold(hold_id=hold, now=now)
    assert "Voided on 02 Mar 2026" in login(auditor).get(url).content.decode()


@pytest.fixture
def hold(customer, now):
    return services.place_hold(
        external_ref=uuid4(),
        account_id=customer(1_000),
        amount_minor=250,
        expires_at=now + timedelta(days=1),
        source_kind="transfer",
        source_id="7",
        now=now,
    ).hold_id


@pytest.mark.parametrize("model", LISTS)
def test_nobody_adds_changes_or_deletes(model, administrator, auditor, customer, entry, hold, login):
    ids = {"entry": entry, "ledgeraccount": customer(), "hold": hold, "glcode": "1000"}
    for user in (administrator, auditor):
        browser = login(user)
        assert browser.get(reverse(f"admin:ledger_{model}_add")).status_code == 403
        for page in ("change", "delete"):
            url = reverse(f"admin:ledger_{model}_{page}", args=[ids[model]])
            assert browser.post(url, {"post": "yes"}).status_code == 403


def test_search_finds_by_number_and_by_reference(auditor, customer, pay, login):
    ref = uuid4()
    first = pay(customer(100), customer(), 11, external_ref=ref).entry_id
    url = reverse("admin:ledger_entry_changelist")
    for term in (str(first), str(ref)):
        result = login(auditor).get(url, {"q": term}).context["cl"].result_list
        assert [entry.pk for entry in result] == [first]
    assert len(login(auditor).get(url, {"q": "'; DROP TABLE"}).context["cl"].result_list) == 0


@pytest.mark.parametrize("model", ["entry", "ledgeraccount"])
def test_lists_ask_the_same_questions_whatever_their_length(model, auditor, customer, pay, login):
    browser = login(auditor)
    url = reverse(f"admin:ledger_{model}_changelist")
    a, b = customer(1_000), customer()
    pay(a, b, 1)
    browser.get(url)
    with CaptureQueriesContext(connection) as few:
        browser.get(url)
    for _ in range(20):
        pay(a, b, 1)
        customer()
    with CaptureQueriesContext(connection) as many:
        browser.get(url)
    assert len(many) == len(few) <= 15
