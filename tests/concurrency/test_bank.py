"""The bank workload: over HTTP and in process the total of eight accounts never differs; without locks it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from bankportal.bench import bank, people
from bankportal.bench.bank import InProcess, Outcome, OverHttp, Way, Workload
from bankportal.bench.people import Member
from identity import services as identity
from ledger import verification
from tests.conftest import PASSWORD, owner_rights
from tests.dice import SEED
from tests.patience import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PIN = "4826"
TOTAL = bank.ACCOUNTS * bank.OPENING_MINOR


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


def run(ways: list[Callable[[], Way]], *, seconds: float, enough: Callable[[Outcome], bool]) -> Outcome:
    """Run until a bad read or, on a slow machine again and again, until it was enough to say something."""
    workload = Workload(total=TOTAL, seed=SEED)
    seen = workload.run(ways, seconds=seconds)

    def done() -> bool:
        return enough(seen) or bool(seen.broken or seen.failures)

    until(done, meanwhile=lambda: workload.run(ways, seconds=seconds))
    return seen


def test_the_total_holds_at_every_read(ways: list[Callable[[], Way]]) -> None:
    seen = run(ways, seconds=6, enough=lambda seen: min(seen.transfers, seen.refused, seen.reads) > 0)

    assert (seen.broken, seen.failures) == ([], [])
    assert list(verification.verify()) == []


def test_without_locks_the_guards_of_the_database_refuse_what_would_break_it(members: list[Member]) -> None:
    with bank.without_locks(owner_rights, guards=True):
        # Without a refusal by a guard no two transfers met.
        seen = run([partial(InProcess, members)] * 6, seconds=4, enough=lambda seen: seen.failed > 0)

    assert seen.broken == []
    assert list(verification.verify()) == []


def test_control_without_locks_and_guards_the_total_differs_(members: list[Member]) -> None:
    with bank.without_locks(owner_rights, guards=False):
        seen = run([partial(InProcess, members)] * 6, seconds=60, enough=lambda seen: bool(seen.broken))

    assert seen.broken, f"the workload saw nothing in {seen.reads} reads"
