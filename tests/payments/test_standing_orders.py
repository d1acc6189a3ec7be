"""Standing orders: their calendar, their owner's decisions, and that each due date pays once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from accounts import services as accounts
from common.errors import DomainError
from fraud.rules.facts import Outcome
from identity.models import User
from identity.services import WrongPin
from notifications.models import OutboxEvent
from notifications.rules import kinds
from payments import queries, services
from payments.models import Limit, Payment, StandingOrder, StandingRun, Status
from payments.rules.calendar import Plan, Unit
from payments.services import standing_orders
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, at, pay, posted, refuse_decisions_of, verdict

MARCH = at("2026-03-16T09:00:00+00:00")


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (Plan(first=day("2026-01-31"), unit=Unit.MONTH), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (Plan(first=day("2024-02-29"), unit=Unit.MONTH, every=12), ["2024-02-29", "2025-02-28", "2026-02-28"]),
        (Plan(first=day("2026-11-30"), unit=Unit.MONTH, every=3), ["2026-11-30", "2027-02-28", "2027-05-30"]),
        (Plan(first=day("2026-12-28"), unit=Unit.WEEK, every=2), ["2026-12-28", "2027-01-11", "2027-01-25"]),
        (Plan(first=day("2026-05-01"), unit=Unit.ONCE), ["2026-05-01"]),
        (Plan(first=day("2026-05-01"), unit=Unit.WEEK, last=day("2026-05-08")), ["2026-05-01", "2026-05-08"]),
        (Plan(first=day("2026-05-01"), unit=Unit.MONTH, last=day("2026-05-31")), ["2026-05-01"]),
    ],
)
def test_due_dates(plan: Plan, expected: list[str]) -> None:
    count = len(expected) if plan.last is None and plan.unit is not Unit.ONCE else 10
    assert [str(due) for due in plan.dates_from(0, count)] == expected


@pytest.mark.parametrize("terms", [{"every": 0}, {"every": -1}, {"last": date(2026, 4, 30)}])
def test_a_plan_that_makes_no_sense_is_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        Plan(first=date(2026, 5, 1), unit=Unit.MONTH, **terms)


def draft(bank: Bank, **overrides: Any) -> StandingOrder:
    facts: dict[str, Any] = {
        "actor": bank.alice,
        "debit_account_id": bank.current.pk,
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "100.00",
        "unit": "MONTH",
        "first_date": day("2026-03-31"),
        "description": "Rent",
        "now": MARCH,
    }
    return services.draft_standing_order(**{**facts, **overrides})


def order(bank: Bank, **overrides: Any) -> StandingOrder:
    return services.make_standing_order(draft=draft(bank, **overrides), pin=PIN, now=overrides.get("now", MARCH))


def noon(text: str) -> datetime:
    return at(f"{text}T12:00:00+00:00")


def test_a_year_of_rent_is_paid_once_a_month_however_often_the_task_runs(bank: Bank) -> None:
    made = order(bank, amount="50.00")
    for moment in (noon("2026-03-30"), noon("2026-03-31"), noon("2026-03-31"), noon("2026-04-29"), noon("2026-04-30")):
        services.run_due(now=moment)
        services.run_due(now=moment)
    payments = Payment.objects.filter(initiated_by=bank.alice).order_by("created_at")
    assert [(one.status, one.amount_minor, one.channel, one.description) for one in payments] == [
        ("COMPLETED", 50_00, "ORDER", "Rent")
    ] * 2
    assert [run.due_date for run in made.runs.order_by("due_date")] == [day("2026-03-31"), day("2026-04-30")]
    assert posted(bank.bobs) == 200_00
    made.refresh_from_db()
    assert made.next_date == day("2026-05-31")


def test_the_customer_is_told_of_a_new_order_once(bank: Bank) -> None:
    wanted = draft(bank)
    for _ in range(2):
        made = services.make_standing_order(draft=wanted, pin=PIN, now=MARCH, client_id=UUID(int=7))
        wanted = draft(bank)
    event = OutboxEvent.objects.get(user=bank.alice, kind="standing_order_made")
    title, body, url = kinds.write(event.kind, event.data)
    assert title == "You set up a standing order of €100.00 to Bob Baker"
    assert body.startswith(f"It leaves your account {bank.current.masked_number}: each month, first on 31 Mar 2026.")
    assert url == f"/standing-orders/{made.pk}/"


def test_days_that_were_missed_are_made_up_one_by_one(bank: Bank) -> None:
    order(bank, unit="WEEK", first_date=day("2026-03-20"), amount="10.00")
    assert services.run_due(now=noon("2026-04-04")) == 3
    assert posted(bank.bobs) == 130_00


def test_a_scheduled_transfer_ends_after_its_day(bank: Bank) -> None:
    made = order(bank, unit="ONCE")
    assert services.run_due(now=noon("2026-03-31")) == 1
    made.refresh_from_db()
    assert (made.status, made.next_date) == ("ENDED", None)
    assert services.run_due(now=noon("2026-05-31")) == 0


def test_to_an_own_account_and_to_another_bank(bank: Bank) -> None:
    order(bank, payee_number="", payee_name="", credit_account_id=bank.savings.pk)
    order(bank, payee_number="", payee_name="", iban="DE89 3704 0044 0532 0130 00")
    assert services.run_due(now=noon("2026-03-31")) == 2
    assert posted(bank.savings) == 600_00
    assert posted(bank.current) == 800_00
    assert set(Payment.objects.values_list("kind", flat=True)) == {"OWN_TRANSFER", "WITHDRAWAL"}


def test_want_of_money_is_tried_again_and_then_told(bank: Bank, settings: Any) -> None:
    settings.STANDING_ORDER_ATTEMPTS, settings.STANDING_ORDER_RETRY_MINUTES = 3, 60
    made = order(bank, amount="1600.00")
    start = noon("2026-03-31")
    assert services.run_due(now=start) == 0
    assert services.run_due(now=start + timedelta(minutes=59)) == 0
    run = made.runs.get()
    assert (run.status, run.attempts) == ("WAITING", 1)
    services.run_due(now=start + timedelta(minutes=60))
    assert not OutboxEvent.objects.filter(kind="standing_order_failed").exists()
    services.run_due(now=start + timedelta(minutes=120))
    run.refresh_from_db()
    assert (run.status, run.attempts, run.failure_code) == ("FAILED", 3, "insufficient_funds")
    assert OutboxEvent.objects.filter(user=bank.alice, kind="standing_order_failed").count() == 1
    services.run_due(now=start + timedelta(minutes=600))
    assert OutboxEvent.objects.filter(kind="standing_order_failed").count() == 1
    assert not Payment.objects.exists()
    assert posted(bank.current) == 1000_00


def test_money_that_came_meanwhile_is_used(bank: Bank, settings: Any) -> None:
    settings.STANDING_ORDER_RETRY_MINUTES = 60
    made = order(bank, amount="1600.00")
    start = noon("2026-03-31")
    services.run_due(now=start)
    services.deposit_from_sandbox(
        actor=bank.alice,
        account_number=bank.current.number,
        amount="1000.00",
        client_id=uuid4(),
        channel="PORTAL",
        now=start,
    )
    assert services.run_due(now=start + timedelta(hours=1)) == 1
    assert made.runs.get().payment.status == "COMPLETED"


def test_a_frozen_account_fails_at_once_and_the_next_month_is_tried(bank: Bank, officer: User) -> None:
    made = order(bank)
    accounts.freeze_account(actor=officer, account_id=bank.current.pk, reason="A court asks.", now=MARCH)
    services.run_due(now=noon("2026-03-31"))
    assert made.runs.get().failure_code == "account_frozen"
    accounts.unfreeze_account(actor=officer, account_id=bank.current.pk, reason="It is over.", now=MARCH)
    assert services.run_due(now=noon("2026-04-30")) == 1


def test_a_flagged_run_is_held_as_any_payment(bank: Bank) -> None:
    made = order(bank)
    with verdict(Outcome.FLAGGED):
        services.run_due(now=noon("2026-03-31"))
    run = made.runs.get()
    assert (run.status, run.payment.status) == ("DONE", "HELD")


def test_an_order_whose_decision_cannot_be_stored_is_held_and_the_others_are_paid(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [order(bank, amount=amount) for amount in ("9.00", "10.00", "11.00")]
    refuse_decisions_of(1000, monkeypatch)
    services.run_due(now=noon("2026-03-31"))
    assert [each.runs.get().payment.status for each in made] == ["COMPLETED", "HELD", "COMPLETED"]


def test_an_order_that_cannot_be_worked_on_waits_and_the_others_are_paid(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [order(bank, amount=amount) for amount in ("9.00", "10.00", "11.00")]
    original = standing_orders._pay

    def broken(run: StandingRun, *, now: datetime) -> Payment:
        if run.order.amount_minor == 10_00:
            raise RuntimeError("a fault")
        return original(run, now=now)

    with monkeypatch.context() as while_broken:
        while_broken.setattr(standing_orders, "_pay", broken)
        assert services.run_due(now=noon("2026-03-31")) == 2
    assert [each.runs.get().status for each in made] == ["DONE", "WAITING", "DONE"]
    assert services.run_due(now=noon("2026-03-31")) == 1


def test_many_orders_on_one_day_are_no_burst(bank: Bank) -> None:
    for _ in range(8):
        order(bank, amount="1.00")
    assert services.run_due(now=noon("2026-03-31")) == 8
    assert set(Payment.objects.values_list("status", flat=True)) == {"COMPLETED"}
    assert pay(bank.alice, bank.current, bank.bobs, "1.00", now=noon("2026-03-31")).status == Status.COMPLETED


def test_they_do_not_use_up_the_days_limit_but_keep_the_one_per_payment(bank: Bank) -> None:
    Limit.objects.create(
        customer=bank.alice,
        channel="PORTAL",
        set_by="BANK",
        per_payment_minor=100_00,
        daily_minor=100_00,
        changed_at=MARCH,
    )
    with pytest.raises(services.LimitExceeded):
        draft(bank, amount="100.01")
    order(bank)
    order(bank)
    assert services.run_due(now=noon("2026-03-31")) == 2


def test_skip_pause_resume_cancel(bank: Bank) -> None:
    made = order(bank)
    facts: dict[str, Any] = {"actor": bank.alice, "order_id": made.pk, "now": MARCH}
    assert services.skip_next_run(**facts).next_date == day("2026-04-30")
    assert services.run_due(now=noon("2026-03-31")) == 0
    services.pause_standing_order(**facts)
    assert services.run_due(now=noon("2026-04-30")) == 0
    services.resume_standing_order(**facts | {"now": noon("2026-06-15")})
    assert services.run_due(now=noon("2026-06-15")) == 0
    assert services.run_due(now=noon("2026-06-30")) == 1
    assert services.cancel_standing_order(**facts).next_date is None
    assert services.run_due(now=noon("2026-12-31")) == 0
    for change in (services.skip_next_run, services.pause_standing_order, services.cancel_standing_order):
        with pytest.raises(services.StandingOrderOver):
            change(**facts)
    assert [(run.due_date, run.status) for run in made.runs.order_by("due_date")] == [
        (day("2026-03-31"), "SKIPPED"),
        (day("2026-06-30"), "DONE"),
    ]


def test_skipping_the_last_day_ends_it(bank: Bank) -> None:
    made = order(bank, unit="ONCE")
    services.skip_next_run(actor=bank.alice, order_id=made.pk, now=MARCH)
    made.refresh_from_db()
    assert made.status == "ENDED"


def test_a_cancelled_order_gives_up_what_waits(bank: Bank) -> None:
    made = order(bank, amount="1600.00")
    services.run_due(now=noon("2026-03-31"))
    services.cancel_standing_order(actor=bank.alice, order_id=made.pk, now=noon("2026-03-31"))
    services.run_due(now=noon("2026-04-01"))
    assert made.runs.get().status == "SKIPPED"


def test_killed_between_claim_and_payment_it_pays_once(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    made = order(bank)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(standing_orders, "_pay", killed)
        with pytest.raises(KeyboardInterrupt):
            services.run_due(now=noon("2026-03-31"))
    assert made.runs.get().status == "WAITING"
    assert services.run_due(now=noon("2026-03-31")) == 1
    assert services.run_due(now=noon("2026-03-31")) == 0
    assert posted(bank.bobs) == 200_00


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"first_date": day("2026-03-15")}, "invalid_schedule", "first_date"),
        ({"first_date": day("2028-06-01")}, "invalid_schedule", "first_date"),
        ({"last_date": day("2026-03-30")}, "invalid_schedule", "last_date"),
        ({"every": 0}, "invalid_schedule", "every"),
        ({"every": 53}, "invalid_schedule", "every"),
        ({"unit": "CENTURY"}, "invalid_schedule", "unit"),
        ({"amount": "0"}, "invalid_amount", "amount"),
        ({"amount": "1e3"}, "invalid_amount", "amount"),
        ({"payee_name": ""}, "payee_name_missing", "payee_name"),
        ({"iban": "DE00"}, "invalid_iban", "iban"),
        ({"debit_account_id": uuid4()}, "account_not_found", "debit_account"),
    ],
)
def test_bad_input_is_refused_beside_its_field(bank: Bank, facts: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(DomainError) as refusal:
        draft(bank, **facts)
    assert (refusal.value.error_code, refusal.value.field) == (code, field)


def test_it_takes_the_pin_and_only_its_owner_changes_it(bank: Bank) -> None:
    with pytest.raises(WrongPin):
        services.make_standing_order(draft=draft(bank), pin="0000", now=MARCH)
    assert not StandingOrder.objects.exists()
    made = order(bank)
    with pytest.raises(services.StandingOrderNotFound):
        services.cancel_standing_order(actor=bank.bob, order_id=made.pk, now=MARCH)
    with pytest.raises(services.StandingOrderNotFound):
        queries.get_standing_order_for(actor=bank.bob, order_id=made.pk)
    assert queries.runs_of(actor=bank.bob, order_id=made.pk) == []


def test_the_next_three_days_are_shown(bank: Bank) -> None:
    document = queries.standing_order_document(draft(bank))
    assert [str(due) for due in document.next_dates] == ["2026-03-31", "2026-04-30", "2026-05-31"]
    assert (document.how_often, document.name_check, document.payee_name) == ("Each month", "MATCH", "Bob Baker")


Login = Callable[[User], Client]


def test_pages_preview_make_and_change(bank: Bank, login: Login) -> None:
    browser = login(bank.alice)
    assert "No standing order yet" in browser.get("/standing-orders/").content.decode()
    first = timezone.localdate() + timedelta(days=3)
    body = {
        "debit_account": str(bank.current.pk),
        "payee_name": "Bob Baker",
        "payee_number": bank.bobs.number,
        "amount": "25.00",
        "first_date": first.isoformat(),
        "rhythm": "MONTH-1",
        "description": "Rent",
    }
    preview = browser.post("/standing-orders/new/", body)
    assert preview.status_code == 200
    assert "Nothing is set up yet" in preview.content.decode()
    assert not StandingOrder.objects.exists()
    wrong = browser.post("/standing-orders/new/", body | {"confirm": "1", "pin": "0000"})
    assert wrong.status_code == 422
    assert not StandingOrder.objects.exists()
    made = browser.post("/standing-orders/new/", body | {"confirm": "1", "pin": PIN})
    assert made.status_code == 302
    kept = StandingOrder.objects.get()
    page = browser.get(made["Location"]).content.decode()
    assert "Bob Baker" in page
    assert "Each month" in page
    second = date_format(kept.plan.date_of(1), "j M Y")
    for deed, status, told in (
        ("skip", "ACTIVE", f"That day is left out. The next payment is on {second}."),
        ("pause", "PAUSED", "It is paused. Nothing is paid until you resume it."),
        ("resume", "ACTIVE", f"It goes on. The next payment is on {second}."),
        ("cancel", "CANCELLED", "It is cancelled."),
    ):
        assert browser.get(f"/standing-orders/{kept.pk}/{deed}/").status_code == 405
        page = browser.post(f"/standing-orders/{kept.pk}/{deed}/", follow=True)
        assert [str(message) for message in get_messages(page.wsgi_request)] == [told]
        kept.refresh_from_db()
        assert kept.status == status
    assert StandingRun.objects.filter(order=kept, status="SKIPPED").count() == 1
    assert browser.post("/standing-orders/new/", body | {"amount": "-1"}).status_code == 422


def test_the_page_says_when_want_of_money_is_tried_again(bank: Bank, login: Login, settings: Any) -> None:
    settings.STANDING_ORDER_RETRY_MINUTES = 24 * 60
    made = order(bank, amount="1600.00")
    services.run_due(now=noon("2026-03-31"))
    page = login(bank.alice).get(f"/standing-orders/{made.pk}/").content.decode()
    assert "There was not enough money. We try again on 1 Apr, 12:00." in page


def test_leaving_out_the_only_day_says_that_it_has_ended(bank: Bank, login: Login) -> None:
    made = order(bank, unit="ONCE", now=timezone.now(), first_date=timezone.localdate() + timedelta(days=3))
    page = login(bank.alice).post(f"/standing-orders/{made.pk}/skip/", follow=True).content.decode()
    assert "That day is left out. No day is left, so it has ended." in page


def test_a_strangers_order_is_not_there(bank: Bank, login: Login) -> None:
    made = order(bank)
    stranger = login(bank.bob)
    assert stranger.get(f"/standing-orders/{made.pk}/").status_code == 404
    assert stranger.post(f"/standing-orders/{made.pk}/cancel/").status_code == 404


def test_the_api_makes_lists_and_changes(bank: Bank, api: Callable[..., Any]) -> None:
    client = api(bank.alice)
    body = {
        "debit_account": str(bank.current.pk),
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "25.00",
        "unit": "MONTH",
        "every": 1,
        "first_date": (timezone.localdate() + timedelta(days=3)).isoformat(),
        "pin": PIN,
    }
    key = {"HTTP_IDEMPOTENCY_KEY": "standing-order-0001"}
    assert client.post("/api/v1/standing-orders/", body).json()["code"] == "idempotency_key_missing"
    made = client.post("/api/v1/standing-orders/", body, **key)
    assert made.status_code == 201, made.content
    again = client.post("/api/v1/standing-orders/", body, **key)
    assert again.content == made.content
    assert StandingOrder.objects.count() == 1
    order_id = made.json()["id"]
    assert len(made.json()["next_dates"]) == 3
    assert [one["id"] for one in client.get("/api/v1/standing-orders/").json()["results"]] == [order_id]
    assert client.post(f"/api/v1/standing-orders/{order_id}/pause").json()["status"] == "PAUSED"
    assert client.post(f"/api/v1/standing-orders/{order_id}/resume").json()["status"] == "ACTIVE"
    assert client.post(f"/api/v1/standing-orders/{order_id}/cancel").json()["status"] == "CANCELLED"
    assert client.post(f"/api/v1/standing-orders/{order_id}/cancel").json()["code"] == "standing_order_over"
    assert client.get(f"/api/v1/standing-orders/{order_id}/").json()["runs"] == []
    assert api(bank.bob).get(f"/api/v1/standing-orders/{order_id}/").status_code == 404
    assert api(bank.bob).post(f"/api/v1/standing-orders/{order_id}/pause").status_code == 404
