"""Submitting transfers: every outcome, every refusal, and requests that come twice."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts import services as accounts
from accounts.rules.fees import Operation, flat
from audit.models import AuditEvent
from common.db import database
from common.errors import DomainError
from fraud import services as fraud
from fraud.models import Decision
from fraud.rules.facts import Outcome
from ledger import queries as ledger
from notifications.models import OutboxEvent
from payments import services
from payments.models import Channel, HoldCause, Payment, Status
from payments.services import orders
from tests.accounts.factories import open_test_account, set_test_fee
from tests.payments.conftest import Bank
from tests.payments.factories import case_of, held, pay, posted, verdict

pytestmark = pytest.mark.django_db


def told(user: Any) -> list[str]:
    return list(OutboxEvent.objects.filter(user=user, kind__startswith="transfer").values_list("kind", flat=True))


def test_an_approved_transfer_moves_the_money_and_tells_both_sides(bank: Bank) -> None:
    payment = pay(bank.alice, bank.current, bank.bobs, "250.00", description="Rent")
    assert payment.status == Status.COMPLETED
    assert payment.payee_match == "MATCH"
    assert (posted(bank.current), posted(bank.bobs)) == (75_000, 35_000)
    assert told(bank.alice) == ["transfer_completed"]
    assert OutboxEvent.objects.filter(user=bank.bob, kind="money_received").count() == 1
    assert AuditEvent.objects.filter(action="transfer.completed", subject_id=str(payment.pk)).count() == 1
    line = ledger.recent_lines(bank.bobs.ledger_account_id, limit=1)[0]
    assert line.source_id == str(payment.pk)
    assert line.description == "Alice Archer to Bob Baker. Rent"


def test_the_fee_of_the_product_goes_to_fee_income(bank: Bank) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, flat(150))
    income = ledger.balance(services.orders._internal("4100", "EUR")).posted
    payment = pay(bank.alice, bank.current, bank.bobs, "10.00")
    assert payment.fee_minor == 150
    assert (posted(bank.current), posted(bank.bobs)) == (100_000 - 1_150, 11_000)
    assert ledger.balance(services.orders._internal("4100", "EUR")).posted - income == 150


def test_the_fee_must_be_covered_too(bank: Bank) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, flat(150))
    available = ledger.balance(bank.current.ledger_account_id).available
    assert available is not None
    with pytest.raises(services.NotEnoughMoney) as refusal:
        pay(bank.alice, bank.current, bank.bobs, f"{available / 100:.2f}")
    assert refusal.value.field == "amount"
    assert posted(bank.current) == 100_000


def test_a_flagged_transfer_reserves_amount_and_fee_and_pays_nobody(bank: Bank) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, flat(150))
    now = timezone.now()
    with verdict(Outcome.FLAGGED):
        payment = pay(bank.alice, bank.current, bank.bobs, "100.00", now=now)
    assert payment.status == Status.HELD
    assert payment.hold_cause == HoldCause.FLAGGED
    assert payment.expires_at == now + timedelta(hours=72)
    assert (posted(bank.current), held(bank.current), posted(bank.bobs)) == (100_000, 10_150, 10_000)
    assert payment.reasons == [{"code": "TEST_RULE", "text": "This payment looks unlike you."}]
    assert told(bank.alice) == ["transfer_held"]
    assert not OutboxEvent.objects.filter(user=bank.bob, kind="money_received").exists()


def test_a_blocked_transfer_is_recorded_as_refused_and_moves_nothing(bank: Bank) -> None:
    with verdict(Outcome.BLOCKED):
        payment = pay(bank.alice, bank.current, bank.bobs)
    assert payment.status == Status.REFUSED
    assert payment.refusal_text == "This payment looks unlike you."
    assert case_of(payment).outcome == "BLOCKED"
    assert (posted(bank.current), held(bank.current), posted(bank.bobs)) == (100_000, 0, 10_000)
    assert told(bank.alice) == ["transfer_refused"]


def test_the_live_velocity_rule_holds_the_seventh_transfer(bank: Bank) -> None:
    now = timezone.now()
    outcomes = [pay(bank.alice, bank.current, bank.bobs, "1.00", now=now).status for _ in range(7)]
    assert outcomes[:5] == [Status.COMPLETED] * 5
    assert outcomes[-1] == Status.HELD


def test_a_large_transfer_from_abroad_is_held(bank: Bank) -> None:
    rich = open_test_account(bank.alice, "CUR-EUR", "9000.00")
    payment = pay(bank.alice, rich, bank.bobs, "5000.01", country="JP")
    assert payment.status == Status.HELD
    assert [reason["code"] for reason in payment.reasons] == ["LARGE_AWAY_FROM_HOME"]


def test_a_scorer_that_fails_holds_the_transfer(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> Any:
        raise RuntimeError("no model")

    monkeypatch.setattr(fraud, "screen", broken)
    payment = pay(bank.alice, bank.current, bank.bobs)
    assert (payment.status, payment.hold_cause) == (Status.HELD, HoldCause.UNSCREENED)
    assert held(bank.current) == 2_500


def test_a_scorer_whose_query_fails_holds_the_transfer(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> Any:
        Payment.objects.raw("SELECT no_such_column FROM payments_payment")[0]

    monkeypatch.setattr(fraud, "screen", broken)
    payment = pay(bank.alice, bank.current, bank.bobs)
    assert payment.hold_cause == HoldCause.UNSCREENED


def test_a_scorer_that_hangs_in_the_database_holds_the_transfer(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(**_: Any) -> Any:
        list(Payment.objects.raw("SELECT id, pg_sleep(600) FROM accounts_account LIMIT 1"))

    monkeypatch.setattr(orders, "SCREENING_BUDGET_SECONDS", 0.1)
    monkeypatch.setattr(fraud, "screen", slow)
    started = time.monotonic()
    payment = pay(bank.alice, bank.current, bank.bobs)
    assert time.monotonic() - started < 600
    assert payment.hold_cause == HoldCause.UNSCREENED


def test_a_scorer_that_answers_too_late_holds_the_transfer(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    original = fraud.screen

    def late(**facts: Any) -> Any:
        answer = original(**facts)
        time.sleep(0.3)
        return answer

    monkeypatch.setattr(orders, "SCREENING_BUDGET_SECONDS", 0.2)
    monkeypatch.setattr(fraud, "screen", late)
    payment = pay(bank.alice, bank.current, bank.bobs)
    assert payment.hold_cause == HoldCause.UNSCREENED
    # The approval that came too late is not kept: it would make the payee a known one.
    assert [decision.outcome for decision in Decision.objects.filter(subject_id=payment.pk)] == ["FLAGGED"]


def test_a_decision_whose_rows_the_database_refuses_fails_the_transfer_as_a_whole(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = fraud.screen

    def refused(**facts: Any) -> Any:
        answer = original(**facts)
        database().later("SELECT pg_sleep(600)", writes=True)
        return answer

    before = posted(bank.current)
    monkeypatch.setattr(orders, "SCREENING_BUDGET_SECONDS", 0.5)
    monkeypatch.setattr(fraud, "screen", refused)
    # The API and the portal answer it with 503: it may be sent again.
    with pytest.raises(OperationalError):
        pay(bank.alice, bank.current, bank.bobs)
    assert (posted(bank.current), Payment.objects.count(), Decision.objects.count()) == (before, 0, 0)
    monkeypatch.setattr(fraud, "screen", original)
    assert pay(bank.alice, bank.current, bank.bobs).status == Status.COMPLETED


# fmt: off
BAD_AMOUNTS = [

    "-1.00",
    "0",
    "0.00",
    "NaN",
    "Infinity",
    "1e3",
    "1E309",
    "0.001",
    "1,000.00",
    "1 000",
    "",
    "  ",
    "+5",
    "10" * 12,
    "１０",
    "0x10",
]


@pytest.mark.parametrize("amount", BAD_AMOUNTS)
def test_refuses_a_bad_amount_beside_its_field(bank: Bank, amount: str) -> None:
    with pytest.raises(DomainError) as refusal:
        pay(bank.alice, bank.current, bank.bobs, amount)
    assert (refusal.value.error_code, refusal.value.field) == ("invalid_amount", "amount")
    assert not Payment.objects.exists()


def test_refuses_more_than_the_account_has(bank: Bank) -> None:
    with pytest.raises(services.NotEnoughMoney) as refusal:
        pay(bank.alice, bank.current, bank.bobs, "99999.00")
    assert refusal.value.field == "amount"
    assert not Payment.objects.exists()


def test_refuses_payees_that_cannot_be_paid(bank: Bank, officer: Any, charlie: Any) -> None:
    dollars = open_test_account(bank.bob, "WAL-USD", "100.00")
    frozen = open_test_account(bank.bob, "CUR-EUR", "100.00")
    accounts.freeze_account(actor=officer, account_id=frozen.pk, reason="court order", now=timezone.now())
    closed = open_test_account(bank.bob, "CUR-EUR", "100.00")
    accounts.close_account(actor=bank.bob, account_id=closed.pk, payout_account_id=bank.bobs.pk, now=timezone.now())
    cases = [
        (bank.savings.number, "own_account"),
        (bank.current.number, "own_account"),
        (dollars.number, "currency_mismatch"),
        (frozen.number, "payee_account_not_usable"),
        (closed.number, "payee_account_not_usable"),
        ("BP00000000000000", "unknown_payee"),
        ("no number at all", "unknown_payee"),
        ("", "unknown_payee"),
    ]
    for number, code in cases:
        with pytest.raises(DomainError) as refusal:
            pay(bank.alice, bank.current, bank.bobs, payee_number=number)
        assert (refusal.value.error_code, refusal.value.field) == (code, "payee_number"), number
    assert not Payment.objects.exists()


def test_refuses_somebody_elses_account_as_if_it_did_not_exist(bank: Bank) -> None:
    for account_id in (bank.bobs.pk, uuid.uuid4()):
        with pytest.raises(services.AccountNotFound):
            pay(bank.alice, bank.current, bank.bobs, debit_account_id=account_id)


def test_refuses_an_own_account_that_is_frozen(bank: Bank, officer: Any) -> None:
    accounts.freeze_account(actor=officer, account_id=bank.current.pk, reason="court order", now=timezone.now())
    with pytest.raises(services.AccountNotUsable) as refusal:
        pay(bank.alice, bank.current, bank.bobs)
    assert (refusal.value.error_code, refusal.value.field) == ("account_frozen", "debit_account")


def test_refuses_another_currency_than_the_accounts(bank: Bank) -> None:
    with pytest.raises(DomainError) as refusal:
        pay(bank.alice, bank.current, bank.bobs, currency="USD")
    assert (refusal.value.error_code, refusal.value.field) == ("currency_mismatch", "currency")


def test_refuses_a_missing_payee_name_and_an_endless_description(bank: Bank) -> None:
    with pytest.raises(services.PayeeNameMissing):
        pay(bank.alice, bank.current, bank.bobs, payee_name="  ")
    with pytest.raises(services.DescriptionTooLong):
        pay(bank.alice, bank.current, bank.bobs, description="x" * 141)


def test_the_same_request_twice_is_one_payment(bank: Bank) -> None:
    client_id = uuid.uuid4()
    first = pay(bank.alice, bank.current, bank.bobs, client_id=client_id)
    again = pay(bank.alice, bank.current, bank.bobs, client_id=client_id)
    assert first.pk == again.pk
    assert posted(bank.current) == 97_500


def test_the_same_client_id_for_something_else_is_a_conflict(bank: Bank) -> None:
    client_id = uuid.uuid4()
    pay(bank.alice, bank.current, bank.bobs, client_id=client_id)
    with pytest.raises(services.ClientIdReused):
        pay(bank.alice, bank.current, bank.bobs, "26.00", client_id=client_id)
    assert posted(bank.current) == 97_500


def own_transfer(bank: Bank, **overrides: Any) -> Payment:
    facts: dict[str, Any] = {
        "actor": bank.alice,
        "debit_account_id": bank.current.pk,
        "credit_account_id": bank.savings.pk,
        "amount": "100.00",
        "client_id": uuid.uuid4(),
        "channel": Channel.PORTAL,
        "now": timezone.now(),
    }
    return services.submit_own_transfer(**{**facts, **overrides})


def test_a_transfer_between_own_accounts_is_free_and_sends_one_message(bank: Bank) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, flat(150))
    payment = own_transfer(bank)
    assert (payment.status, payment.fee_minor, payment.payee_match) == (Status.COMPLETED, 0, "")
    assert (posted(bank.current), posted(bank.savings)) == (90_000, 60_000)
    assert told(bank.alice) == ["transfer_completed"]


def test_own_transfers_stay_between_own_usable_accounts(bank: Bank, officer: Any) -> None:
    dollars = open_test_account(bank.alice, "WAL-USD", "100.00")
    for credit, error in (
        (bank.bobs.pk, services.AccountNotFound),
        (bank.current.pk, services.SameAccount),
        (dollars.pk, services.PayeeCurrencyDiffers),
    ):
        with pytest.raises(error) as refusal:
            own_transfer(bank, credit_account_id=credit)
        assert refusal.value.field == "credit_account"
    accounts.freeze_account(actor=officer, account_id=bank.savings.pk, reason="court order", now=timezone.now())
    with pytest.raises(services.AccountNotUsable):
        own_transfer(bank)
    assert posted(bank.current) == 100_000
