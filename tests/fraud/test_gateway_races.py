"""The same transaction asked about at the same time, alone and in a batch. A control shows the race without the lock."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from common.db import use_case
from fraud.models import Activity, Decision, GatewayTransaction
from fraud.rules.gateway import Gateway as GatewayName
from fraud.rules.gateway import Told
from fraud.services import gateway as services
from tests.fraud.callers import make_gateway, told
from tests.patience import meeting
from tests.payments.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gateway(transactional_db: None) -> GatewayName:
    made = make_gateway("fraud:score")
    return GatewayName(made.client.pk, made.client.key_id)


def analyze(gateway: GatewayName, one: Told) -> Any:
    with use_case():
        return services.analyze_within(gateway=gateway, told=one, now=timezone.now())[0].pk


def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a gap between looking an id up and writing it."""
    original = services.screen

    def screen(**facts: Any) -> Any:
        verdict = original(**facts)
        time.sleep(0.1)
        return verdict

    monkeypatch.setattr(services, "screen", screen)


def test_one_transaction_asked_about_at_once_is_scored_once(
    gateway: GatewayName, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch)
    one = Told(**told(transaction_id="a", customer_id="card-1"))
    answers = at_once(lambda _: analyze(gateway, one), 8)
    assert answers == [GatewayTransaction.objects.get().pk] * 8
    assert Decision.objects.count() == Activity.objects.count() == 1


def test_the_control_without_the_lock_some_are_refused_and_still_none_is_scored_twice(
    gateway: GatewayName, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All eight have found that nobody knows the id before any of them writes it.
    monkeypatch.setattr(services, "screen", meeting(services.screen, of=8))
    monkeypatch.setattr(services, "lock_customer", lambda **_: None)
    one = Told(**told(transaction_id="a", customer_id="card-1"))
    answers = Counter(at_once(lambda _: analyze(gateway, one), 8))
    assert answers["transaction_id_reused"] > 0
    assert GatewayTransaction.objects.count() == Decision.objects.count() == 1


def test_batches_of_the_same_transactions_at_once_score_each_once(gateway: GatewayName) -> None:
    rows = {place: Told(**told(transaction_id=f"tx-{place}", customer_id=f"card-{place % 7}")) for place in range(40)}

    def batch(turn: int) -> list[Any]:
        # Each in another order.
        order = sorted(rows, key=lambda place: (place * (turn + 3)) % 41)
        found = services.analyze_each(gateway=gateway, told={place: rows[place] for place in order}, now=timezone.now())
        return sorted((place, found[place].pk) for place in rows)

    first, *others = at_once(batch, 4)
    assert others == [first] * 3
    assert Decision.objects.count() == Activity.objects.count() == len(rows)


def test_a_batch_that_meets_another_writer_answers_one_by_one(
    gateway: GatewayName, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collide(*_: Any) -> Any:
        raise IntegrityError("another call was faster")

    monkeypatch.setattr(services, "_analyze_chunk", collide)
    rows = {place: Told(**told(transaction_id="same" if place else "other")) for place in range(3)}
    answers = services.analyze_each(gateway=gateway, told=rows, now=timezone.now())
    assert [type(answers[place]).__name__ for place in rows] == [
        "GatewayTransaction", "GatewayTransaction", "TransactionIdReused",
    ]  # fmt: skip
    assert Decision.objects.count() == 2
