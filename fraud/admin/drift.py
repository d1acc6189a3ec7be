"""What has moved since the model in charge learnt: one page, and one for each day before."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import date

from fraud.admin import report_charts as charts
from fraud.admin.files import FileAdmin
from fraud.models import DriftReference, DriftReport
from fraud.rules.drift import DRIFTED

DAYS_SHOWN = 90


@admin.register(DriftReport)
class DriftReportAdmin(FileAdmin):
    """One page of what has moved; earlier days at their own addresses."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        latest = DriftReport.objects.order_by("-day").first()
        return self._show(request, latest)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self._show(request, self._opened(request, object_id))

    def _show(self, request: HttpRequest, report: DriftReport | None) -> HttpResponse:
        until = {"day__lte": report.day} if report else {}
        latest = DriftReport.objects.select_related("features_reference__version", "score_reference__version")
        reports = list(reversed(latest.filter(**until).order_by("-day")[:DAYS_SHOWN]))
        # Of the same day, with what it refers to.
        report = reports[-1] if report else None
        rows = charts.index_rows(report) if report else []
        return self._page(
            request,
            "admin/fraud/drift.html",
            f"Drift on {date(report.day, 'j F Y')}" if report else "Drift",
            original=report,
            report=report,
            rows=rows,
            alarms=[row["name"] for row in rows if row["alarm"]],
            limit=DRIFTED,
            beside=_beside(report) if report else None,
            charts=charts.drift_charts(reports),
            days=[
                {
                    "url": self._url("change", each.pk),
                    "day": date(each.day, "j M Y"),
                    "drifted": len(each.drifted),
                    "alerts": charts.percent(each.alert_share, 2),
                }
                for each in reversed(reports)
            ],
        )


def _beside(report: DriftReport) -> list[str]:
    """What the report compares with, and since when, in sentences."""
    features, score = report.features_reference, report.score_reference
    if features is None:
        return ["Compared with the thirty days before that week, as all reports were then."]
    told = [f"Features: beside {_learnt(features)}, {_fixed(features)}."]
    if score is None:
        told.append(
            "The score is compared as soon as a model has been in charge for two weeks and has decided a hundred payments in each."
        )
    elif score.version is None:
        told.append("The score: beside the same payments.")
    else:
        told.append(
            f"The score: beside what model {score.version.number} gave {score.rows:,} payments when it took charge, {_fixed(score)}."
        )
    return told


def _learnt(reference: DriftReference) -> str:
    """In words whose payments these are."""
    if reference.version is None:
        return f"{reference.rows:,} payments of a month without a model in charge"
    return f"{reference.rows:,} payments that model {reference.version.number} learnt from"


def _fixed(reference: DriftReference) -> str:
    return f"{date(reference.from_at, 'j M Y')} to {date(reference.to_at, 'j M Y')}, fixed on {date(reference.frozen_at, 'j F Y')}"
