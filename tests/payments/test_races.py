"""Requests at the same time, and failures half way. Each lock has a control that shows the race without it."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from audit import services as audit
from audit.models import AuditEvent
from common import throttle
from common.errors import DomainError
from fraud import services as fraud
from fraud.models import Activity, Decision
from fraud.queries import history
from fraud.services import screening
from identity.models import TransactionPin, User
from ledger import queries as ledger_queries
from ledger import services as ledger
from notifications import services as notifications
from notifications.models import OutboxEvent
from payments import services
from payments.models import Limit, Payment, Status
from payments.services import orders, parties
from tests.accounts.factories import open_test_account
from tests.patience import meeting
from tests.payments.conftest import Bank
from tests.payments.factories import CHECKED, PIN, case_of, held, held_payment, pay, posted

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Callable[[int], Any], times: int, threads: int | None = None) -> list[Any]:
    """Run `work` in parallel, each call on a connection of its thread; a DomainError is a result."""

    def run(index: int) -> Any:
        try:
            return work(index)
        except DomainError as refusal:
            return refusal.error_code
        finally:
            connection.close()

    with ThreadPoolExecutor(threads or times) as pool:
        return list(pool.map(run, range(times)))


def slow_screening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a gap between counting and writing, in which a second request would be counted too late."""
    original = fraud.screen

    def screen(**facts: Any) -> Any:
        answer = original(**facts)
        time.sleep(0.1)
        return answer

    monkeypatch.setattr(fraud, "screen", screen)


def completed(results: list[Any]) -> int:
    return Counter(result.status if isinstance(result, Payment) else result for result in results)[Status.COMPLETED]


def steps_of(customer: User) -> list[int]:
    """The numbers of what this customer asked for, as fraud counts them."""
    steps = Activity.objects.filter(customer_id=customer.public_id, requested=True)
    return sorted(steps.values_list("number", flat=True))


def allowed_one_by_one(bank: Bank) -> int:
    """How many of many transfers the live velocity rule lets through when nothing is parallel."""
    return completed([pay(bank.bob, bank.bobs, bank.current, "1.00") for _ in range(8)])


def test_parallel_transfers_never_pass_the_velocity_limit(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = allowed_one_by_one(bank)
    slow_screening(monkeypatch)
    results = at_once(lambda _: pay(bank.alice, bank.current, bank.bobs, "1.00"), 20)
    assert completed(results) == limit
    assert Payment.objects.filter(initiated_by=bank.alice, status=Status.HELD).count() == 20 - limit
    assert steps_of(bank.alice) == list(range(1, 21))


def test_control_without_the_locks_several_are_judged_by_the_same_past(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then several of the customer's steps have one number: each was thought to be the next."""
    # All five know the past before any of them writes its step.
    monkeypatch.setattr(screening, "derive", meeting(screening.derive, of=5))
    monkeypatch.setattr(parties, "lock_debit_side_first", lambda **_: None)
    monkeypatch.setattr(history, "lock_key", lambda _: secrets.randbits(31))
    at_once(lambda _: pay(bank.alice, bank.current, bank.bobs, "1.00"), 5)
    assert set(steps_of(bank.alice)) == {1}
    assert len(steps_of(bank.alice)) > 1


def limit_a_day(bank: Bank, minor: int) -> None:
    Limit.objects.create(
        customer=bank.alice, channel="PORTAL", set_by="BANK", daily_minor=minor, changed_at=timezone.now()
    )


def test_parallel_transfers_never_pass_the_daily_limit(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_a_day(bank, 3_00)
    slow_screening(monkeypatch)
    results = at_once(lambda _: pay(bank.alice, bank.current, bank.bobs, "1.00"), 20)
    assert Counter(result for result in results if isinstance(result, str)) == {"limit_exceeded": 17}
    assert completed(results) == 3


def test_control_without_the_lock_the_daily_limit_is_passed(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_a_day(bank, 3_00)
    # All twenty are within the limit before any of them is screened.
    monkeypatch.setattr(fraud, "screen", meeting(fraud.screen, of=20))
    monkeypatch.setattr(parties, "lock_debit_side_first", lambda **_: None)
    monkeypatch.setattr(history, "lock_key", lambda _: secrets.randbits(31))
    results = at_once(lambda _: pay(bank.alice, bank.current, bank.bobs, "1.00"), 20)
    assert sum(isinstance(result, Payment) for result in results) > 3


def test_parallel_transfers_never_spend_more_than_there_is(bank: Bank) -> None:
    account = open_test_account(bank.alice, "SAL-EUR", "500.00")
    results = at_once(lambda _: pay(bank.alice, account, bank.bobs, "100.00"), 20)
    paid = [result for result in results if isinstance(result, Payment)]
    assert len(paid) == 5
    assert Counter(result for result in results if not isinstance(result, Payment)) == {"insufficient_funds": 15}
    balance = ledger_queries.balance(account.ledger_account_id)
    assert balance.posted - balance.held == 0
    assert posted(bank.bobs) == 10_000 + 10_000 * completed(paid)


def test_a_double_click_is_one_payment(bank: Bank) -> None:
    review = services.review_transfer(
        actor=bank.alice,
        debit_account_id=bank.current.pk,
        payee_number=bank.bobs.number,
        payee_name="Bob Baker",
        amount="40.00",
        now=timezone.now(),
    )
    results = at_once(
        lambda _: services.confirm_transfer(actor=bank.alice, review_id=review.pk, pin=PIN, now=timezone.now()), 2
    )
    assert {result.pk for result in results} == {Payment.objects.get().pk}
    assert posted(bank.bobs) == 14_000


def test_one_client_id_at_once_is_one_payment(bank: Bank) -> None:
    client_id = uuid4()
    results = at_once(lambda _: pay(bank.alice, bank.current, bank.bobs, client_id=client_id), 10)
    assert len({result.pk for result in results}) == 1
    assert posted(bank.current) == 97_500


def test_release_and_cancel_at_once_end_a_payment_once(bank: Bank, officer: Any) -> None:
    for _ in range(3):
        payment = held_payment(bank.alice, bank.current, bank.bobs, "10.00")
        case = case_of(payment)
        before = posted(bank.bobs)

        def work(index: int, payment: Payment = payment, case: Any = case) -> Any:
            if index:
                return services.cancel_held(actor=bank.alice, payment_id=payment.pk, now=timezone.now())
            return fraud.decide_case(
                actor=officer, case_id=case.pk, decision="RELEASE", reason="fine", now=timezone.now(), checked=CHECKED
            )

        results = at_once(work, 2)
        assert sum(isinstance(result, str) for result in results) == 1, results
        payment.refresh_from_db()
        moved = 1_000 if payment.status == Status.COMPLETED else 0
        assert (posted(bank.bobs) - before, held(bank.current)) == (moved, 0)


def test_two_expiry_runs_at_once_expire_a_payment_once(bank: Bank) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs)
    assert sum(at_once(lambda _: services.expire_held(now=payment.expires_at), 4)) == 1
    assert OutboxEvent.objects.filter(kind="transfer_expired").count() == 1


def test_a_hundred_requests_with_one_key_are_one_payment_with_one_answer(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Far more than a person may send in a minute: here the key alone has to hold.
    monkeypatch.setattr(throttle, "wait_for", lambda limit, key: 0.0)
    body = {
        "debit_account": str(bank.current.pk),
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "40.00",
        "pin": PIN,
    }
    key = str(uuid4())

    def work(_: int) -> tuple[int, bytes]:
        client = APIClient()
        client.force_authenticate(user=bank.alice)
        answer = client.post("/api/v1/transactions/transfer", body, format="json", headers={"Idempotency-Key": key})
        return answer.status_code, answer.content

    answers = at_once(work, 100, threads=20)
    assert {status for status, _ in answers} <= {201, 409}
    assert len({content for status, content in answers if status == 201}) == 1
    assert work(0)[1] == next(content for status, content in answers if status == 201)
    assert posted(bank.bobs) == 14_000
    assert Payment.objects.count() == 1


def test_parallel_guesses_of_the_pin_are_looked_at_five_times_and_each_counts(bank: Bank) -> None:
    """Each guess is checked in the payment's own transaction, the right one among them too: the sixth is not looked at."""
    body = {
        "debit_account": str(bank.current.pk),
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "40.00",
    }

    def guess(index: int) -> str:
        client = APIClient()
        client.force_authenticate(user=bank.alice)
        answer = client.post(
            "/api/v1/transactions/transfer",
            {**body, "pin": f"91{index:02}"},
            format="json",
            headers={"Idempotency-Key": str(uuid4())},
        )
        return str(answer.json()["code"])

    assert Counter(at_once(guess, 20)) == {"wrong_pin": 4, "pin_locked": 16}
    assert TransactionPin.objects.get(user=bank.alice).failed_count == 5
    assert not Payment.objects.exists()


def _fail_after(original: Callable[..., Any]) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        raise RuntimeError("pulled the plug")

    return fail


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (ledger, "post_transfer"),
        (orders, "insert"),
        (audit, "event"),
        (notifications, "event"),
    ],
)
def test_a_failure_at_any_step_leaves_nothing_half_done(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    counts = (Decision.objects.count(), AuditEvent.objects.count(), OutboxEvent.objects.count())
    monkeypatch.setattr(module, name, _fail_after(getattr(module, name)))
    with pytest.raises(RuntimeError, match="pulled the plug"):
        pay(bank.alice, bank.current, bank.bobs)
    assert (posted(bank.current), posted(bank.bobs), Payment.objects.count()) == (100_000, 10_000, 0)
    assert (Decision.objects.count(), AuditEvent.objects.count(), OutboxEvent.objects.count()) == counts


@pytest.mark.parametrize("name", ["place_hold", "post_hold"])
def test_a_failure_around_a_hold_leaves_nothing_half_done(
    bank: Bank, officer: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs)
    monkeypatch.setattr(ledger, name, _fail_after(getattr(ledger, name)))
    decision: dict[str, Any] = {"decision": "RELEASE", "reason": "ok", "now": timezone.now(), "checked": CHECKED}
    steps: dict[str, Callable[[], object]] = {
        "place_hold": lambda: held_payment(bank.alice, bank.current, bank.bobs),
        "post_hold": lambda: fraud.decide_case(actor=officer, case_id=case_of(payment).pk, **decision),
    }
    with pytest.raises(RuntimeError, match="pulled the plug"):
        steps[name]()
    payment.refresh_from_db()
    assert (payment.status, held(bank.current), Payment.objects.count()) == (Status.HELD, 2_500, 1)
    assert case_of(payment).status == "OPEN"


def test_parallel_ticks_pay_a_standing_order_once(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    draft = services.draft_standing_order(
        actor=bank.alice,
        debit_account_id=bank.current.pk,
        payee_number=bank.bobs.number,
        payee_name="Bob Baker",
        amount="10.00",
        unit="WEEK",
        first_date=timezone.localdate(now),
        now=now,
    )
    order = services.make_standing_order(draft=draft, pin=PIN, now=now)
    slow_screening(monkeypatch)
    later = now + timedelta(weeks=4)
    at_once(lambda _: services.run_due(now=later), 8)
    # A day whose order another worker held is left to the next tick; after that nothing waits.
    services.run_due(now=later)
    assert services.run_due(now=later) == 0
    assert order.runs.filter(status="DONE").count() == 5
    assert posted(bank.bobs) == 150_00
