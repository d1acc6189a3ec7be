"""One definition: a replay over columns gives the bits that requests got, one by one, from the database."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from common.db import use_case
from fraud import services as fraud
from fraud.models import Activity, Case, Decision, EntityReport, Label
from fraud.rules.features import ENTITY_FEATURES, MODEL_FEATURES, SCHEMA_HASH, VECTOR_FEATURES, numbers
from fraud.rules.features.arithmetic import CHANNEL_CODES, LATEST, TYPE_CODES, UNKNOWN, microseconds
from fraud.rules.features.replay import NEVER, Events, replay
from fraud.services.history import rebuild_missing, remember_release, report_entities
from tests.fraud.conftest import NOON, do_screen, make_facts

ISSUE = """transaction_amount flag_amount transfer_type_encoded transfer_type_risk channel_encoded deviation_from_avg
amount_to_max_ratio rolling_std user_avg_amount user_std_amount user_max_amount user_txn_frequency intl_ratio hour
day_of_week is_weekend is_night time_since_last recent_burst txn_count_30s txn_count_10min txn_count_1hour
transaction_velocity hourly_total hourly_count daily_total daily_count weekly_total weekly_txn_count weekly_avg_amount
weekly_deviation monthly_txn_count monthly_avg_amount monthly_deviation amount_vs_monthly_avg user_high_risk_txn_ratio
user_multiple_accounts_flag cross_account_transfer_ratio geo_anomaly_flag is_new_beneficiary beneficiary_txn_count_30d"""
COLUMNS = ("customer", "account", "payee", "device", "ip", "amount_minor", "type_code", "channel_code")


@dataclass
class Tape:
    """What was screened, released and found out, in the order it happened, as columns for the replay."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[uuid.UUID | None] = field(default_factory=list)

    def add(self, decision: Decision | None, **row: Any) -> None:
        self.rows.append({"known_us": NEVER, **row})
        self.decisions.append(decision.pk if decision else None)

    def events(self) -> Events:
        columns = {
            name: np.array([row[name] for row in self.rows], dtype=np.int64) for name in (*COLUMNS, "at_us", "known_us")
        }
        flags = {
            name: np.array([row[name] for row in self.rows], dtype=bool) for name in ("away", "requested", "settled")
        }
        return Events(**columns, **flags)


def some_facts(dice: random.Random, at: Any) -> dict[str, Any]:
    return {
        "customer_id": uuid.UUID(int=dice.randrange(1, 4)),
        "account_ref": uuid.UUID(int=dice.choice([7, 7, 7, 8])),
        "beneficiary_ref": f"PAYEE-{dice.randrange(5)}",
        "amount_minor": dice.choice([dice.randrange(1, 90_00), dice.randrange(1, 9000_00), 4_000_000_000]),
        "amount_base_minor": None if dice.random() < 0.05 else dice.randrange(1, 9000_00),
        "transfer_type": dice.choice(list(TYPE_CODES)),
        "channel": dice.choice(list(CHANNEL_CODES)),
        "country": dice.choice(["DE", "DE", "NG", ""]),
        "device": dice.choice(["", "phone", "laptop"]),
        "ip": dice.choice(["", "203.0.113.9", "203.0.113.10"]),
        "at": at,
    }


def as_row(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "at_us": microseconds(facts["at"]),
        "customer": facts["customer_id"].int,
        "account": facts["account_ref"].int,
        "payee": int(facts["beneficiary_ref"][-1]),
        "device": {"": UNKNOWN, "phone": 0, "laptop": 1}[facts["device"]],
        "ip": {"": UNKNOWN, "203.0.113.9": 0, "203.0.113.10": 1}[facts["ip"]],
        "amount_minor": UNKNOWN if facts["amount_base_minor"] is None else facts["amount_base_minor"],
        "type_code": TYPE_CODES[facts["transfer_type"]],
        "channel_code": CHANNEL_CODES[facts["channel"]],
        "away": facts["country"] == "NG",
    }


def record(dice: random.Random, officer: Any, *, payments: int) -> Tape:
    """Screen random payments of three customers; some held ones are released, some turn out to be fraud."""
    tape = Tape()
    at = NOON
    for _ in range(payments):
        at += timedelta(seconds=dice.choice([1, 20, 300, 2000, 40_000, 250_000]), microseconds=dice.randrange(1000))
        told = some_facts(dice, at)
        with use_case():
            verdict = fraud.screen(facts=make_facts(**told))
        decision = Decision.objects.get(pk=verdict.decision_id)
        row = as_row(told)
        tape.add(decision, **row, requested=True, settled=decision.outcome == "APPROVED")
        if decision.outcome == "FLAGGED" and dice.random() < 0.5:
            at += timedelta(seconds=60)
            with use_case():
                remember_release(decision=decision, now=at)
            tape.add(None, **{**row, "at_us": microseconds(at)}, requested=False, settled=True)
        if dice.random() < 0.15:
            at += timedelta(seconds=60)
            with use_case():
                report_entities(
                    Label.objects.create(decision=decision, is_fraud=True, labelled_by=officer, labelled_at=at)
                )
            index = tape.decisions.index(decision.pk)
            tape.rows[index]["known_us"] = microseconds(at)
    return tape


def test_the_41_bear_the_names_that_were_agreed() -> None:
    assert list(MODEL_FEATURES) == ISSUE.split()
    assert len(ENTITY_FEATURES) == 18


@pytest.mark.parametrize("seed", [1, 2])
def test_a_replay_equals_the_requests_bit_for_bit(db: None, officer: Any, seed: int) -> None:
    tape = record(random.Random(seed), officer, payments=120)
    rows = replay(tape.events())
    stored = Decision.objects.in_bulk([decision for decision in tape.decisions if decision])
    seen = 0
    for row, decision_id in zip(rows, tape.decisions, strict=True):
        if decision_id is None:
            assert np.isnan(row).all()
            continue
        decision = stored[decision_id]
        online = np.array(numbers(decision.features))
        different = [
            (name, left, right)
            for name, left, right in zip(VECTOR_FEATURES, online, row, strict=True)
            if not (left == right or (np.isnan(left) and np.isnan(right)))
        ]
        assert not different, (seed, decision.at, different)
        assert decision.schema_hash == SCHEMA_HASH
        seen += 1
    assert seen == 120


def test_the_history_of_an_older_bank_is_rebuilt_as_it_would_have_been(db: None, officer: Any, as_owner: Any) -> None:
    dice = random.Random(5)
    for hours in range(30):
        with use_case():
            fraud.screen(facts=make_facts(**some_facts(dice, NOON + timedelta(hours=hours))))
    case = Case.objects.filter(outcome="FLAGGED").earliest("opened_at")
    with use_case():
        remember_release(decision=case.decision, now=NOON + timedelta(hours=40))
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE fraud_case SET status = 'RELEASED', decided_at = %s, decided_by_id = %s, reason = 'x' WHERE id = %s",
            [NOON + timedelta(hours=40), officer.pk, case.pk],
        )
        before = list(Activity.objects.order_by("customer_id", "number").values())
        cursor.execute("DELETE FROM fraud_activity")
        cursor.execute("SET session_replication_role = origin")
    with use_case():
        assert rebuild_missing() == len(before) == 31
    with use_case():
        assert rebuild_missing() == 0
    after = list(Activity.objects.order_by("customer_id", "number").values())
    assert after == before


def test_a_clock_that_goes_back_does_not_turn_the_history_around(db: None) -> None:
    for seconds in (0, -3600, -7200):
        with use_case():
            fraud.screen(facts=make_facts(at=NOON + timedelta(seconds=seconds)))
    latest = Decision.objects.get(at=NOON - timedelta(seconds=7200)).features
    assert (latest["txn_count_30s"], latest["time_since_last"]) == (3, 0)
    assert list(Activity.objects.order_by("number").values_list("at", flat=True)) == [NOON] * 3


@pytest.mark.parametrize("kept", [True, False])
def test_the_largest_amount_leaves_the_quarter_with_its_payment(db: None, as_owner: Any, kept: bool) -> None:
    payer = uuid.uuid4()

    def largest_before(days: int, minor: int) -> Any:
        at = NOON + timedelta(days=days)
        made = do_screen(customer_id=payer, amount_minor=minor, amount_base_minor=minor, at=at)
        return Decision.objects.get(pk=made.decision_id).features["max_amount_90d"]

    assert [largest_before(days, minor) for days, minor in ((0, 50_00), (40, 30_00), (60, 20_00))] == [
        None,
        50_00,
        50_00,
    ]
    if not kept:
        # Steps that were written before each kept the largest so far.
        with as_owner() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE fraud_activity SET largest_minor = NULL, largest_number = NULL")
            cursor.execute("SET session_replication_role = origin")
    assert [largest_before(days, 10_00) for days in (95, 145, 146, 300)] == [30_00, 20_00, 20_00, None]


def test_a_confirmed_fraud_counts_against_the_payee_from_that_moment_on(
    flagged: Any, screen: Any, officer: Any
) -> None:
    case = flagged(beneficiary_ref="MULE")
    other = uuid.UUID(int=9)

    def rate(minutes: int) -> float:
        verdict = screen(customer_id=other, beneficiary_ref="MULE", at=NOON + timedelta(minutes=minutes))
        return Decision.objects.get(pk=verdict.decision_id).features["beneficiary_fraud_rate_1d"]

    assert rate(1) == 0
    fraud.decide_case(
        actor=officer, case_id=case.pk, decision="DECLINE", reason="Mule", now=NOON + timedelta(minutes=2)
    )
    assert EntityReport.objects.filter(is_fraud=True, entity="beneficiary").count() == 1
    assert rate(3) == 0.5
    assert rate(2 + 24 * 60) == 0


def test_a_cleared_payment_is_kept_and_raises_no_rate(flagged: Any, officer: Any) -> None:
    case = flagged()
    fraud.decide_case(actor=officer, case_id=case.pk, decision="RELEASE", reason="Phoned", now=NOON)
    assert set(EntityReport.objects.values_list("entity", "is_fraud")) == {("beneficiary", False), ("ip", False)}


def test_counts_of_a_busy_entity_stop_at_a_thousand() -> None:
    size = LATEST + 50
    zeros = np.zeros(size, dtype=np.int64)
    events = Events(
        at_us=np.arange(size, dtype=np.int64),
        customer=np.arange(size, dtype=np.int64),
        account=zeros,
        payee=zeros,
        device=zeros - 1,
        ip=zeros - 1,
        amount_minor=zeros + 100,
        type_code=zeros + 3,
        channel_code=zeros + 4,
        away=zeros > 0,
        requested=zeros == 0,
        settled=zeros == 0,
        known_us=np.full(size, NEVER),
    )
    counts = replay(events)[:, VECTOR_FEATURES.index("beneficiary_count_1d")]
    assert (counts[10], counts[-1]) == (10, LATEST)


def test_events_out_of_order_are_refused() -> None:
    one = np.array([2, 1])
    yes = np.array([True, True])
    columns = dict.fromkeys(COLUMNS, np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="order of time"):
        replay(Events(at_us=one, known_us=one, away=yes, requested=yes, settled=yes, **columns))
