"""Ways around the bank's rules that were tried once and worked: each must fail for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient
from stdnum.iso7064 import mod_97_10

from common.errors import DomainError
from identity import services as identity
from identity.models import User
from ledger import queries as ledger
from notifications.models import OutboxEvent
from payments import services
from payments.models import Limit, Payment, StandingOrder, StandingRun
from tests.accounts.factories import open_test_account
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, at, give_pin, pay, posted

MORNING = at("2026-03-16T09:00:00+00:00")


@pytest.fixture
def bank(alice: User, bob: User) -> Bank:
    """Alice has a current and a savings account and a PIN; Bob has a current account."""
    give_pin(alice)
    return Bank(
        alice=alice,
        bob=bob,
        current=open_test_account(alice, "CUR-EUR", "1000.00"),
        savings=open_test_account(alice, "SAV-EUR", "500.00"),
        bobs=open_test_account(bob, "CUR-EUR", "100.00"),
    )


def set_bank_limits(**minor: int) -> None:
    Limit.objects.update_or_create(
        customer=None, channel="PORTAL", set_by="BANK", defaults={**minor, "changed_at": MORNING}
    )


def make_order(bank: Bank, **terms: Any) -> StandingOrder:
    facts: dict[str, Any] = {
        "actor": bank.alice,
        "debit_account_id": bank.current.pk,
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "100.00",
        "unit": "ONCE",
        "first_date": date(2026, 3, 17),
        "now": MORNING,
    }
    return services.make_standing_order(
        draft=services.draft_standing_order(**{**facts, **terms}), pin=PIN, now=facts["now"]
    )


# --- Limits ------------------------------------------------------------------------------------------------


def test_orders_for_tomorrow_are_no_way_around_the_limit_for_new_payees(bank: Bank) -> None:
    set_bank_limits(new_payee_minor=150_00)
    for _ in range(3):
        make_order(bank)
    services.run_due(now=MORNING + timedelta(hours=16))
    assert posted(bank.bobs) == 100_00 + 100_00
    assert sorted(StandingRun.objects.values_list("status", "failure_code")) == [
        ("DONE", ""),
        ("FAILED", "limit_exceeded"),
        ("FAILED", "limit_exceeded"),
    ]


@pytest.mark.parametrize("window", ["daily_minor", "monthly_minor"])
def test_orders_for_tomorrow_are_no_way_around_the_limits_of_a_day_and_a_month(bank: Bank, window: str) -> None:
    set_bank_limits(**{window: 150_00})
    for _ in range(3):
        make_order(bank)
    services.run_due(now=MORNING + timedelta(hours=16))
    assert posted(bank.bobs) == 100_00 + 100_00
    with pytest.raises(DomainError) as refusal:
        pay(bank.alice, bank.current, bank.bobs, "60.00", now=MORNING + timedelta(hours=17))
    assert refusal.value.error_code == "limit_exceeded"


def test_an_order_for_today_above_what_is_left_is_refused_at_once(bank: Bank) -> None:
    set_bank_limits(new_payee_minor=150_00)
    with pytest.raises(DomainError) as refusal:
        make_order(bank, amount="151.00", first_date=date(2026, 3, 16))
    assert (refusal.value.error_code, refusal.value.field) == ("limit_exceeded", "amount")


def test_an_order_that_stood_for_a_day_is_paid_as_it_was_confirmed(bank: Bank) -> None:
    set_bank_limits(new_payee_minor=50_00, daily_minor=120_00)
    make_order(bank, unit="WEEK", first_date=date(2026, 3, 20))
    assert services.run_due(now=at("2026-03-20T06:00:00+00:00")) == 1
    assert pay(bank.alice, bank.current, bank.bobs, "40.00", now=at("2026-03-22T06:00:00+00:00")).amount_minor == 40_00


@pytest.mark.parametrize("spelling", ["DE\u0668\u0669370400440532013000", "DE8937040044053201300\u0966"])
def test_another_spelling_of_an_iban_is_no_other_payee(bank: Bank, spelling: str) -> None:
    with pytest.raises(DomainError) as refusal:
        services.check_payee(actor=bank.alice, name="Erika", iban=spelling)
    assert refusal.value.error_code == "invalid_iban"


def test_an_iban_has_one_pair_of_check_digits(bank: Bank) -> None:
    aliases = [f"DE{digits}3704004405320{tail:05d}" for tail in range(400) for digits in ("00", "01", "99")]
    fitting = [one for one in aliases if mod_97_10.is_valid(one[4:] + one[:4])]
    assert fitting
    for one in fitting:
        with pytest.raises(DomainError):
            services.check_payee(actor=bank.alice, name="Erika", iban=one)


# --- Standing orders ---------------------------------------------------------------------------------------


def test_a_run_that_waits_is_not_paid_while_its_order_is_paused(bank: Bank) -> None:
    order = make_order(bank, unit="WEEK", amount="1600.00")
    when = at("2026-03-17T12:00:00+00:00")
    assert services.run_due(now=when) == 0
    services.pause_standing_order(actor=bank.alice, order_id=order.pk, now=when)
    services.deposit_from_sandbox(
        actor=bank.alice,
        account_number=bank.current.number,
        amount="900.00",
        client_id=uuid4(),
        channel="API",
        now=when,
    )
    assert services.run_due(now=when + timedelta(hours=12)) == 0
    assert StandingRun.objects.get().status == "SKIPPED"
    assert posted(bank.bobs) == 100_00


def test_the_days_of_an_order_can_be_left_out_only_so_far_ahead(bank: Bank) -> None:
    order = make_order(bank, unit="MONTH", every=52)
    services.skip_next_run(actor=bank.alice, order_id=order.pk, now=MORNING)
    with pytest.raises(DomainError) as refusal:
        services.skip_next_run(actor=bank.alice, order_id=order.pk, now=MORNING)
    assert refusal.value.error_code == "invalid_schedule"
    assert StandingRun.objects.count() == 1


def test_two_clicks_set_up_one_standing_order(bank: Bank, login: Callable[[User], Client]) -> None:
    client = login(bank.alice)
    facts = {
        "debit_account": str(bank.current.pk),
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "25.00",
        "rhythm": "ONCE-1",
        "first_date": timezone.localdate().isoformat(),
    }
    preview = client.post("/standing-orders/new/", facts)
    form = preview.context["form"]
    hidden = {name: form[name].value() or "" for name in form.fields if name != "pin"}
    answers = [client.post("/standing-orders/new/", {**hidden, "confirm": "1", "pin": PIN}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert StandingOrder.objects.count() == 1


# --- Names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Bob\x00Baker", "Bob \u202eBaker", "Bob\x1b[31m Baker", "Bob\u200bBaker"])
def test_a_payees_name_is_one_line_of_visible_characters(bank: Bank, name: str) -> None:
    with pytest.raises(DomainError) as refusal:
        pay(bank.alice, bank.current, bank.bobs, payee_name=name)
    assert refusal.value.field == "payee_name"
    with pytest.raises(DomainError):
        services.check_payee(actor=bank.alice, name=name, number=bank.bobs.number)


def test_who_pays_is_told_by_the_checked_name_not_by_the_greeting(bank: Bank, api: Callable[..., APIClient]) -> None:
    identity.change_name(actor=bank.alice, full_name="Tax Office Refunds")
    payment = pay(bank.alice, bank.current, bank.bobs, payee_name="Bob Baker")
    told = OutboxEvent.objects.get(user=bank.bob, kind="money_received").data["payer"]
    line = ledger.recent_lines(bank.bobs.ledger_account_id, limit=1)[0].description
    seen = api(bank.bob).get(f"/api/v1/transactions/history/{payment.pk}").data["other_name"]
    listed = api(bank.bob).get("/api/v1/transactions/history").data["results"][0]["other_name"]
    assert (told, seen, listed) == ("Alice Archer",) * 3
    assert line.startswith("Alice Archer to ")


# --- Odd inputs --------------------------------------------------------------------------------------------


def test_json_nested_beyond_measure_is_a_bad_request(bank: Bank, api: Callable[..., APIClient]) -> None:
    answer = api(bank.alice).post(
        "/api/v1/transactions/transfer",
        "[" * 100_000,
        content_type="application/json",
        headers={"Idempotency-Key": "k" * 20},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert Payment.objects.count() == 0


def test_half_a_character_in_a_choice_is_a_bad_request(bank: Bank, api: Callable[..., APIClient]) -> None:
    body = '{"product": "CUR-EUR", "amount": "10.00", "source": "\\ud800"}'
    answer = api(bank.alice).post(
        "/api/v1/accounts/", body, content_type="application/json", headers={"Idempotency-Key": "k" * 20}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/accounts/open/%00/", "/limits/%00/", "/activity/?page=%00&text=%00", "/auth/login/?next=%00"]
)
def test_a_nul_byte_in_an_address_is_no_failure(bank: Bank, login: Callable[[User], Client], path: str) -> None:
    assert login(bank.alice).get(path).status_code < 500
