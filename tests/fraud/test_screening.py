"""Screening: the shipped rules at their exact boundaries, what is stored, and what it costs."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.db import NoTransaction, use_case
from fraud import services as fraud
from fraud.models import Case, Decision, Rule
from fraud.queries import history
from fraud.rules.facts import Facts, Outcome, Verdict
from fraud.rules.features import SCHEMA_HASH
from fraud.services import engine, screening
from tests.fraud.conftest import NOON, do_screen, make_facts
from tests.patience import PATIENCE

Screen = Callable[..., Verdict]


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def outcomes(screen: Screen, *, count: int, every: timedelta, **facts: Any) -> list[str]:
    return [screen(at=NOON + index * every, **facts).outcome.value for index in range(count)]


def test_the_sixth_transfer_in_ten_minutes_is_flagged_and_the_fifth_is_not(screen: Screen) -> None:
    assert outcomes(screen, count=6, every=timedelta(minutes=1)) == ["APPROVED"] * 5 + ["FLAGGED"]


def test_a_transfer_exactly_ten_minutes_old_counts_no_more(screen: Screen) -> None:
    outcomes(screen, count=5, every=timedelta(minutes=1))
    assert screen(at=NOON + timedelta(minutes=10)).outcome is Outcome.APPROVED


def test_the_sixteenth_transfer_in_an_hour_is_flagged_and_the_fifteenth_is_not(screen: Screen) -> None:
    seen = outcomes(screen, count=16, every=timedelta(minutes=3, seconds=30))
    assert seen == ["APPROVED"] * 15 + ["FLAGGED"]


def test_other_customers_do_not_count(screen: Screen) -> None:
    for index in range(6):
        assert screen(customer_id=uuid.UUID(int=index), at=NOON).outcome is Outcome.APPROVED


@pytest.mark.parametrize(("amount", "outcome"), [(5000_00, Outcome.APPROVED), (5000_01, Outcome.FLAGGED)])
def test_more_than_5000_away_from_home_is_flagged(screen: Screen, amount: int, outcome: Outcome) -> None:
    assert screen(amount_minor=amount, country="NG").outcome is outcome


def test_a_large_amount_at_home_or_from_nowhere_is_approved(screen: Screen) -> None:
    assert screen(amount_minor=9000_00).outcome is Outcome.APPROVED
    assert screen(amount_minor=9000_00, country="", customer_id=uuid.UUID(int=5)).outcome is Outcome.APPROVED


def test_the_limit_is_in_the_base_currency(screen: Screen) -> None:
    assert (
        screen(amount_minor=4000_00, currency="GBP", amount_base_minor=5000_01, country="NG").outcome is Outcome.FLAGGED
    )


@pytest.mark.parametrize(("amount", "flagged"), [(300_00, False), (300_01, True)])
def test_three_times_the_maximum_to_a_new_payee(screen: Screen, amount: int, flagged: bool) -> None:
    screen(amount_minor=100_00)
    verdict = screen(amount_minor=amount, beneficiary_ref="PAYEE-2", at=NOON + timedelta(days=1))
    assert codes(verdict) == (["LARGE_TO_NEW_PAYEE"] if flagged else [])


def test_a_known_payee_may_get_more(screen: Screen) -> None:
    screen(amount_minor=100_00)
    assert screen(amount_minor=900_00, at=NOON + timedelta(days=1)).outcome is Outcome.APPROVED


def test_without_an_earlier_payment_there_is_nothing_to_compare_with(screen: Screen) -> None:
    assert screen(amount_minor=4000_00).outcome is Outcome.APPROVED


def test_the_maximum_is_forgotten_after_90_days_and_ignores_own_transfers_and_held_ones(screen: Screen) -> None:
    screen(amount_minor=100_00)
    screen(amount_minor=5000_00, transfer_type="OWN", at=NOON + timedelta(minutes=1))
    assert screen(amount_minor=6000_00, country="NG", at=NOON + timedelta(minutes=2)).outcome is Outcome.FLAGGED
    late = NOON + timedelta(days=90, minutes=-1)
    assert codes(screen(amount_minor=301_00, beneficiary_ref="PAYEE-2", at=late)) == ["LARGE_TO_NEW_PAYEE"]
    forgotten = NOON + timedelta(days=90)
    assert screen(amount_minor=301_00, beneficiary_ref="PAYEE-3", at=forgotten).outcome is Outcome.APPROVED


def test_a_released_payment_becomes_the_new_maximum_and_its_payee_known(
    screen: Screen, flagged: Callable[..., Case], officer: Any
) -> None:
    screen(amount_minor=100_00)
    at = NOON + timedelta(days=1)
    case = flagged(amount_minor=400_00, country="DE", beneficiary_ref="PAYEE-2", at=at)
    with use_case():
        again = fraud.screen(facts=make_facts(amount_minor=400_00, beneficiary_ref="PAYEE-2", at=at))
    assert codes(again) == ["LARGE_TO_NEW_PAYEE"]
    fraud.decide_case(actor=officer, case_id=case.pk, decision="RELEASE", reason="Phoned", now=at)
    after = screen(amount_minor=900_00, beneficiary_ref="PAYEE-3", at=at + timedelta(hours=1))
    assert after.outcome is Outcome.APPROVED


def test_without_a_rate_a_person_decides(screen: Screen) -> None:
    verdict = screen(currency="JPY", amount_base_minor=None)
    assert verdict.outcome is Outcome.FLAGGED
    assert codes(verdict) == ["UNKNOWN_AMOUNT"]


def test_the_decision_keeps_what_was_known(screen: Screen) -> None:
    verdict = screen(amount_minor=6000_00, country="NG", ip="not an address")
    decision = Decision.objects.get(pk=verdict.decision_id)
    assert decision.outcome == "FLAGGED"
    assert decision.features["amount_base"] == 6000_00
    assert decision.features["away_from_home"] is True
    assert decision.schema_hash == SCHEMA_HASH
    assert decision.rule_versions == {"LARGE_AWAY_FROM_HOME": 1, "LARGE_TO_NEW_PAYEE": 1, "VELOCITY": 1}
    assert decision.reasons[0]["code"] == "LARGE_AWAY_FROM_HOME"
    assert decision.reasons[0]["detail"].endswith("Amount: €6,000.00; Away from home: yes")
    assert decision.ip is None
    assert decision.case.status == "OPEN"
    assert 0.5 <= verdict.score < 0.8


def test_an_approved_payment_opens_no_case(screen: Screen) -> None:
    assert not Case.objects.filter(decision_id=screen().decision_id).exists()


def test_a_block_rule_refuses_and_opens_a_case(screen: Screen, officer: Any) -> None:
    rule = Rule.objects.get(code="VERY_LARGE_AWAY_TO_NEW_PAYEE")
    before = screen(amount_minor=20_000_01, country="NG")
    assert before.outcome is Outcome.FLAGGED
    fraud.approve_rule(actor=officer, rule_id=rule.pk, reason="Agreed", now=NOON)
    verdict = screen(amount_minor=20_000_01, country="NG")
    assert verdict.outcome is Outcome.BLOCKED
    assert verdict.score > 0.8
    assert Case.objects.get(decision_id=verdict.decision_id).outcome == "BLOCKED"


def test_a_change_of_the_rules_counts_at_the_next_payment(screen: Screen, officer: Any) -> None:
    assert screen(amount_minor=6000_00, country="NG").outcome is Outcome.FLAGGED
    rule = Rule.objects.get(code="LARGE_AWAY_FROM_HOME")
    fraud.retire_rule(actor=officer, rule_id=rule.pk, reason="Trial", now=NOON)
    assert screen(amount_minor=6000_00, country="NG").outcome is Outcome.APPROVED


def test_a_rule_that_cannot_be_read_holds_every_payment(
    screen: Screen, as_owner: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_loaded", engine.NOTHING_LOADED)
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("""UPDATE fraud_rule SET condition = '{"feature": "gone"}' WHERE code = 'VELOCITY'""")
        cursor.execute("UPDATE fraud_ruleset SET token = gen_random_uuid()")
        cursor.execute("SET session_replication_role = origin")
    verdict = screen()
    assert verdict.outcome is Outcome.FLAGGED
    assert codes(verdict) == ["VELOCITY"]


def test_a_payment_that_could_not_be_screened_waits_for_a_person(db: None) -> None:
    with use_case():
        verdict = fraud.hold_unscreened(facts=make_facts())
    assert verdict.outcome is Outcome.FLAGGED
    decision = Decision.objects.get(pk=verdict.decision_id)
    assert decision.case.status == "OPEN"
    assert decision.schema_hash == ""


def test_it_needs_the_callers_transaction(db: None) -> None:
    with pytest.raises(NoTransaction):
        fraud.screen(facts=make_facts())


def test_it_asks_once_and_writes_once(screen: Screen) -> None:
    screen()
    with use_case(), CaptureQueriesContext(connection) as captured:
        fraud.screen(facts=make_facts())
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert [sql.lstrip()[:6] for sql in statements] == ["EXECUT", "EXECUT"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False])
def test_parallel_transfers_cannot_slip_under_the_limit(locked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight at once: exactly three are flagged. The control takes the lock away and shows that the race is real: all
    eight judge the same past, and only the numbers of the steps keep seven of them out."""
    do_screen(customer_id=uuid.UUID(int=77))
    now = timezone.now()
    gate = threading.Barrier(8)
    found: list[str] = []
    if not locked:
        monkeypatch.setattr(history, "lock_key", lambda _: secrets.randbits(31))
        real = screening.derive

        def wait(**given: Any) -> Any:
            gate.wait(timeout=PATIENCE)
            return real(**given)

        monkeypatch.setattr(screening, "derive", wait)

    def one() -> None:
        try:
            found.append(do_screen(at=now).outcome.value)
        except IntegrityError:
            found.append("COLLIDED")
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert found.count("FLAGGED") == (3 if locked else 0)
    assert found.count("COLLIDED") == (0 if locked else 7)


def test_facts_type_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Facts.__setattr__(make_facts(), "amount_minor", 1)
