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
# A salary run is many payments at once, most of them to somebody new the first time.
BULK_LIMITS = {
    "per_payment_minor": 25_000_00,
    "daily_minor": 250_000_00,
    "monthly_minor": 1_000_000_00,
    "new_payee_minor": 25_000_00,
}


def ensure() -> None:
    """Write the default limits of each channel where they are missing."""
    for channel, amounts in (
        (Channel.PORTAL, DEFAULT_LIMITS),
        (Channel.API, DEFAULT_LIMITS),
        (Channel.BULK, BULK_LIMITS),
    ):
        Limit.objects.get_or_create(
            customer=None,
            channel=channel,
            set_by=Limit.SetBy.BANK,
            defaults={**amounts, "changed_at": timezone.now()},
        )
