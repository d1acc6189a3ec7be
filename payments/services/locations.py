"""Where a payment is made from. A sandbox may pretend, so that the rules about locations can be seen at work."""

from __future__ import annotations

import re

from django.conf import settings

from common import request_context
from common.errors import Invalid
from payments.errors import SimulationOff


def location(simulated: str = "") -> str:
    """The alpha-2 code of the caller's country, empty when unknown; in a sandbox a simulated one takes its place.

    Raises SimulationOff outside a sandbox, Invalid (field `country`) for a malformed code.
    """
    if not simulated:
        return request_context.current().country
    if not settings.SANDBOX:
        raise SimulationOff(field="country")
    if not re.fullmatch(r"[A-Z]{2}", simulated):
        raise Invalid("Use a two-letter country code such as DE.", code="invalid_country", field="country")
    return simulated
