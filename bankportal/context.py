"""Values that every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SANDBOX": settings.SANDBOX,
        "BASE_CURRENCY": settings.BASE_CURRENCY,
    }
