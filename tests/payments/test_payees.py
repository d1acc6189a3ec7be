"""Saved payees: the name check, the PIN, who sees them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from common.errors import DomainError
from identity.models import User
from identity.services import WrongPin
from notifications.models import OutboxEvent
from payments import queries, services
from payments.models import Payee
from payments.services import payees
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, give_pin

IBAN = "DE89 3704 0044 0532 0130 00"


def save(actor: User, **facts: Any) -> Payee:
    return services.save_payee(actor=actor, **{"pin": PIN, "now": timezone.now(), **facts})


@pytest.mark.parametrize(
    ("name", "match"), [("Bob Baker", "MATCH"), ("Bob Bakker", "CLOSE"), ("Eve Evans", "NO_MATCH")]
)
def test_the_name_is_checked_and_the_outcome_kept(bank: Bank, name: str, match: str) -> None:
    payee = save(bank.alice, name=name, number=bank.bobs.grouped_number)
    assert (payee.account, payee.name_match) == (bank.bobs, match)


def test_an_iban_is_kept_in_its_electronic_form(bank: Bank) -> None:
    payee = save(bank.alice, name="  Landlord Ltd ", iban=IBAN)
    assert (payee.name, payee.iban, payee.account, payee.name_match) == (
        "Landlord Ltd",
        "DE89370400440532013000",
        None,
        "",
    )


def test_it_takes_the_pin(bank: Bank) -> None:
    with pytest.raises(WrongPin):
        save(bank.alice, name="Bob Baker", number=bank.bobs.number, pin="0000")
    assert not Payee.objects.exists()


def test_the_customer_is_told(bank: Bank) -> None:
    save(bank.alice, name="Bob Baker", number=bank.bobs.number)
    assert OutboxEvent.objects.filter(user=bank.alice, kind="payee_saved").count() == 1


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"name": "Bob", "number": "BP00000000000000"}, "unknown_payee", "payee_number"),
        ({"name": "Bob", "number": "OWN"}, "own_account", "payee_number"),
        ({"name": " ", "number": "BOB"}, "payee_name_missing", "payee_name"),
        ({"name": "", "iban": IBAN}, "payee_name_missing", "payee_name"),
        ({"name": "Landlord", "iban": "DE00 3704 0044 0532 0130 00"}, "invalid_iban", "iban"),
        ({"name": "x" * 141, "iban": IBAN}, "payee_name_too_long", "payee_name"),
    ],
)
def test_bad_input_is_refused_beside_its_field(bank: Bank, facts: dict[str, str], code: str, field: str) -> None:
    numbers = {"OWN": bank.savings.number, "BOB": bank.bobs.number}
    if "number" in facts:
        facts = facts | {"number": numbers.get(facts["number"], facts["number"])}
    with pytest.raises(DomainError) as refusal:
        save(bank.alice, **facts)
    assert (refusal.value.error_code, refusal.value.field) == (code, field)
    assert not Payee.objects.exists()


def test_a_payee_is_saved_once_until_it_is_removed(bank: Bank) -> None:
    first = save(bank.alice, name="Bob Baker", number=bank.bobs.number)
    with pytest.raises(services.PayeeSaved):
        save(bank.alice, name="Robert", number=bank.bobs.number)
    services.remove_payee(actor=bank.alice, payee_id=first.pk, now=timezone.now())
    second = save(bank.alice, name="Bob Baker", number=bank.bobs.number)
    assert [found.payee for found in queries.payees_for(bank.alice, now=timezone.now())] == [second]


def test_a_strangers_payee_is_not_there(bank: Bank) -> None:
    payee = save(bank.alice, name="Bob Baker", number=bank.bobs.number)
    give_pin(bank.bob)
    with pytest.raises(services.PayeeNotFound):
        services.remove_payee(actor=bank.bob, payee_id=payee.pk, now=timezone.now())
    with pytest.raises(services.PayeeNotFound):
        queries.get_payee_for(actor=bank.bob, payee_id=payee.pk, now=timezone.now())
    assert queries.payees_for(bank.bob, now=timezone.now()) == []


def test_there_is_a_most(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payees, "MOST_PAYEES", 1)
    save(bank.alice, name="Landlord", iban=IBAN)
    with pytest.raises(services.TooManyPayees):
        save(bank.alice, name="Bob Baker", number=bank.bobs.number)


def test_a_list_says_which_payees_are_new(bank: Bank) -> None:
    now = timezone.now()
    save(bank.alice, name="Landlord", iban=IBAN, now=now - timedelta(hours=24))
    save(bank.alice, name="Bob Baker", number=bank.bobs.number, now=now - timedelta(hours=23))
    assert [(found.payee.name, found.is_new) for found in queries.payees_for(bank.alice, now=now)] == [
        ("Bob Baker", True),
        ("Landlord", False),
    ]


Login = Callable[[User], Client]


def test_pages_save_pay_and_remove(bank: Bank, login: Login) -> None:
    browser = login(bank.alice)
    page = browser.get("/payees/")
    assert "No payee yet" in page.content.decode()
    page = browser.post("/payees/add/", {"name": "Bob Baker", "payee_number": bank.bobs.number, "pin": "9999"})
    assert page.status_code == 422
    assert "not right" in page.content.decode().lower()
    page = browser.post("/payees/add/", {"name": "Bob Baker", "payee_number": bank.bobs.number, "pin": PIN})
    assert page.status_code == 302
    payee = Payee.objects.get()
    listed = browser.get("/payees/").content.decode()
    assert "Bob Baker" in listed
    assert f"/transfer/?payee={payee.pk}" in listed
    form = browser.get(f"/transfer/?payee={payee.pk}").content.decode()
    assert f'value="{bank.bobs.grouped_number}"' in form
    assert 'value="Bob Baker"' in form
    assert browser.post(f"/payees/{payee.pk}/remove/").status_code == 302
    assert "Bob Baker" not in browser.get("/payees/").content.decode()


@pytest.mark.parametrize(
    ("name", "told", "badge"),
    [
        ("Bob Baker", "You saved Bob Baker.", None),
        ("Bob Bakker", "The name on the account is close, but not the same", "Close name"),
        ("Eve Evans", "but the account belongs to another name", "Another name"),
    ],
)
def test_the_page_tells_what_the_name_check_found(
    bank: Bank, login: Login, name: str, told: str, badge: str | None
) -> None:
    browser = login(bank.alice)
    facts = {"name": name, "payee_number": bank.bobs.number, "pin": PIN}
    page = browser.post("/payees/add/", facts, follow=True).content.decode()
    assert told in page
    assert [each for each in ("Close name", "Another name") if each in page] == ([badge] if badge else [])


def test_pages_of_another_customers_payee_are_404(bank: Bank, login: Login) -> None:
    payee = save(bank.alice, name="Bob Baker", number=bank.bobs.number)
    stranger = login(bank.bob)
    assert stranger.get(f"/payees/{payee.pk}/remove/").status_code == 404
    assert stranger.post(f"/payees/{payee.pk}/remove/").status_code == 404
    assert stranger.get(f"/transfer/?payee={payee.pk}").status_code == 404
    assert stranger.get("/transfer/?payee=nonsense").status_code == 404


def test_the_api_saves_lists_and_removes(bank: Bank, api: Callable[..., Any]) -> None:
    client = api(bank.alice)
    body = {"name": "Bob Bakker", "payee_number": bank.bobs.number, "pin": PIN}
    made = client.post("/api/v1/payees/", body)
    assert made.status_code == 201, made.content
    answer = made.json()
    assert (answer["name_check"], answer["is_new"], answer["payee_number"]) == ("CLOSE", True, bank.bobs.grouped_number)
    assert client.post("/api/v1/payees/", body).json()["code"] == "payee_saved"
    assert client.post("/api/v1/payees/", {"name": "X", "pin": PIN}).status_code == 400
    assert [one["id"] for one in client.get("/api/v1/payees/").json()["results"]] == [answer["id"]]
    assert api(bank.bob).delete(f"/api/v1/payees/{answer['id']}/").status_code == 404
    assert client.delete(f"/api/v1/payees/{answer['id']}/").status_code == 204
    assert client.delete(f"/api/v1/payees/{answer['id']}/").status_code == 404
    assert client.get(f"/api/v1/payees/{uuid4()}/").status_code == 404


def test_the_api_shows_limits_and_what_is_used(bank: Bank, api: Callable[..., Any]) -> None:
    client = api(bank.alice)
    answer = client.get("/api/v1/limits/").json()
    portal = next(one for one in answer["channels"] if one["channel"] == "PORTAL")
    assert portal["daily"] == {"limit": "25000.00", "bank": "25000.00", "own": None, "used": "0.00"}
    changed = client.put("/api/v1/limits/API/", {"per_payment": None, "daily": "10.00", "monthly": None, "pin": PIN})
    assert changed.status_code == 200, changed.content
    assert changed.json()["daily"] == {"limit": "10.00", "bank": "25000.00", "own": "10.00", "used": "0.00"}
    refused = client.put("/api/v1/limits/API/", {"per_payment": None, "daily": "30000.00", "monthly": None, "pin": PIN})
    assert (refused.status_code, refused.json()["code"]) == (422, "limit_too_high")
    assert client.put("/api/v1/limits/TELLER/", {"daily": "1.00", "pin": PIN}).status_code == 404


def test_the_limits_page_shows_use_and_takes_own_limits(bank: Bank, login: Login) -> None:
    browser = login(bank.alice)
    page = browser.get("/limits/").content.decode()
    assert "€25,000.00" in page
    answer = browser.post("/limits/portal/", {"per_payment": "", "daily": "10.00", "monthly": "", "pin": PIN})
    assert answer.status_code == 302
    assert "€10.00" in browser.get("/limits/").content.decode()
    answer = browser.post("/limits/portal/", {"per_payment": "", "daily": "-1", "monthly": "", "pin": PIN})
    assert answer.status_code == 422
    assert browser.get("/limits/teller/").status_code == 404
