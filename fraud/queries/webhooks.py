"""Who may be told at an address, and what became of it."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from fraud.models import Webhook, WebhookDelivery
from identity.models import ApiClient

SHOWN = 100


def clients_to_tell() -> list[ApiClient]:
    """The keys in use that have transactions checked."""
    active = ApiClient.objects.filter(is_active=True, scopes__contains=[ApiClient.Scope.FRAUD_SCORE.value])
    return list(active.order_by("name", "pk"))


def deliveries_of(webhook: Webhook) -> list[WebhookDelivery]:
    """What this address was told or is about to be told, the latest first."""
    found = WebhookDelivery.objects.filter(webhook=webhook).select_related("transaction", "webhook")
    return list(found.order_by("-created_at", "-pk")[:SHOWN])


def webhooks() -> QuerySet[Webhook]:
    """All addresses, with how many deliveries wait for each as `waiting`."""
    return Webhook.objects.annotate(
        waiting=Count(
            "deliveries", filter=Q(deliveries__delivered_at__isnull=True, deliveries__given_up_at__isnull=True)
        )
    )
