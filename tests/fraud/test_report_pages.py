"""The report of a training, what may be done with a model, and the page of drift."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from bankportal.office import start_page
from fraud.models import DriftPart, DriftReference, DriftReport, ModelState, ModelVersion, ShadowScore
from fraud.queries.shadows import shadows_of
from fraud.rules.learning.curves import POINTS, curves
from insights.queries import bank
from tests.fraud.conftest import NOON, do_screen
from tests.fraud.reports import drift_reports, reported_model, some_scores

Login = Callable[[Any], Client]


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_{name}", args=args)


def test_curves_rise_from_corner_to_corner_and_agree_with_the_labels() -> None:
    labels, scores = some_scores()
    found = curves(labels=labels, scores=scores)
    assert len(found["roc"]) == len(found["precision_recall"]) == POINTS
    assert (found["roc"][0][0], found["roc"][-1]) == (0.0, [1.0, 1.0])
    recalls = [recall for _, recall in found["roc"]]
    assert recalls == sorted(recalls)
    assert found["precision_recall"][-1][1] == pytest.approx(labels.mean(), abs=0.01)
    assert 0.9 < found["auc_roc"] < 1.0
    frauds = sum(each["rows"] * each["frauds"] for each in found["calibration"])
    assert frauds == pytest.approx(labels.sum(), abs=0.5)


def test_one_class_has_no_curves() -> None:
    assert curves(labels=np.zeros(10), scores=np.linspace(0, 1, 10)) == {}


@pytest.mark.django_db
def test_the_report_shows_curves_costs_and_kinds(auditor: Any, login: Login) -> None:
    version = reported_model()
    browser = login(auditor)
    assert "0.710" in browser.get(page("modelversion_changelist")).content.decode()
    assert "Model 1" in browser.get(page("modelversion_changelist")).content.decode()
    shown = browser.get(page("modelversion_change", version.pk)).content.decode()
    assert "XGBoost, with class weights: 200 trees of depth 4, steps of 0.05" in shown
    for words in (
        "ROC",
        "Precision and recall",
        "Calibration",
        "What a threshold costs",
        "Takeover",
        "93.0%",
        "Not told",
        "0.9",
    ):
        assert words in shown
    assert shown.count("<svg viewBox") == 4
    assert page("modelversion_nominate", version.pk) not in shown


@pytest.mark.django_db
def test_a_training_without_labels_has_a_page_too(auditor: Any, login: Login) -> None:
    version = reported_model(metrics={}, curves={}, kinds=[], supervised_left_out="There are 2 frauds.")
    shown = login(auditor).get(page("modelversion_change", version.pk)).content.decode()
    assert "There are 2 frauds." in shown
    assert "<svg viewBox" not in shown
    bare = ModelVersion.objects.create(number=2, manifest="{}", signature="0" * 64, created_at=NOON)
    assert login(auditor).get(page("modelversion_change", bare.pk)).status_code == 200


@pytest.mark.django_db
def test_what_a_challenger_said_in_shadow_stands_beside_what_was_decided(auditor: Any, login: Login) -> None:
    version = reported_model()
    browser = login(auditor)
    assert "In shadow" not in browser.get(page("modelversion_change", version.pk)).content.decode()
    for did, would in ((10_00, "APPROVED"), (10_00, "FLAGGED"), (6_200_00, "APPROVED"), (10_00, "BLOCKED")):
        verdict = do_screen(customer_id=uuid.uuid4(), amount_minor=did, country="NG")
        ShadowScore.objects.create(
            decision_id=verdict.decision_id, version=version, outcome=would, score=0.5, layers={}, scored_at=NOON
        )
    found = shadows_of(version)
    assert (found.judged, found.stops, found.lets_go) == (4, 2, 1)
    shown = browser.get(page("modelversion_change", version.pk)).content.decode()
    assert "2 (50.00%)" in shown


@pytest.mark.django_db
def test_who_may_see_is_offered_what_they_may_do(officer: Any, auditor: Any, login: Login) -> None:
    version = reported_model()
    nominate = page("modelversion_nominate", version.pk)
    assert login(auditor).post(nominate, {"reason": "Because"}).status_code == 403
    browser = login(officer)
    assert nominate in browser.get(page("modelversion_change", version.pk)).content.decode()
    refused = browser.post(nominate, {"reason": "Looks better"})
    assert refused.status_code == 422
    assert "cannot be used" in refused.content.decode()
    version.refresh_from_db()
    assert version.state == ModelState.CHALLENGER
    back = browser.post(page("modelversion_roll_back"), {"reason": "It blocks everybody"})
    assert "no earlier champion" in back.content.decode()


@pytest.mark.django_db
def test_drift_is_shown_by_day_with_its_alarm(auditor: Any, teller: Any, login: Login) -> None:
    browser = login(auditor)
    assert "There is no report yet" in browser.get(page("driftreport_changelist")).content.decode()
    first, *_, last = drift_reports()
    shown = browser.get(page("driftreport_changelist")).content.decode()
    assert "No longer as they were" in shown
    assert shown.count("<svg viewBox") == 3
    assert "the highest index of a feature is 0.310" in shown
    assert "the thirty days before that week" in shown
    assert "<td>6.5 h</td>" in " ".join(shown.split()).replace('<td class="money">', "<td>")
    early = browser.get(page("driftreport_change", first.pk)).content.decode()
    assert "Lines over time begin with the second report" in early
    assert "No longer as they were" not in early
    assert page("driftreport_change", last.pk) in shown
    assert login(teller).get(page("driftreport_changelist")).status_code in (302, 403)


@pytest.mark.django_db
def test_drift_says_what_it_compares_with_and_since_when(auditor: Any, login: Login) -> None:
    *_, last = drift_reports()
    kept = {"schema_hash": "x", "from_at": NOON - timedelta(days=30), "to_at": NOON, "rows": 1200, "bins": {}}
    version = reported_model()
    references = {
        part: DriftReference.objects.create(version=version, part=part, frozen_at=NOON, **kept) for part in DriftPart
    }
    month = DriftReference.objects.create(version=None, part=DriftPart.FEATURES, frozen_at=NOON, **kept)
    day = last.day + timedelta(days=1)
    told = {"rows": 1, "features": {"hour": 0.1}, "alert_share": 0.0}
    DriftReport.objects.create(day=day, features_reference=month, score=None, **told)
    browser = login(auditor)
    shown = browser.get(page("driftreport_changelist")).content.decode()
    assert "1,200 payments of a month without a model in charge, 16 Feb 2026 to 18 Mar 2026" in shown
    assert "in charge for two weeks" in shown
    DriftReport.objects.create(
        day=day + timedelta(days=1),
        features_reference=references[DriftPart.FEATURES],
        score_reference=references[DriftPart.SCORE],
        score=0.1,
        **told,
    )
    shown = browser.get(page("driftreport_changelist")).content.decode()
    assert "1,200 payments that model 1 learnt from" in shown
    assert "what model 1 gave 1,200 payments when it took charge" in shown


@pytest.mark.django_db
def test_the_start_page_warns_of_drift_and_of_a_model_that_waits(
    officer: Any, teller: Any, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = reported_model()
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelState.NOMINATED, nominated_at=NOON)
    *_, last = drift_reports()
    day = datetime.combine(last.day, time(9), tzinfo=UTC)
    found = {queue.name: queue for queue in bank.queues(actor=officer, now=day)}
    assert (found["models"].count, found["models"].oldest_at) == (1, NOON)
    assert found["drift"].count == len(last.drifted)
    assert found["drift"].alarm
    monkeypatch.setattr("django.utils.timezone.now", lambda: day)
    card = next(queue for queue in start_page(_request(officer), {})["queues"] if "drifted" in queue["title"])
    assert (card["urgent"], card["note"]) == (True, found["drift"].alarm)
    later = {queue.name for queue in bank.queues(actor=officer, now=day + timedelta(days=3))}
    assert "drift" not in later
    assert not {"models", "drift"} & {queue.name for queue in bank.queues(actor=teller, now=day)}


def _request(user: Any) -> HttpRequest:
    request = RequestFactory().get("/admin/")
    request.user = user
    return request
