"""The switches of the engine in the back office: how they stand, and switching them with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from fraud.models import AlertBudgetConfig, FeaturesConfig, ModelVersionConfig
from fraud.queries import budget, switches
from fraud.rules.learning.stack import Budget

Login = Callable[[Any], Client]


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fraud_featuresconfig_{name}", args=args)


def test_a_feature_and_a_layer_are_switched_off_and_on_with_a_reason(officer: Any, login: Login) -> None:
    browser = login(officer)
    shown = browser.get(page("changelist")).content.decode()
    for words in ("hold a payment from 0.5", "Supervised model", "New payee", "Nobody touched it."):
        assert words in shown
    assert browser.post(page("feature", "is_night"), {"reason": ""}).status_code == 422
    assert browser.post(page("feature", "is_night"), {"reason": "Clocks were wrong"}).status_code == 302
    assert browser.post(page("layer", "autoencoder"), {"reason": "Too many alarms"}).status_code == 302
    assert (switches().features_off, switches().layers_off) == (
        frozenset({"is_night"}),
        frozenset({"autoencoder"}),
    )
    shown = browser.get(page("changelist")).content.decode()
    assert "Clocks were wrong" in shown
    assert "Switch on" in browser.get(page("feature", "is_night")).content.decode()
    browser.post(page("feature", "is_night"), {"reason": "Clocks are right"})
    assert switches().features_off == frozenset()
    assert FeaturesConfig.objects.count() == 2


@pytest.mark.parametrize("who", ["auditor", "administrator"])
def test_those_who_only_see_switch_nothing(who: str, request: pytest.FixtureRequest, login: Login) -> None:
    browser = login(request.getfixturevalue(who))
    shown = browser.get(page("changelist"))
    assert shown.status_code == 200
    assert page("layer", "autoencoder") not in shown.content.decode()
    assert browser.post(page("layer", "autoencoder"), {"reason": "Because"}).status_code == 403
    assert not ModelVersionConfig.objects.exists()


@pytest.mark.parametrize("who", ["alice", "teller"])
def test_others_see_no_switches(who: str, request: pytest.FixtureRequest, login: Login) -> None:
    browser = login(request.getfixturevalue(who))
    assert browser.get(page("changelist")).status_code in (302, 403)
    assert browser.get(page("feature", "is_night")).status_code in (302, 403)


def test_what_does_not_exist_is_not_found(officer: Any, login: Login) -> None:
    browser = login(officer)
    assert browser.get(page("feature", "amount-of-luck")).status_code == 404
    assert browser.get(page("layer", "rules")).status_code == 404


def test_the_alert_budget_is_set_in_percent_with_a_reason(officer: Any, login: Login) -> None:
    browser = login(officer)
    shown = browser.get(page("changelist")).content.decode()
    assert "Hold 2% of payments, refuse 0.1%" in shown
    assert page("budget") in shown
    told = {"flagged_share": "1.5", "blocked_share": "0.05", "reason": "Two people are away until June"}
    for wrong in ({"flagged_share": "0.05"}, {"flagged_share": "21"}, {"blocked_share": "0"}, {"reason": ""}):
        assert browser.post(page("budget"), told | wrong).status_code == 422
    assert not AlertBudgetConfig.objects.exists()
    assert browser.post(page("budget"), told).status_code == 302
    assert budget() == Budget(flagged=0.015, blocked=0.0005)
    shown = browser.get(page("changelist")).content.decode()
    assert "Hold 1.5% of payments, refuse 0.05%" in shown
    assert "Two people are away until June" in shown
    assert AuditEvent.objects.get(action="fraud.budget_set").actor == officer


def test_those_who_only_see_set_no_budget(auditor: Any, login: Login) -> None:
    browser = login(auditor)
    assert page("budget") not in browser.get(page("changelist")).content.decode()
    assert (
        browser.post(page("budget"), {"flagged_share": "1", "blocked_share": "0.1", "reason": "Mine"}).status_code
        == 403
    )


def test_a_reason_may_be_as_long_as_the_form_says(officer: Any, login: Login) -> None:
    reason = "x" * 2000
    assert login(officer).post(page("feature", "is_night"), {"reason": reason}).status_code == 302
    assert FeaturesConfig.objects.get().reason == reason
