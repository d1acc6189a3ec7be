"""The engine's switches: layers, features and thresholds, and who touched them last."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from fraud import queries, services
from fraud.admin.files import FileAdmin
from fraud.admin.forms import BudgetForm
from fraud.models import FeaturesConfig
from fraud.models.registry import ConfigChange
from fraud.queries import switching
from fraud.queries.switching import Switch
from fraud.rules.features import FEATURES
from fraud.rules.learning.stack import Budget
from identity.backoffice import decision_page


@admin.register(FeaturesConfig)
class SwitchAdmin(FileAdmin):
    """One page instead of a list of rows: what counts is how things stand now."""

    list_display = ("name", "enabled", "changed_at")

    def get_urls(self) -> list[Any]:
        return [
            self._path("feature/<slug:feature>/", self.feature, "feature"),
            self._path("layer/<slug:layer>/", self.layer, "layer"),
            self._path("budget/", self.budget, "budget"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        may = request.user.has_perm("identity.fraud_switch")
        tries = request.user.has_perm("identity.fraud_edit_rules")
        return self._page(
            request,
            "admin/fraud/switches.html",
            "Switches of the engine",
            thresholds=queries.switches().thresholds,
            changes=[
                {"what": f"Flag from {row.flag_at:g}, block from {row.block_at:g}", "last": _last(row)}
                for row in switching.threshold_changes()
            ],
            try_url=reverse("admin:fraud_backtest_thresholds") if tries else "",
            budget=_budget_words(queries.budget()),
            budget_last=_last(switching.latest_budget()),
            budget_url=self._url("budget") if request.user.has_perm("identity.fraud_approve_rules") else "",
            layers=[self._row(switch, _layer_name(switch.name), "layer", may) for switch in switching.layers()],
            features=[
                self._row(switch, FEATURES[switch.name].label, "feature", may) for switch in switching.features()
            ],
        )

    def _row(self, switch: Switch, label: str, kind: str, may: bool) -> dict[str, Any]:
        return {
            "label": label,
            "name": switch.name,
            "on": switch.enabled,
            "last": _last(switch.change),
            "url": self._url(kind, switch.name) if may else "",
        }

    def feature(self, request: HttpRequest, feature: str) -> HttpResponse:
        found = next((switch for switch in switching.features() if switch.name == feature), None)
        if found is None:
            raise Http404
        label = FEATURES[feature].label
        return self._decision(
            request,
            found,
            label,
            [("Feature", f"{label} ({feature})"), ("What it says", FEATURES[feature].description)],
            "A feature that is off is unknown: no rule about it hits, and models see a gap.",
            lambda reason: services.switch_feature(
                actor=request.user, name=feature, enabled=not found.enabled, reason=reason, now=timezone.now()
            ),
        )

    def layer(self, request: HttpRequest, layer: str) -> HttpResponse:
        found = next((switch for switch in switching.layers() if switch.name == layer), None)
        if found is None:
            raise Http404
        return self._decision(
            request,
            found,
            _layer_name(layer),
            [("Layer", _layer_name(layer))],
            "A layer that is off says nothing about payments; the others go on.",
            lambda reason: services.switch_layer(
                actor=request.user, layer=layer, enabled=not found.enabled, reason=reason, now=timezone.now()
            ),
        )

    def budget(self, request: HttpRequest) -> HttpResponse:
        """What a team can review, and what may be refused; the thresholds follow."""
        now = queries.budget()
        return decision_page(
            self,
            request,
            permission="fraud_approve_rules",
            title="Set the alert budget",
            facts=[("In force now", _budget_words(now))],
            form_class=BudgetForm,
            initial={"flagged_share": round(now.flagged * 100, 3), "blocked_share": round(now.blocked * 100, 3)},
            decide=lambda cleaned: services.set_budget(
                actor=request.user,  # type: ignore[arg-type]
                flagged_share=float(cleaned["flagged_share"] / 100),
                blocked_share=float(cleaned["blocked_share"] / 100),
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done="The thresholds move towards this budget every Monday, by 0.1 a week at most.",
            confirm="Set the budget",
            note="The thresholds of now stay until Monday. To move them at once, try others on the past and use those.",
            back=self._url("changelist"),
            audit_subject=("fraud_switch", "budget"),
        )

    def _decision(
        self, request: HttpRequest, switch: Switch, label: str, facts: list[tuple[str, object]], note: str, decide: Any
    ) -> HttpResponse:
        verb = "Switch off" if switch.enabled else "Switch on"
        return decision_page(
            self,
            request,
            permission="fraud_switch",
            title=f"{verb}: {label}",
            facts=[*facts, ("Now", f"{'On' if switch.enabled else 'Off'}. {_last(switch.change)}")],
            decide=lambda cleaned: decide(cleaned["reason"]),
            done=f"{label} is {'off' if switch.enabled else 'on'} from the next payment on.",
            confirm=verb,
            danger=switch.enabled,
            note=note,
            back=self._url("changelist"),
            audit_subject=("fraud_switch", switch.name),
        )


def _layer_name(name: str) -> str:
    words = {"supervised": "Supervised model", "one_class_svm": "One-class SVM"}
    return words.get(name, name.replace("_", " ").capitalize())


def _budget_words(budget: Budget) -> str:
    return f"Hold {budget.flagged * 100:g}% of payments, refuse {budget.blocked * 100:g}%"


def _last(change: ConfigChange | None) -> str:
    if change is None:
        return "Nobody touched it."
    who = change.changed_by.get_full_name() if change.changed_by else "The system"
    return f"{who}, {date_format(change.changed_at, 'j M Y, H:i')}: {change.reason}"
