"""Stored payments decided again: other thresholds, and the engine after something changed. No payment is touched."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.errors import Forbidden, Invalid
from fraud import services as fraud
from fraud.models import Backtest, Case, Decision, Label, ModelFile, Rule, Ruleset, ThresholdConfig
from fraud.rules.learning.stack import Scale
from fraud.services import backtests, switches
from tests.conftest import owner_rights
from tests.fraud.conftest import NOON, try_on_the_past
from tests.fraud.test_registry import golden, in_charge, keep, stack

__all__ = ["golden", "in_charge", "keep", "stack"]
DAY = timedelta(days=1)
AMOUNTS = (50_00, 150_00, 250_00, 400_00, 900_00, 4000_00)
# The supervised layer's own number is 0 to 1; its scale leaves it so that thresholds decide.
PLAIN = Scale((0.0, 1.0), (0.0, 1.0))


def pay(screen: Any, *, start: int) -> list[Any]:
    """The same payments by customers that nothing links to others."""
    return [
        screen(
            amount_minor=minor,
            customer_id=uuid.UUID(int=start + at),
            account_ref=uuid.UUID(int=start + 100 + at),
            beneficiary_ref=f"PAYEE-{start + at}",
            device=f"Phone {start + at}",
            ip=f"203.0.{start % 250}.{at + 1}",
            country="NG" if minor > 3000_00 else "DE",
        )
        for at, minor in enumerate(AMOUNTS)
    ]


def tried(officer: Any, flag_at: float, block_at: float) -> dict[str, Any]:
    asked = fraud.request_threshold_backtest(
        actor=officer, flag_at=flag_at, block_at=block_at, from_at=NOON - DAY, to_at=NOON + DAY, now=NOON + DAY
    )
    done = backtests.run_backtest(backtest_id=asked.pk, now=NOON + DAY)
    assert (done.error, done.decisions_done) == ("", done.decisions_total)
    return done.result


def test_thresholds_of_then_give_what_live_gave(in_charge: Any, screen: Any, officer: Any) -> None:
    in_charge(supervised=PLAIN)
    live = Counter(str(verdict.outcome) for verdict in pay(screen, start=1000))
    assert len(live) > 1
    result = tried(officer, 0.5, 0.8)
    assert (result["moves"], result["shown"]) == ({}, [])
    assert result["then"] == result["now"]
    assert result["now"]["alerts"] == live["FLAGGED"] + live["BLOCKED"]


@pytest.mark.parametrize(("flag_at", "block_at"), [(0.05, 0.2), (0.9, 0.999), (0.3, 0.999)])
def test_other_thresholds_give_what_live_gives_with_them(
    in_charge: Any, screen: Any, officer: Any, flag_at: float, block_at: float
) -> None:
    in_charge(supervised=PLAIN)
    pay(screen, start=1000)
    result = tried(officer, flag_at, block_at)
    switches.set_thresholds(actor=officer, flag_at=flag_at, block_at=block_at, reason="Trial", now=NOON)
    live = Counter(str(verdict.outcome) for verdict in pay(screen, start=2000))
    assert result["now"]["alerts"] == live["FLAGGED"] + live["BLOCKED"]
    assert result["now"]["blocked"] == live["BLOCKED"]


def test_what_changes_is_weighed_by_what_people_know(in_charge: Any, screen: Any, officer: Any) -> None:
    in_charge(supervised=PLAIN)
    verdicts = pay(screen, start=1000)
    let_through = [verdict for verdict in verdicts if verdict.outcome == "APPROVED"]
    stopped = [verdict for verdict in verdicts if verdict.outcome != "APPROVED"]
    assert let_through
    assert stopped
    for verdict, is_fraud in ((let_through[0], True), (stopped[0], False)):
        Label.objects.create(decision_id=verdict.decision_id, is_fraud=is_fraud, labelled_by=officer, labelled_at=NOON)
    strict = tried(officer, 1e-9, 1.0)
    assert strict["saved_minor"] == Decision.objects.get(pk=let_through[0].decision_id).amount_base_minor
    assert strict["customers_bothered"] == len(let_through) - 1
    assert (strict["now"]["recall"], strict["then"]["recall"]) == (1.0, 0.0)
    assert {row["decision"] for row in strict["shown"]} >= {str(verdict.decision_id) for verdict in let_through}


def test_a_model_that_cannot_be_opened_is_told(in_charge: Any, screen: Any, officer: Any) -> None:
    in_charge(supervised=PLAIN)
    pay(screen, start=1000)
    with owner_rights() as cursor:
        cursor.execute("SET session_replication_role = replica")
        ModelFile.objects.filter(name="supervised").update(data=b"broken")
        cursor.execute("SET session_replication_role = origin")
    asked = fraud.request_threshold_backtest(
        actor=officer, flag_at=0.4, block_at=0.9, from_at=NOON - DAY, to_at=NOON + DAY, now=NOON + DAY
    )
    done = backtests.run_backtest(backtest_id=asked.pk, now=NOON + DAY)
    assert "cannot be opened" in done.error
    assert done.result == {}
    with pytest.raises(fraud.BacktestUnfinished):
        fraud.use_thresholds(actor=officer, backtest_id=asked.pk, reason="Better", now=NOON + DAY)


@pytest.mark.parametrize(("flag_at", "block_at"), [(0.0, 0.5), (0.8, 0.5), (0.5, 1.1), (float("nan"), 0.9)])
def test_thresholds_that_cannot_be_are_refused(officer: Any, flag_at: float, block_at: float) -> None:
    with pytest.raises(Invalid) as caught:
        tried(officer, flag_at, block_at)
    assert caught.value.field == "flag_at"


def settle(at: datetime) -> None:
    Ruleset.objects.update(changed_at=at)


def run_the_clock(now: datetime) -> Backtest | None:
    asked = backtests.ask_after_change(now=now)
    try_on_the_past(now)
    return Backtest.objects.get(pk=asked.pk) if asked else None


def test_the_last_day_is_decided_again_once_after_a_change(screen: Any, officer: Any) -> None:
    settle(NOON - DAY)
    verdict = screen(beneficiary_ref="MULE")
    screen(beneficiary_ref="LANDLORD")
    now = NOON + timedelta(hours=1)
    first = run_the_clock(now)
    assert first is not None
    assert (first.result["decisions"], first.result["moves"]) == (2, {})
    assert run_the_clock(now) is None
    fraud.add_entries(actor=officer, listing="BLOCK", kind="PAYEE", values=["MULE"], reason="A ring", now=now)
    assert run_the_clock(now + timedelta(seconds=30)) is None
    again = run_the_clock(now + timedelta(minutes=2))
    assert again is not None
    assert again.result["moves"] == {"APPROVED BLOCKED": 1}
    assert again.result["shown"] == [
        {"decision": str(verdict.decision_id), "then": "APPROVED", "now": "BLOCKED", "codes": ["BLOCK_LIST"]}
    ]
    assert Decision.objects.get(pk=verdict.decision_id).outcome == "APPROVED"
    assert not Case.objects.exists()
    assert run_the_clock(now + timedelta(hours=1)) is None


def test_rules_snoozes_and_models_count_too(in_charge: Any, screen: Any, officer: Any, second_officer: Any) -> None:
    large = {"amount_minor": 6000_00, "country": "NG"}
    assert screen(**large).outcome == "FLAGGED"
    settle(NOON)
    rule = Rule.objects.get(code="LARGE_AWAY_FROM_HOME")
    fraud.snooze_rule(actor=officer, code=rule.code, who=str(uuid.UUID(int=2)), days=7, reason="Travels", now=NOON)
    quiet = run_the_clock(NOON + timedelta(minutes=5))
    assert quiet is not None
    assert quiet.result["moves"] == {"FLAGGED APPROVED": 1}
    fraud.retire_rule(actor=second_officer, rule_id=rule.pk, reason="Trial", now=NOON + timedelta(minutes=10))
    retired = run_the_clock(NOON + timedelta(minutes=15))
    assert retired is not None
    assert retired.result["customers_spared"] == 1
    in_charge(at=NOON + timedelta(minutes=20), supervised=Scale((0.0, 1.0), (0.9, 0.95)))
    blocked = run_the_clock(NOON + timedelta(minutes=25))
    assert blocked is not None
    assert blocked.result["moves"] == {"FLAGGED BLOCKED": 1}


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_backtest_{name}", args=args)


def test_thresholds_are_tried_and_used_from_the_back_office(
    officer: Any, auditor: Any, login: Callable[[Any], Client], screen: Any
) -> None:
    screen(at=timezone.now() - timedelta(hours=1))
    browser = login(officer)
    assert "Flag from 0.5, block from 0.8" in browser.get(page("thresholds")).content.decode()
    wrong = browser.post(page("thresholds"), {"flag_at": "0.9", "block_at": "0.4", "days": "7"})
    assert wrong.status_code == 422
    assert browser.post(page("thresholds"), {"flag_at": "0.4", "block_at": "0.9", "days": "7"}).status_code == 302
    asked = Backtest.objects.get()
    assert "It waits for a worker" in browser.get(page("change", asked.pk)).content.decode()
    early = browser.post(page("use", asked.pk), {"reason": "Fewer alerts"})
    assert early.status_code == 422
    assert "no result yet" in early.content.decode()
    try_on_the_past(timezone.now())
    shown = browser.get(page("change", asked.pk)).content.decode()
    assert "Payments decided again" in shown
    assert page("use", asked.pk) in shown
    assert page("use", asked.pk) not in login(auditor).get(page("change", asked.pk)).content.decode()
    browser.post(page("use", asked.pk), {"reason": "Fewer alerts"})
    assert ThresholdConfig.objects.get().flag_at == 0.4
    assert browser.get(page("changelist")).status_code == 200


def test_thresholds_need_the_right(officer: Any, teller: Any, auditor: Any) -> None:
    for actor in (teller, auditor):
        with pytest.raises(Forbidden):
            tried(actor, 0.4, 0.9)
    asked = fraud.request_threshold_backtest(
        actor=officer, flag_at=0.4, block_at=0.9, from_at=NOON - DAY, to_at=NOON, now=NOON
    )
    with pytest.raises(Forbidden):
        fraud.use_thresholds(actor=teller, backtest_id=asked.pk, reason="Mine", now=NOON)
