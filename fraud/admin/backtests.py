"""What was tried on stored payments: rules, thresholds, and the engine after a change."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from unfold.decorators import action, display

from fraud import queries, services
from fraud.admin import trials
from fraud.admin.files import FileAdmin
from fraud.admin.forms import ThresholdsForm
from fraud.models import Backtest, BacktestKind
from identity.backoffice import decision_page

COLOURS = {"Waiting": "info", "Running": "info", "Finished": "success", "Failed": "danger"}


@admin.register(Backtest)
class BacktestAdmin(FileAdmin):
    list_display = ("subject", "kind", "where", "period", "asked_by", "requested_at")
    list_filter = ("kind",)
    list_select_related = ("rule", "requested_by")
    search_fields = ("rule__name", "rule__code")
    ordering = ("-requested_at", "id")
    actions_list = ("try_thresholds",)

    def get_urls(self) -> list[Any]:
        return [
            self._path("thresholds/", self.thresholds, "thresholds"),
            self._path("<uuid:backtest_id>/progress/", self.progress, "progress"),
            self._path("<uuid:backtest_id>/use/", self.use, "use"),
            *super().get_urls(),
        ]

    def has_try_thresholds_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.fraud_edit_rules")

    @action(description="Try thresholds", url_path="try-thresholds", icon="tune", permissions=["try_thresholds"])
    def try_thresholds(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._url("thresholds"))

    @display(description="What was tried")
    def subject(self, backtest: Backtest) -> str:
        return trials.what(backtest)

    @display(description="State", label=COLOURS)
    def where(self, backtest: Backtest) -> str:
        return trials.state_of(backtest)

    @display(description="Payments of")
    def period(self, backtest: Backtest) -> str:
        return f"{date_format(backtest.from_at, 'j M Y')} to {date_format(backtest.to_at, 'j M Y')}"

    @display(description="Asked for by")
    def asked_by(self, backtest: Backtest) -> str:
        return backtest.requested_by.get_full_name() if backtest.requested_by else "The system"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        backtest: Backtest = self._opened(request, object_id)
        state = trials.state_of(backtest)
        return self._page(
            request,
            "admin/fraud/backtest.html",
            trials.what(backtest),
            original=backtest,
            backtest=backtest,
            state=state,
            colour=COLOURS[state],
            live=queries.switches().thresholds if backtest.kind == BacktestKind.THRESHOLDS else None,
            use=self._url("use", backtest.pk) if self._may_use(request, backtest) else "",
            **self._tried(backtest),
        )

    def _tried(self, backtest: Backtest) -> dict[str, Any]:
        tried = trials.shown(backtest, queries.rule_names())
        return {"backtests": [tried], "backtests_url": self._url("progress", backtest.pk)}

    def _may_use(self, request: HttpRequest, backtest: Backtest) -> bool:
        done = backtest.kind == BacktestKind.THRESHOLDS and backtest.finished_at is not None and not backtest.error
        return done and request.user.has_perm("identity.fraud_switch")

    def progress(self, request: HttpRequest, backtest_id: uuid.UUID) -> HttpResponse:
        """The figures alone, asked for again while it runs."""
        backtest: Backtest = self._opened(request, backtest_id)
        return TemplateResponse(request, "admin/fraud/_backtests.html", self._tried(backtest))

    def thresholds(self, request: HttpRequest) -> HttpResponse:
        live = queries.switches().thresholds

        def ask(cleaned: dict[str, Any]) -> Backtest:
            now = timezone.now()
            return services.request_threshold_backtest(
                actor=request.user,
                flag_at=float(cleaned["flag_at"]),
                block_at=float(cleaned["block_at"]),
                from_at=now - timedelta(days=cleaned["days"]),
                to_at=now,
                now=now,
            )

        return decision_page(
            self,
            request,
            permission="fraud_edit_rules",
            title="Try thresholds on the past",
            facts=[("In force now", f"Flag from {live.flag_at:g}, block from {live.block_at:g}")],
            form_class=ThresholdsForm,
            initial={"flag_at": live.flag_at, "block_at": live.block_at},
            decide=ask,
            done="The thresholds are being tried on stored payments. Open them in the list to see how far it is.",
            confirm="Try them",
            back=self._url("changelist"),
            note="Nothing changes: stored payments are decided again from the scores of the models that decided them.",
        )

    def use(self, request: HttpRequest, backtest_id: uuid.UUID) -> HttpResponse:
        backtest: Backtest = self._opened(request, backtest_id)
        live = queries.switches().thresholds
        return decision_page(
            self,
            request,
            permission="fraud_switch",
            title=f"Use these thresholds: {trials.what(backtest)}",
            facts=[("In force now", f"Flag from {live.flag_at:g}, block from {live.block_at:g}")],
            decide=lambda cleaned: services.use_thresholds(
                actor=request.user, backtest_id=backtest_id, reason=cleaned["reason"], now=timezone.now()
            ),
            done="The thresholds count from the next payment on.",
            confirm="Use them",
            back=self._url("change", backtest_id),
            audit_subject=("fraud_backtest", backtest_id),
        )
