"""Sent messages and the outbox in the back office, read-only."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from identity.backoffice import ReadOnlyAdmin
from notifications.models import Message, OutboxEvent


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """What people were told, and whether they read it."""

    view_permission = "notification_view"
    list_display = ["created_at", "user", "title", "kind", "emailed_at", "read_at"]
    list_filter = ["kind"]
    search_fields = ["user__email__istartswith", "title__icontains"]
    list_select_related = ["user"]
    ordering = ["-created_at", "pk"]
    fields = ["created_at", "user", "kind", "title", "body", "url", "emailed_at", "read_at"]


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    """What is still to be told, and how often it was tried."""

    view_permission = "notification_view"
    list_display = ["created_at", "user", "kind", "state", "attempts", "next_attempt_at", "relayed_at"]
    list_filter = ["kind", ("relayed_at", admin.EmptyFieldListFilter)]
    search_fields = ["user__email__istartswith"]
    list_select_related = ["user"]
    ordering = ["-created_at", "pk"]
    fields = ["created_at", "user", "kind", "state", "attempts", "next_attempt_at", "relayed_at"]
    readonly_fields = ["state"]

    @display(description="state", label={"Relayed": "success", "Waiting": "warning"})
    def state(self, event: OutboxEvent) -> str:
        return "Relayed" if event.relayed_at else "Waiting"
