"""Trainings as the list of models shows them, and asking for one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from fraud import services
from fraud.models import Training
from fraud.queries.training import latest_trainings
from identity.backoffice import DecisionForm, decision_page

DAYS = 90


class TrainingForm(DecisionForm):
    days = forms.IntegerField(
        label="Learn from the last … days",
        min_value=7,
        max_value=services.LONGEST_TRAINING_DAYS,
        initial=DAYS,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    trials = forms.IntegerField(
        label="Search so many choices beyond the first six",
        min_value=0,
        max_value=services.MOST_TRIALS,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="XGBoost and LightGBM, each with class weights, SMOTE or neither, are tried anyway. Each further one takes a fit.",
    )


def ask_page(model_admin: admin.ModelAdmin, request: HttpRequest, *, back: str) -> HttpResponse:
    """How far back to learn, how long to search, and why."""
    return decision_page(
        model_admin,  # type: ignore[arg-type]
        request,
        permission="fraud_edit_rules",
        title="Train a challenger",
        facts=[],
        form_class=TrainingForm,
        decide=lambda cleaned: services.request_training(
            actor=request.user,  # type: ignore[arg-type]
            days=cleaned["days"],
            trials=cleaned["trials"],
            reason=cleaned["reason"],
            now=timezone.now(),
        ),
        done="A worker trains the challenger; the list shows how far it is.",
        confirm="Train it",
        note="Nothing changes for payments: what comes of it is a challenger, watched in shadow until two people put it in charge.",
        back=back,
    )


def panel() -> dict[str, Any]:
    """The latest trainings for `admin/fraud/_trainings.html`."""
    found = [shown(training) for training in latest_trainings()]
    return {"trainings": found, "training_runs": any(each["running"] for each in found)}


def shown(training: Training) -> dict[str, Any]:
    search = f", {training.trials} choices searched beyond the first" if training.trials else ""
    version = training.version
    return {
        "what": f"On {training.days} days{search}",
        "asked": f"asked for by {training.requested_by.get_full_name()} on {date_format(training.requested_at, 'j M Y, H:i')}",
        "running": training.finished_at is None,
        "started": training.alive_at is not None,
        "done": min(len(training.said), training.steps_total),
        "total": training.steps_total,
        "latest": training.said[-1] if training.said else "",
        "error": training.error,
        "model": str(version) if version else "",
        "model_url": reverse("admin:fraud_modelversion_change", args=[version.pk]) if version else "",
        "took": _took(training),
    }


def _took(training: Training) -> str:
    if training.finished_at is None:
        return ""
    if training.finished_at - training.requested_at < timedelta(minutes=1):
        return "less than a minute"
    return timesince(training.requested_at, training.finished_at)
