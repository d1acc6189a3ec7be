"""Whose tables the back office shows: ours only.

Libraries register forms of their own: groups, e-mail addresses, second factors, lockouts, tokens. Saving one of those
would go around our services, their checks and the trail, so none is kept. Read last, because `bankportal` is the last app.
"""

from __future__ import annotations

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.decorators import display

from bankportal.models import EndOfDayRun
from identity.backoffice import ReadOnlyAdmin


def is_ours(model: type[Model]) -> bool:
    """Whether a model belongs to an app of this project."""
    return Path(apps.get_app_config(model._meta.app_label).path).parent == settings.BASE_DIR


admin.site.unregister([model for model in list(admin.site._registry) if not is_ours(model)])


@admin.register(EndOfDayRun)
class EndOfDayRunAdmin(ReadOnlyAdmin):
    """What the end of each day did, step by step, and what it waits for."""

    view_permission = "ledger_view"
    list_display = ["day", "started_at", "finished_at", "progress"]
    ordering = ["-day"]
    fields = ["day", "started_at", "finished_at", "seal", "what_happened"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[EndOfDayRun]:
        return super().get_queryset(request).prefetch_related("steps")

    @display(description="steps done")
    def progress(self, run: EndOfDayRun) -> str:
        return f"{_done(run)} of {len(run.steps.all())}"

    @display(description="steps")
    def what_happened(self, run: EndOfDayRun) -> SafeString:
        return render_to_string("admin/bankportal/steps.html", {"steps": run.steps.all(), "done": _done(run)})


def _done(run: EndOfDayRun) -> int:
    return sum(step.finished_at is not None for step in run.steps.all())
