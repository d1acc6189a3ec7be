"""Model versions: the report of each training, and who puts which in charge."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import date
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from fraud.admin import report_charts as charts
from fraud.admin import trainings
from fraud.admin.case_drawings import LAYER_NAMES
from fraud.admin.files import FileAdmin
from fraud.models import ModelState, ModelVersion
from fraud.queries.shadows import former_champion, shadows_of
from fraud.rules import fraud_kinds
from fraud.rules.learning.metrics import FALSE_POSITIVES
from fraud.services import registry
from identity.backoffice import DecisionForm, decision_page

STATE_COLOURS = {"Champion": "success", "Challenger": "info", "Waiting for approval": "warning", "Retired": "default"}


class PromotionForm(DecisionForm):
    """The reason; and, when labels do not prove the model better, why it shall take over all the same."""

    despite = forms.CharField(
        label="Why it takes over although the labels do not prove it",
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _number(value: Any, places: int = 3) -> str:
    return f"{value:.{places}f}" if isinstance(value, int | float) else "–"


@admin.register(ModelVersion)
class ModelVersionAdmin(FileAdmin):
    list_display = ("name", "state_shown", "created_at", "learnt_from", "precision", "in_charge_since")
    list_filter = ("state",)
    ordering = ("-number",)
    list_before_template = "admin/fraud/_trainings.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), **self._trainings(request)})

    def _trainings(self, request: HttpRequest) -> dict[str, Any]:
        may = request.user.has_perm("identity.fraud_edit_rules")
        return {
            **trainings.panel(),
            "trainings_url": self._url("trainings"),
            "train_url": self._url("train") if may else "",
        }

    def trainings(self, request: HttpRequest) -> HttpResponse:
        """The panel alone, asked for again while one runs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, "admin/fraud/_trainings.html", self._trainings(request))

    def train(self, request: HttpRequest) -> HttpResponse:
        return trainings.ask_page(self, request, back=self._url("changelist"))

    @display(description="Model", ordering="number")
    def name(self, version: ModelVersion) -> str:
        return f"Model {version.number}"

    @display(description="State", label=STATE_COLOURS)
    def state_shown(self, version: ModelVersion) -> str:
        return version.get_state_display()

    @display(description="Learnt from")
    def learnt_from(self, version: ModelVersion) -> str:
        manifest = _manifest(version)
        return f"{manifest.get('rows', 0):,} payments, {manifest.get('frauds', 0):,} frauds"

    @display(description="Average precision")
    def precision(self, version: ModelVersion) -> str:
        return _number(_manifest(version).get("metrics", {}).get("average_precision"))

    @display(description="In charge since")
    def in_charge_since(self, version: ModelVersion) -> str:
        return date(version.promoted_at, "j M Y, H:i") if version.promoted_at else "–"

    def get_urls(self) -> list[Any]:
        return [
            self._path("<uuid:version_id>/nominate/", self.nominate, "nominate"),
            self._path("<uuid:version_id>/promote/", self.promote, "promote"),
            self._path("<uuid:version_id>/turn-down/", self.turn_down, "turn_down"),
            self._path("roll-back/", self.roll_back, "roll_back"),
            self._path("train/", self.train, "train"),
            self._path("trainings/", self.trainings, "trainings"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        version: ModelVersion = self._opened(request, object_id)
        manifest = _manifest(version)
        curves, metrics = manifest.get("curves", {}), manifest.get("metrics", {})
        drawn = (charts.roc(curves), charts.precision_recall(curves), charts.calibration(curves), charts.costs(metrics))
        return self._page(
            request,
            "admin/fraud/model.html",
            f"Model {version.number}",
            original=version,
            version=version,
            colour=STATE_COLOURS[version.get_state_display()],
            facts=_facts(version, manifest),
            quality=_quality(curves, metrics),
            left_out=manifest.get("supervised_left_out", ""),
            layers=[LAYER_NAMES.get(name, name) for name in manifest.get("layers", {})],
            charts=[chart for chart in drawn if chart is not None],
            kinds=_kinds(manifest),
            shares=[f"{share * 100:g}%" for share in FALSE_POSITIVES],
            shadow=_shadow(version),
            comparisons=_comparisons(version),
            libraries=sorted(manifest.get("libraries", {}).items()),
            deeds=self._deeds(request, version),
        )

    def _deeds(self, request: HttpRequest, version: ModelVersion) -> list[dict[str, str]]:
        """What this person may do with this version now."""
        may_ask = request.user.has_perm("identity.fraud_edit_rules")
        may_agree = request.user.has_perm("identity.fraud_approve_rules")
        deeds: list[tuple[bool, str, str, str]] = [
            (may_ask and version.state == ModelState.CHALLENGER, "nominate", "Ask to put it in charge", "primary"),
            (may_agree and version.state == ModelState.NOMINATED, "turn_down", "Turn it down", "default"),
            (may_agree and version.state == ModelState.NOMINATED, "promote", "Put it in charge", "primary"),
        ]
        shown = [
            {"url": self._url(name, version.pk), "text": text, "variant": variant}
            for may, name, text, variant in deeds
            if may
        ]
        if may_agree and version.state == ModelState.CHAMPION and former_champion() is not None:
            shown.append({"url": self._url("roll_back"), "text": "Go back to the one before", "variant": "danger"})
        return shown

    def nominate(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        return self._decide(
            request,
            version_id,
            permission="fraud_edit_rules",
            title="Ask to put this model in charge",
            note="It is compared with the present champion on matured labels. Another person decides.",
            deed=registry.nominate,
            done="You asked for this model to be put in charge.",
        )

    def promote(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        return self._decide(
            request,
            version_id,
            permission="fraud_approve_rules",
            title="Put this model in charge",
            note="It decides about the very next payment; the present champion can come back at any time.",
            deed=registry.promote,
            done="This model is in charge now.",
            form_class=PromotionForm,
        )

    def turn_down(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        version: ModelVersion = self._opened(request, version_id)
        return decision_page(
            self,
            request,
            permission="fraud_approve_rules",
            title="Turn this model down",
            facts=_facts(version, _manifest(version)),
            decide=lambda cleaned: registry.turn_down(
                actor=request.user,  # type: ignore[arg-type]
                version_id=version_id,
                reason=cleaned["reason"],
            ),
            done="You turned this model down; it goes on as a challenger.",
            confirm="Turn it down",
            back=self._url("change", version_id),
            audit_subject=("fraud_model", version_id),
        )

    def roll_back(self, request: HttpRequest) -> HttpResponse:
        """The champion before the present one takes over again."""
        return decision_page(
            self,
            request,
            permission="fraud_approve_rules",
            title="Go back to the champion before",
            facts=[],
            decide=lambda cleaned: registry.roll_back(
                actor=request.user,  # type: ignore[arg-type]
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done=lambda former: f"Model {former.number} is in charge again.",
            confirm="Go back",
            back=self._url("changelist"),
            note="It decides about the very next payment. Two people agreed to it before, so one is enough.",
            danger=True,
        )

    def _decide(
        self,
        request: HttpRequest,
        version_id: uuid.UUID,
        *,
        permission: str,
        title: str,
        note: str,
        deed: Any,
        done: str,
        form_class: type[DecisionForm] = DecisionForm,
    ) -> HttpResponse:
        version: ModelVersion = self._opened(request, version_id)
        return decision_page(
            self,
            request,
            permission=permission,
            title=title,
            facts=_facts(version, _manifest(version)),
            decide=lambda cleaned: deed(actor=request.user, version_id=version_id, now=timezone.now(), **cleaned),
            done=done,
            confirm=title,
            back=self._url("change", version_id),
            note=note,
            form_class=form_class,
            audit_subject=("fraud_model", version_id),
        )


def _manifest(version: ModelVersion) -> dict[str, Any]:
    found = json.loads(version.manifest)
    return found if isinstance(found, dict) else {}


def _count(manifest: dict[str, Any], name: str) -> str:
    return f"{manifest.get(name, 0):,}"


def _facts(version: ModelVersion, manifest: dict[str, Any]) -> list[tuple[str, object]]:
    window = [date(datetime.fromisoformat(each), "j M Y") for each in manifest.get("window", [])]
    people = {
        "Trained by": version.trained_by,
        "Asked for by": version.nominated_by,
        "Put in charge by": version.promoted_by,
    }
    return [
        ("Trained", date(version.created_at, "j F Y, H:i e")),
        ("On payments", " to ".join(window) or "–"),
        (
            "Learnt from",
            f"{_count(manifest, 'rows')} payments: {_count(manifest, 'frauds')} frauds, {_count(manifest, 'cleared')} cleared",
        ),
        ("Chosen", _choice(manifest.get("choice"))),
        *((label, who.get_full_name()) for label, who in people.items() if who is not None),
    ]


def _choice(choice: Any) -> str:
    """How the supervised layer was fitted, in words."""
    if not isinstance(choice, dict):
        return "–"
    library = {"xgboost": "XGBoost", "lightgbm": "LightGBM"}.get(choice["library"], choice["library"])
    balance = {"none": "as the labels are", "class weights": "with class weights", "SMOTE": "with SMOTE"}
    return (
        f"{library}, {balance.get(choice['balance'], choice['balance'])}: {choice['trees']} trees of depth {choice['depth']}, "
        f"steps of {choice['rate']:.3g}"
    )


def _shadow(version: ModelVersion) -> list[tuple[str, str]]:
    """What it said about payments while others decided."""
    found = shadows_of(version)
    if not found.judged:
        return []
    return [
        ("Payments judged", f"{found.judged:,}, since {date(found.since, 'j M Y, H:i')}"),
        ("As it was decided", f"{found.judged - found.stops - found.lets_go:,}"),
        (
            "Went through, would be held or refused",
            f"{found.stops:,} ({charts.percent(found.stops / found.judged, 2)})",
        ),
        (
            "Was held or refused, would go through",
            f"{found.lets_go:,} ({charts.percent(found.lets_go / found.judged, 2)})",
        ),
    ]


def _quality(curves: dict[str, Any], metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Figures of the days that the model had not seen."""
    if not metrics:
        return []
    recalls = [
        (f"Frauds found at {share * 100:g}% false alarms", found)
        for share in FALSE_POSITIVES
        if (found := metrics.get("recalls", {}).get(str(share))) is not None
    ]
    return [
        ("Average precision", _number(metrics.get("average_precision"))),
        ("Area under the ROC curve", _number(curves.get("auc_roc"))),
        *((label, charts.percent(found, 1)) for label, found in recalls),
    ]


def _kinds(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Recall by kind of fraud, as officers gave it."""
    return [
        {
            "name": fraud_kinds.short(each["kind"]),
            "frauds": each["frauds"],
            "recalls": [charts.percent(each["recalls"][str(share)], 1) for share in FALSE_POSITIVES],
        }
        for each in manifest.get("kinds", [])
    ]


def _comparisons(version: ModelVersion) -> list[dict[str, str]]:
    found = version.comparisons.select_related("champion").order_by("-pk")[:5]
    return [
        {
            "at": date(each.compared_at, "j M Y, H:i"),
            "champion": f"Model {each.champion.number}",
            "labels": f"{each.frauds} frauds, {each.others} others",
            "precisions": f"{_number(each.challenger_precision)} against {_number(each.champion_precision)}",
            "interval": "too few labels" if each.low is None else f"{each.low:+.3f} to {each.high:+.3f}",
        }
        for each in found
    ]
