"""Facts with sensible defaults, a stored past, and a subject kind whose handlers write down what they were asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.db import use_case
from fraud import services as fraud
from fraud import subjects
from fraud.models import Case, Rule
from fraud.rules.facts import Facts, Verdict
from fraud.services import backtests

# A Wednesday at noon.
NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
KIND = "test_order"


def make_facts(**changes: Any) -> Facts:
    values: dict[str, Any] = {
        "subject_kind": KIND,
        "subject_id": uuid.uuid4(),
        "customer_id": uuid.UUID(int=1),
        "account_ref": uuid.UUID(int=2),
        "amount_minor": 10_00,
        "currency": "EUR",
        "at": NOON,
        "transfer_type": "INTERNAL",
        "channel": "PORTAL",
        "beneficiary_ref": "PAYEE-1",
        "ip": "203.0.113.9",
        "country": "DE",
        "home_country": "DE",
    }
    values.update(changes)
    values.setdefault("amount_base_minor", values["amount_minor"])
    return Facts(**values)


def do_screen(**changes: Any) -> Verdict:
    with use_case():
        return fraud.screen(facts=make_facts(**changes))


def try_on_the_past(now: datetime = NOON) -> None:
    """Run the backtests that wait, as a worker would."""
    for backtest_id in backtests.waiting(now=now):
        backtests.run_backtest(backtest_id=backtest_id, now=now)


def put_in_shadow(rule: Rule, *, now: datetime = NOON) -> Rule:
    """Its author takes a draft as far as one person can."""
    fraud.submit_rule(actor=rule.maker, rule_id=rule.pk, reason="Ready", now=now)
    try_on_the_past(now)
    return fraud.shadow_rule(actor=rule.maker, rule_id=rule.pk, reason="Looks right", now=now)


@dataclass
class Orders:
    """What the owner of a subject kind does: here it only remembers."""

    released: list[uuid.UUID] = field(default_factory=list)
    declined: list[uuid.UUID] = field(default_factory=list)
    fail_with: Exception | None = None

    def release(self, *, subject_id: uuid.UUID, actor: Any, reason: str, now: datetime) -> None:
        if self.fail_with:
            raise self.fail_with
        self.released.append(subject_id)

    def decline(self, *, subject_id: uuid.UUID, actor: Any, reason: str, now: datetime) -> None:
        if self.fail_with:
            raise self.fail_with
        self.declined.append(subject_id)


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Orders]:
    monkeypatch.setattr(subjects, "_registered", dict(subjects._registered))
    made = Orders()
    subjects.register(KIND, release=made.release, decline=made.decline)
    return made


@pytest.fixture
def facts() -> Callable[..., Facts]:
    return make_facts


@pytest.fixture
def screen(db: None) -> Callable[..., Verdict]:
    return do_screen


@pytest.fixture
def flagged(screen: Callable[..., Verdict], orders: Orders) -> Callable[..., Case]:
    """A case about a large payment asked for abroad."""

    def make(**changes: Any) -> Case:
        changes.setdefault("amount_minor", 6000_00)
        changes.setdefault("country", "NG")
        return Case.objects.get(decision_id=screen(**changes).decision_id)

    return make


@pytest.fixture
def later() -> Callable[..., datetime]:
    return lambda **length: NOON + timedelta(**length)
