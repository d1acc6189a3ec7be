"""Payments in the back office: words and links instead of ids, and what happens when two people act at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fraud import services as fraud
from payments.models import Payment, Status
from tests.payments.conftest import Bank
from tests.payments.factories import CHECKED, case_of, held_payment, pay, posted

pytestmark = pytest.mark.django_db


def detail(payment: Payment) -> str:
    return reverse("admin:payments_payment_change", args=[payment.pk])


def case_page(payment: Payment, deed: str = "change") -> str:
    return reverse(f"admin:fraud_case_{deed}", args=[case_of(payment).pk])


def test_a_payment_leads_to_its_case_entry_and_decision_and_back(bank: Bank, officer: Any, login: Any) -> None:
    client = login(officer)
    held = held_payment(bank.alice, bank.current, bank.bobs)
    shown = client.get(detail(held)).content.decode()
    assert reverse("admin:fraud_decision_change", args=[held.decision_id]) in shown
    assert reverse("admin:ledger_hold_change", args=[held.hold_id]) in shown
    assert reverse("admin:accounts_account_change", args=[bank.bobs.pk]) in shown
    to_case = client.get(reverse("admin:payments_payment_open_case", args=[held.pk]))
    assert to_case["Location"] == case_page(held)
    assert detail(held) in client.get(case_page(held)).content.decode()

    done = pay(bank.alice, bank.current, bank.bobs)
    shown = client.get(detail(done)).content.decode()
    assert reverse("admin:ledger_entry_change", args=[done.entry_id]) in shown
    assert reverse("admin:payments_payment_open_case", args=[done.pk]) not in shown
    assert client.get(reverse("admin:payments_payment_open_case", args=[done.pk])).status_code == 403


def test_the_page_has_words_and_no_codes(bank: Bank, officer: Any, login: Any) -> None:
    held = held_payment(bank.alice, bank.current, bank.bobs, "30.00")
    shown = login(officer).get(detail(held)).content.decode()
    for words in ("Alice Archer", "Bob Baker", "€30.00", "Under review", "Flagged by the checks", "Money reserved"):
        assert words in shown
    for code in ("amount_minor", "&quot;code&quot;", "TEST_RULE", "Amount minor", ">HELD<"):
        assert code not in shown


def test_links_lead_only_where_the_viewer_may_go(bank: Bank, teller: Any, login: Any) -> None:
    done = pay(bank.alice, bank.current, bank.bobs)
    shown = login(teller).get(detail(done)).content.decode()
    assert f"Entry {done.entry_id}" in shown
    assert reverse("admin:ledger_entry_change", args=[done.entry_id]) not in shown
    assert reverse("admin:fraud_decision_change", args=[done.decision_id]) not in shown
    assert reverse("admin:payments_payment_reverse", args=[done.pk]) not in shown


def test_an_officer_releases_what_nobody_could_check(
    bank: Bank, officer: Any, login: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(fraud, "screen", lambda **_: 1 / 0)
        payment = pay(bank.alice, bank.current, bank.bobs)
    client = login(officer)
    queue = client.get(reverse("admin:fraud_case_changelist") + "?status__exact=OPEN").content.decode()
    assert "The checks did not answer" in queue
    assert (
        client.post(case_page(payment, "release"), {"reason": "Phoned the customer", "checks": CHECKED}).status_code
        == 302
    )
    payment.refresh_from_db()
    assert (payment.status, posted(bank.bobs)) == (Status.COMPLETED, 12_500)


def test_of_two_who_reverse_one_wins_and_the_other_is_told(
    bank: Bank, officer: Any, second_officer: Any, login: Any
) -> None:
    done = pay(bank.alice, bank.current, bank.bobs)
    address = reverse("admin:payments_payment_reverse", args=[done.pk])
    first, second = login(officer), login(second_officer)
    assert [client.get(address).status_code for client in (first, second)] == [200, 200]
    assert first.post(address, {"reason": "Sent by mistake"}).status_code == 302
    late = second.post(address, {"reason": "Sent by mistake"})
    assert late.status_code == 422
    assert "Only a completed payment can be reversed, and only once." in late.content.decode()
    assert posted(bank.bobs) == 10_000


def test_the_list_takes_constant_queries(bank: Bank, auditor: Any, login: Any) -> None:
    client = login(auditor)
    address = reverse("admin:payments_payment_changelist")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    pay(bank.alice, bank.current, bank.bobs)
    queries()
    few = queries()
    for _ in range(4):
        pay(bank.alice, bank.current, bank.bobs)
        held_payment(bank.bob, bank.bobs, bank.current)
    assert queries() == few <= 20
