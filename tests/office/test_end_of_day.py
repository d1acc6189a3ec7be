"""The end of a day goes on where it stopped, whatever stopped it, and does nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from accounts.models import Account, InterestPosting, Product
from audit import queries as audit
from audit.models import AuditEvent
from bankportal import end_of_day, tasks
from bankportal.models import EndOfDayRun
from identity.models import User
from ledger import queries as ledger_queries
from tests.accounts.factories import open_test_account
from tests.patience import until

pytestmark = pytest.mark.django_db(transaction=True)
LAST_OF_MARCH = date(2026, 3, 31)
EARLY_APRIL = datetime(2026, 4, 1, 1, 10, tzinfo=UTC)
LOANS = ["loan collection", "loan accrual", "loan lateness", "loan check"]
STEPS = ["expiry", "interest", "fees", "dormancy", *LOANS, "balances", "seal", "checks"]


@pytest.fixture
def savings(alice: User) -> Account:
    """10,000.00 at 10 % since the first of March."""
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=10, compounding="NONE")
    account = open_test_account(alice, "SAV-EUR", "10000.00", datetime(2026, 3, 1, 9, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        opened = cursor.fetchone()[0]
    until(lambda: audit.horizon() > opened)
    return account


def balance(account: Account) -> int:
    return ledger_queries.balance(account.ledger_account_id).posted


def done(run: EndOfDayRun) -> list[str]:
    return [step.name for step in run.steps.all() if step.finished_at]


def test_every_step_once(savings: Account) -> None:
    run = end_of_day.run(day=LAST_OF_MARCH, now=EARLY_APRIL)
    assert done(run) == STEPS
    assert run.finished_at == EARLY_APRIL
    notes = {step.name: step.note for step in run.steps.all()}
    assert notes["interest"] == "March 2026: 1 accounts posted, 0 failed, 0 left"
    assert notes["checks"] == "the whole ledger is right"
    assert run.seal is not None
    assert balance(savings) == 10084_93
    again = end_of_day.run(day=LAST_OF_MARCH, now=EARLY_APRIL)
    assert [step.tries for step in again.steps.all()] == [1] * len(STEPS)
    assert AuditEvent.objects.filter(action="end_of_day.finished").count() == 1
    following = end_of_day.run(day=date(2026, 4, 1), now=datetime(2026, 4, 2, 1, 10, tzinfo=UTC))
    assert following.steps.get(name="checks").note == f"the ledger is right since seal {run.seal}"
    assert (balance(savings), InterestPosting.objects.count()) == (10084_93, 1)


@pytest.mark.parametrize("killed_in", STEPS)
def test_killed_in_any_step_it_goes_on_there(savings: Account, monkeypatch: Any, killed_in: str) -> None:
    real = end_of_day.STEPS[killed_in]

    def cut(run: EndOfDayRun, now: datetime) -> str:
        real(run, now)
        connection.connection.close()
        raise OperationalError("killed")

    monkeypatch.setitem(end_of_day.STEPS, killed_in, cut)
    with pytest.raises(OperationalError):
        end_of_day.run(day=LAST_OF_MARCH, now=EARLY_APRIL)
    connection.close()
    monkeypatch.undo()
    stopped = EndOfDayRun.objects.get()
    assert done(stopped) == STEPS[: STEPS.index(killed_in)]
    assert stopped.finished_at is None
    run = end_of_day.run(day=LAST_OF_MARCH, now=EARLY_APRIL)
    assert run.finished_at is not None
    assert {step.name: step.tries for step in run.steps.all()} == {name: 1 + (name == killed_in) for name in STEPS}
    assert (balance(savings), InterestPosting.objects.count()) == (10084_93, 1)


def test_a_step_that_cannot_finish_keeps_the_run_open_and_says_why(savings: Account, monkeypatch: Any) -> None:
    def refuse(found: EndOfDayRun, now: datetime) -> str:
        raise end_of_day.StepUnfinished("3 left")

    monkeypatch.setitem(end_of_day.STEPS, "interest", refuse)
    run = end_of_day.run(day=LAST_OF_MARCH, now=EARLY_APRIL)
    assert (run.finished_at, done(run)) == (None, ["expiry", "fees", "dormancy", *LOANS, "balances", "seal", "checks"])
    assert run.steps.get(name="interest").note == "3 left"
    monkeypatch.undo()
    assert [each.finished_at for each in end_of_day.run_due(now=EARLY_APRIL)] == [EARLY_APRIL]
    assert balance(savings) == 10084_93


def test_a_day_must_be_over(savings: Account) -> None:
    with pytest.raises(end_of_day.DayNotOver):
        end_of_day.run(day=LAST_OF_MARCH, now=datetime(2026, 4, 1, 0, 59, tzinfo=UTC))
    assert not EndOfDayRun.objects.exists()
    assert [run.day for run in end_of_day.run_due(now=datetime(2026, 4, 1, 0, 59, tzinfo=UTC))] == [date(2026, 3, 30)]


def test_a_bank_that_stood_still_makes_each_day_good(savings: Account) -> None:
    end_of_day.run(day=date(2026, 3, 29), now=EARLY_APRIL)
    late = datetime(2026, 4, 3, 1, 10, tzinfo=UTC)
    assert [run.day.day for run in end_of_day.run_due(now=late)] == [30, 31, 1, 2]
    assert end_of_day.run_due(now=late) == []
    assert (balance(savings), InterestPosting.objects.count()) == (10084_93, 1)


def test_a_damaged_ledger_keeps_the_run_open(savings: Account, as_owner: Callable[[], Any]) -> None:
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE ledger_balance SET posted = posted + 1 WHERE account_id = %s", [savings.ledger_account_id]
        )
        cursor.execute("SET session_replication_role = origin")
    run = end_of_day.run(day=date(2026, 3, 30), now=EARLY_APRIL)
    assert run.finished_at is None
    assert "checks" not in done(run)
    assert str(savings.ledger_account_id) in run.steps.get(name="checks").note


def test_the_command_and_the_task(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    open_test_account(alice)
    # At 01:00 the one would end another day than the other.
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    out = StringIO()
    call_command("end_of_day", stdout=out)
    assert "checks     done  the whole ledger is right" in out.getvalue()
    tasks.end_of_day()
    assert EndOfDayRun.objects.count() == 1
    with pytest.raises(CommandError, match="not ended"):
        call_command("end_of_day", day=date(2999, 1, 1), stdout=StringIO())


def test_the_back_office_shows_the_runs(
    savings: Account, auditor: User, teller: User, login: Callable[[User], Client]
) -> None:
    run = end_of_day.run(day=LAST_OF_MARCH, now=EARLY_APRIL)
    client = login(auditor)
    assert f"{len(STEPS)} of {len(STEPS)}" in client.get("/admin/bankportal/endofdayrun/").content.decode()
    page = client.get(f"/admin/bankportal/endofdayrun/{run.pk}/change/").content.decode()
    assert "<td>March 2026: 1 accounts posted, 0 failed, 0 left</td>" in page
    assert f'value="{len(STEPS)}" max="{len(STEPS)}"' in page
    assert client.post(f"/admin/bankportal/endofdayrun/{run.pk}/change/", {}).status_code in (403, 405)
