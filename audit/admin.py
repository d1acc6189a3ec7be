"""The trail in the back office: to read, filter and search; never to change."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from audit.models import AuditEvent, Seal
from audit.rules.actions import ACTIONS, told
from common.subjects import SUBJECTS, LinksForReader, link, words
from identity.backoffice import ReadOnlyAdmin


class ActionFilter(admin.SimpleListFilter):
    """The actions there are, in words."""

    title = "what"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(ACTIONS.items(), key=lambda each: each[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class SubjectFilter(admin.SimpleListFilter):
    """The kinds of things there are, in words."""

    title = "about"
    parameter_name = "subject_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((kind, words(kind)) for kind in SUBJECTS), key=lambda each: each[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(subject_kind=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(LinksForReader, ReadOnlyAdmin):
    """Who did what, when, to what, from where and why."""

    view_permission = "audit_view"
    list_display = ["at", "who", "what", "about", "reason", "way", "address"]
    list_filter = [ActionFilter, SubjectFilter, "channel", ("at", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["action__istartswith", "subject_id__iexact", "actor__email__iexact", "request_id__iexact"]
    search_help_text = "Beginning of an action, a subject's id, an actor's e-mail address, or a request id."
    ordering = ["-id"]
    fields = [
        "at",
        "who",
        "what",
        "action",
        "about",
        "subject_id",
        "reason",
        "details",
        "way",
        "address",
        "request_id",
    ]
    readonly_fields = ["who", "what", "about", "details", "way", "address"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        return super().get_queryset(request).select_related("actor")

    @display(description="who", ordering="actor__email")
    def who(self, event: AuditEvent) -> str:
        return event.actor.email if event.actor else "System"

    @display(description="what", ordering="action")
    def what(self, event: AuditEvent) -> str:
        return told(event.action)

    @display(description="about")
    def about(self, event: AuditEvent) -> str:
        return link(event.subject_kind, event.subject_id, event.reader.has_perm)  # type: ignore[attr-defined]

    @display(description="through", ordering="channel")
    def way(self, event: AuditEvent) -> str:
        return event.channel if event.channel == "API" else event.channel.capitalize()

    @display(description="IP address")
    def address(self, event: AuditEvent) -> str:
        return event.ip or "–"

    @display(description="details")
    def details(self, event: AuditEvent) -> str:
        written = json.dumps(event.data, indent=2, sort_keys=True, ensure_ascii=False)
        return format_html('<pre class="office-data">{}</pre>', written) if event.data else "–"


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """The chain over the trail; `manage.py verify_audit` recomputes it."""

    view_permission = "audit_view"
    list_display = ["number", "sealed_at", "count", "digest"]
    ordering = ["-number"]
    fields = ["number", "sealed_at", "count", "from_xid", "to_xid", "digest"]
