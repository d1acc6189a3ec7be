"""The columns and filters of the queue of cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

from fraud import queries
from fraud.admin.files import BUILT_IN
from fraud.models import Case, CaseStatus
from fraud.queries import desk
from fraud.rules.desk import SAMPLED, Urgency

URGENCY_COLOURS = {"Critical": "danger", "Suspicious": "warning", "Sample": "default"}


def file_names() -> dict[str, str]:
    """What cases are filed under, in words."""
    return BUILT_IN | {SAMPLED: "Drawn by lot"} | queries.rule_names()


def due_text(case: Case, now: datetime) -> SafeString:
    """How much time is left, or by how much the case is overdue; for a closed one, when it was opened."""
    if case.status != CaseStatus.OPEN:
        return format_html("{}", date(case.opened_at, "j M Y, H:i"))
    due = case.dossier.due_at
    if due <= now:
        return format_html('<span class="office-alarm">Overdue by {}</span>', timesince(due, now, depth=1))
    return format_html("Due in {}", timeuntil(due, now, depth=1))


class _ChoiceFilter(admin.SimpleListFilter):
    """A filter with a fixed list of choices; an unknown one filters nothing."""

    choices_in_words: tuple[tuple[str, str], ...]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.choices_in_words)


class AssignedFilter(_ChoiceFilter):
    title = "assigned to"
    parameter_name = "assigned"
    choices_in_words = (("me", "Me"), ("nobody", "Nobody"), ("others", "Colleagues"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        match self.value():
            case "me":
                return queryset.filter(dossier__assigned_to_id=request.user.pk)
            case "nobody":
                return queryset.filter(dossier__assigned_to=None)
            case "others":
                taken = queryset.filter(dossier__assigned_to__isnull=False)
                return taken.exclude(dossier__assigned_to_id=request.user.pk)
        return queryset


class UrgencyFilter(_ChoiceFilter):
    title = "urgency"
    parameter_name = "urgency"
    choices_in_words = tuple((str(int(level)), level.name.title()) for level in reversed(Urgency))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        known = dict(self.choices_in_words)
        return queryset.filter(dossier__urgency=self.value()) if self.value() in known else queryset


class DueFilter(_ChoiceFilter):
    title = "due"
    parameter_name = "due"
    choices_in_words = (("over", "Overdue"), ("open", "Still in time"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        open_ones = queryset.filter(status=CaseStatus.OPEN)
        match self.value():
            case "over":
                return open_ones.filter(dossier__due_at__lte=timezone.now())
            case "open":
                return open_ones.filter(dossier__due_at__gt=timezone.now())
        return queryset


class RuleFilter(admin.SimpleListFilter):
    title = "filed under"
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = file_names()
        return [(code, names.get(code, code)) for code in desk.rules_with_cases()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        return queryset.filter(dossier__rule=self.value()) if self.value() else queryset
