"""Two workers, two clicks, a killed run: each instalment is collected once, each day accrued once. With a control for each."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection

from accounts import services as accounts
from accounts.models import Account
from common.errors import DomainError
from identity.models import User
from ledger import services as ledger
from loans import queries, services, verification
from loans.models import Collection, Loan, Movement
from loans.services import booking, jobs, sharing
from loans.services.sheet import Sheet
from tests.loans.factories import books, live_until, noon, running_loan
from tests.patience import meeting
from tests.payments.factories import posted

pytestmark = pytest.mark.django_db(transaction=True)
DUE = date(2026, 4, 2)
NIGHT = datetime(2026, 4, 3, 1, tzinfo=UTC)


def at_once(work: Callable[[], Any], times: int = 4) -> list[Any]:
    def run(_: int) -> Any:
        try:
            return work()
        except (DomainError, DatabaseError, AssertionError) as refusal:
            return type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


@pytest.fixture
def loan(alice: User) -> Loan:
    """The day before its first instalment."""
    made = running_loan(alice)
    live_until(date(2026, 3, 3))
    services.accrue(day=date(2026, 4, 1), now=datetime(2026, 4, 2, 1, tzinfo=UTC))
    return made


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What turned a chunk of loans away, by name."""
    seen: list[str] = []
    original = jobs._require_alive

    def note(problem: Exception) -> None:
        seen.append(type(problem).__name__)
        original(problem)

    monkeypatch.setattr(jobs, "_require_alive", note)
    return seen


def test_parallel_runs_collect_and_accrue_once(loan: Loan, refusals: list[str]) -> None:
    before = posted(loan.account)
    at_once(lambda: services.collect(day=DUE, now=NIGHT))
    at_once(lambda: services.accrue(day=DUE, now=NIGHT))

    due = queries.instalments_of(loan)[0]
    assert posted(loan.account) == before - due.total_minor
    assert Collection.objects.count() == 1
    assert Movement.objects.filter(kind=Movement.Kind.ACCRUAL, day=DUE).count() == 1
    assert list(verification.verify()) == []
    assert refusals == []


class Helper:
    """The second process, played by this one before the first begins."""

    def __init__(self, step: str, day: date, now: datetime, *, code: int = 0) -> None:
        self.returncode, self.told = code, io.StringIO()
        if not code:
            call_command("loans_step", step, "--day", str(day), "--now", now.isoformat(), stdout=self.told)

    def communicate(self) -> tuple[str, None]:
        return self.told.getvalue(), None


@pytest.mark.parametrize("code", [0, 1])
def test_a_second_process_shares_the_work_or_is_done_without(
    loan: Loan, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    started = []

    def start(step: str, day: date, now: datetime) -> Helper:
        started.append(step)
        monkeypatch.setenv(sharing.ALONE, "1")
        helper = Helper(step, day, now, code=code)
        monkeypatch.delenv(sharing.ALONE)
        return helper

    monkeypatch.setattr(sharing, "SHARED_FROM", 1)
    monkeypatch.setattr(sharing.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(sharing, "_start", start)
    before = posted(loan.account)

    done = services.collect(day=DUE, now=NIGHT)

    assert (done, started) == (services.Done(1, 0), ["collect"])
    assert posted(loan.account) == before - queries.instalments_of(loan)[0].total_minor
    assert list(verification.verify()) == []


def test_a_step_is_for_a_day_that_has_ended() -> None:
    for given in (["--day", "2026-02-30"], ["--day", "2026-04-02", "--now", "2026-04-02T23:00:00+00:00"]):
        with pytest.raises(CommandError, match=r"not a date|has not ended"):
            call_command("loans_step", "collect", *given)


def test_control_without_the_lock_only_the_database_stands_in_the_way(
    loan: Loan, refusals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that do not lock the loan collect at the same time: the unique keys turn all but one away."""
    lockless = lambda rows: rows.select_related("product", "account")  # noqa: E731
    monkeypatch.setattr(booking, "claim_free", lockless)
    monkeypatch.setattr(booking, "claim", lockless)
    monkeypatch.setattr(accounts, "lock", lambda ids: {each.pk: each for each in Account.objects.filter(pk__in=ids)})
    # All four have the loan as it was before any of them collects.
    original, met = Sheet.engine, meeting(lambda run: run, of=4)
    monkeypatch.setattr(Sheet, "engine", lambda *args: met(original(*args)))
    before = posted(loan.account)

    at_once(lambda: services.collect(day=DUE, now=NIGHT))

    assert refusals
    assert set(refusals) <= {"IntegrityError", "InternalError"}
    assert posted(loan.account) == before - queries.instalments_of(loan)[0].total_minor
    assert Collection.objects.count() == 1


def test_a_double_click_pays_once(loan: Loan, alice: User) -> None:
    client_id, before = uuid4(), posted(loan.account)
    at_once(
        lambda: services.repay(
            actor=alice, loan_id=loan.pk, amount="100.00", client_id=client_id, now=noon(date(2026, 4, 2))
        )
    )
    assert posted(loan.account) == before - 100_00
    assert loan.events.count() == 1


def test_two_payments_at_once_never_take_more_than_the_pay_off(loan: Loan, alice: User) -> None:
    now = noon(date(2026, 4, 2))
    results = at_once(
        lambda: services.repay(actor=alice, loan_id=loan.pk, amount="3500.00", client_id=uuid4(), now=now)
    )
    assert sum(not isinstance(each, str) for each in results) == 1
    assert books()["1200"] < 0
    assert list(verification.verify()) == []


def night() -> None:
    services.collect(day=DUE, now=NIGHT)
    services.accrue(day=DUE, now=NIGHT)
    services.classify(day=DUE, now=NIGHT)


@pytest.mark.parametrize("killed_at", [1, 2])
def test_a_killed_run_leaves_each_loan_done_or_untouched(
    loan: Loan, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Whichever entry the run dies before, running it again does what is left, once."""
    post, left = ledger.post_entries, iter(range(killed_at - 1))

    def post_or_die(**facts: Any) -> list[ledger.PostedEntry]:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return post(**facts)

    before = posted(loan.account)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "post_entries", post_or_die)
        with pytest.raises(KeyboardInterrupt):
            night()
    night()
    night()

    assert posted(loan.account) == before - queries.instalments_of(loan)[0].total_minor
    assert list(verification.verify()) == []


def test_the_database_refuses_a_second_accrual_of_a_day(loan: Loan) -> None:
    kept = Movement.objects.filter(loan=loan, kind=Movement.Kind.ACCRUAL).first()
    kept.pk = None
    with pytest.raises(IntegrityError):
        kept.save(force_insert=True)
