"""The bank workload: over HTTP and in process the total of eight accounts never differs; without locks it does."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from bankportal.bench import bank, people
from bankportal.bench.bank import InProcess, OverHttp, Way, Workload
from bankportal.bench.people import Member
from identity import services as identity
from ledger import verification
from tests.conftest import PASSWORD, owner_rights

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PIN = "4826"
TOTAL = bank.ACCOUNTS * bank.OPENING_MINOR


@pytest.fixture
def seed() -> int:
    chosen = random.randrange(10**6)
    print("seed", chosen)
    return chosen


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> list[Member]:
    """The eight accounts of one customer who may move money as often as it takes."""
    monkeypatch.setattr("common.throttle.wait_for", lambda limit, key: 0.0)
    made = people.prepare(
        count=1,
        accounts_each=bank.ACCOUNTS,
        opening_minor=bank.OPENING_MINOR,
        password=PASSWORD,
        now=timezone.now(),
    )
    identity.set_pin(actor=made[0].user, pin=PIN, now=timezone.now())
    return made


@pytest.fixture
def ways(members: list[Member], live_server: Any) -> list[Callable[[], Way]]:
    token = identity.open_api_session(user=members[0].user, now=timezone.now()).access
    over_http: Callable[[], Way] = partial(OverHttp, live_server.url, members, token=token, pin=PIN)
    return [over_http] * 2 + [partial(InProcess, members)] * 4


def test_the_total_holds_at_every_read(ways: list[Callable[[], Way]], seed: int) -> None:
    seen = Workload(total=TOTAL, seed=seed).run(ways, seconds=6)

    assert (seen.broken, seen.failures) == ([], [])
    assert min(seen.transfers, seen.refused, seen.reads) > 0, seen
    assert list(verification.verify()) == []


def test_without_locks_the_guards_of_the_database_refuse_what_would_break_it(members: list[Member], seed: int) -> None:
    with bank.without_locks(owner_rights, guards=True):
        seen = Workload(total=TOTAL, seed=seed).run([partial(InProcess, members)] * 6, seconds=4)

    assert seen.broken == []
    assert seen.failed > 0, "without a refusal by a guard no two transfers met"
    assert list(verification.verify()) == []


def test_control_without_locks_and_guards_the_total_differs_within_a_minute(members: list[Member], seed: int) -> None:
    with bank.without_locks(owner_rights, guards=False):
        seen = Workload(total=TOTAL, seed=seed).run([partial(InProcess, members)] * 6, seconds=60)

    assert seen.broken, f"the workload saw nothing in {seen.reads} reads"
