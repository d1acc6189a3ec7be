"""The bank's limits to start with. Staff edit them, so only missing rows are written."""

from __future__ import annotations

from django.utils import timezone

from payments.models import Channel, Limit

# Minor units of the base currency.
DEFAULT_LIMITS = {
    "per_payment_minor": 25_000_00,
    "daily_minor": 25_000_00,
    "monthly_minor": 100_000_00,
    "new_payee_minor": 10_000_00,
}


def ensure() -> None:
    """Write the default limits of both channels where they are missing."""
    for channel in (Channel.PORTAL, Channel.API):
        Limit.objects.get_or_create(
            customer=None,
            channel=channel,
            set_by=Limit.SetBy.BANK,
            defaults={**DEFAULT_LIMITS, "changed_at": timezone.now()},
        )
