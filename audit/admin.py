"""The trail in the back office: to read, filter and search; never to change."""

from __future__ import annotations

import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from audit.models import AuditEvent, Seal
from identity.backoffice import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what, when, to what, from where and why."""

    view_permission = "audit_view"
    list_display = ["at", "who", "action", "subject_kind", "subject_id", "reason", "channel", "ip"]
    list_filter = ["channel", "subject_kind", ("at", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["action__istartswith", "subject_id__iexact", "actor__email__iexact", "request_id__iexact"]
    search_help_text = "Beginning of an action, a subject's id, an actor's e-mail address, or a request id."
    ordering = ["-id"]
    fields = ["at", "who", "action", "subject_kind", "subject_id", "reason", "details", "channel", "ip", "request_id"]
    readonly_fields = ["who", "details"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        return super().get_queryset(request).select_related("actor")

    @display(description="who", ordering="actor__email")
    def who(self, event: AuditEvent) -> str:
        return event.actor.email if event.actor else "System"

    @display(description="details")
    def details(self, event: AuditEvent) -> str:
        return json.dumps(event.data, indent=2, sort_keys=True, ensure_ascii=False)


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """The chain over the trail; `manage.py verify_audit` recomputes it."""

    view_permission = "audit_view"
    list_display = ["number", "sealed_at", "count", "digest"]
    ordering = ["-number"]
    fields = ["number", "sealed_at", "count", "from_xid", "to_xid", "digest"]
