"""Trainings asked for in the back office and done by a worker, with their progress."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from common.errors import Conflict, Forbidden, Invalid
from fraud import services as fraud
from fraud.admin import trainings as trainings_page
from fraud.models import ModelState, ModelVersion, Training
from fraud.services import training, trainings
from fraud.tasks import run_trainings
from tests.fraud import test_training
from tests.fraud.conftest import NOON
from tests.fraud.test_training import Write

Login = Callable[[Any], Client]
few_choices, write = test_training.few_choices, test_training.write


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_modelversion_{name}", args=args)


def ask(actor: Any, **given: Any) -> Training:
    return fraud.request_training(actor=actor, **{"days": 90, "trials": 0, "reason": "Drift", "now": NOON} | given)


def test_a_worker_trains_what_an_officer_asked_for_and_the_page_shows_it(
    officer: Any, login: Login, write: Write
) -> None:
    write(300)
    browser = login(officer)
    assert "Nobody has asked for one yet" in browser.get(page("changelist")).content.decode()
    told = {"days": "90", "trials": "0", "reason": "Payments have drifted"}
    assert browser.post(page("train"), told | {"days": "6"}).status_code == 422
    assert browser.post(page("train"), told).status_code == 302
    assert "It waits for a worker" in browser.get(page("changelist")).content.decode()
    refused = browser.post(page("train"), told)
    assert (refused.status_code, "under way" in refused.content.decode()) == (422, True)
    assert AuditEvent.objects.get(action="fraud.training_requested").reason == "Payments have drifted"

    done = training.run_waiting(now=NOON)

    assert done is not None
    done.refresh_from_db()
    version = ModelVersion.objects.get()
    assert (done.version, version.state, version.trained_by) == (version, ModelState.CHALLENGER, officer)
    assert done.said[0].startswith("301 decisions")
    assert done.steps_total >= len(done.said)
    shown = browser.get(page("trainings")).content.decode()
    assert page("change", version.pk) in shown
    assert "hx-get" not in shown
    assert training.run_waiting(now=NOON) is None
    assert ask(officer, now=NOON + timedelta(hours=1)).finished_at is None


def test_it_shows_how_far_it_is(officer: Any, login: Login, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(500)
    ask(officer)
    seen = []

    def look(*args: Any, **given: Any) -> None:
        tell(*args, **given)
        seen.append(login(officer).get(page("trainings")).content.decode())

    tell = trainings.tell
    monkeypatch.setattr(trainings, "tell", look)
    training.run_waiting(now=NOON)
    total = Training.objects.get().steps_total
    assert f"1 of {total} steps. 501 decisions" in seen[0]
    assert f"2 of {total} steps. lightgbm with class weights" in seen[1]
    assert all('hx-trigger="every 3s"' in each for each in seen)


def test_what_cannot_be_trained_says_why(officer: Any, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(officer)
    done = training.run_waiting(now=NOON)
    assert done is not None
    assert done.error.startswith("There are 0 decisions to learn from")
    assert "No model came of it: There are 0 decisions" in login(officer).get(page("changelist")).content.decode()
    ask(officer)
    monkeypatch.setattr(training, "_history", lambda since, until: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        training.run_waiting(now=NOON)
    assert Training.objects.get(said=[], error__startswith="It failed").finished_at is not None
    assert not ModelVersion.objects.exists()


def test_one_worker_at_a_time_and_another_when_it_died(officer: Any, db: None) -> None:
    asked = ask(officer)
    at = NOON
    for _ in range(trainings.MOST_ATTEMPTS):
        claimed = trainings.claim(now=at)
        assert claimed == asked
        trainings.tell(asked.pk, ["something"], steps=5, moment=at)
        assert trainings.claim(now=at + trainings.GONE_AFTER) is None
        at += trainings.GONE_AFTER + timedelta(seconds=1)
    assert trainings.claim(now=at) is None
    asked.refresh_from_db()
    assert (asked.error, asked.finished_at) == ("3 workers died at it.", at)


@pytest.mark.parametrize("given", [{"days": 6}, {"days": 401}, {"trials": -1}, {"trials": 201}, {"reason": " "}])
def test_what_makes_no_sense_is_not_asked_for(officer: Any, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        ask(officer, **given)
    assert not Training.objects.exists()


def test_only_who_writes_rules_asks_and_an_end_is_final(officer: Any, auditor: Any, teller: Any, login: Login) -> None:
    for person in (auditor, teller):
        with pytest.raises(Forbidden):
            ask(person)
    assert page("train") not in login(auditor).get(page("changelist")).content.decode()
    assert login(teller).get(page("trainings")).status_code in (302, 403)
    asked = ask(officer)
    with pytest.raises(Conflict):
        ask(officer)
    training.run_waiting(now=NOON)
    with pytest.raises(DatabaseError), transaction.atomic():
        Training.objects.filter(pk=asked.pk).update(error="Something else")


def test_the_task_runs(officer: Any) -> None:
    assert run_trainings() is False
    ask(officer)
    assert run_trainings() is True
    assert Training.objects.get().error


def test_how_long_a_training_took_reads_as_people_say_it(officer: Any) -> None:
    asked = Training(requested_by=officer, days=90, trials=0, requested_at=NOON)
    for minutes, words in ((0.2, "less than a minute"), (3, "3\xa0minutes")):
        asked.finished_at = NOON + timedelta(minutes=minutes)
        assert trainings_page.shown(asked)["took"] == words
