"""Calls of the fraud API: who asked what, with which key, and how long the answer took."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from fraud.models import ApiCall
from identity.backoffice import ReadOnlyAdmin


@admin.register(ApiCall)
class ApiCallAdmin(ReadOnlyAdmin):
    view_permission = "fraud_view"
    list_display = ("at", "who", "method", "path", "status", "code", "took", "idempotency_key")
    list_filter = ("status", "method", "client")
    search_fields = ("idempotency_key__exact", "request_id__exact", "path__istartswith")
    search_help_text = "Idempotency key, request id, or the beginning of the path"
    list_select_related = ("client", "user")
    ordering = ("-at", "-id")
    fields = ("at", "who", "method", "path", "status", "code", "took", "idempotency_key", "request_id")
    readonly_fields = ("who", "took")

    @display(description="Caller")
    def who(self, call: ApiCall) -> str:
        return call.client.name if call.client else call.user.get_full_name()

    @display(description="Took", ordering="latency_ms")
    def took(self, call: ApiCall) -> str:
        return f"{call.latency_ms:,.1f}\N{NO-BREAK SPACE}ms"
