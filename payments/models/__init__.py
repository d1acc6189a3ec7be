"""The tables of payments; import them from here."""

from __future__ import annotations

from payments.models.bulk import BulkFile, BulkRow
from payments.models.integrator_hold import IntegratorHold
from payments.models.limit import Limit
from payments.models.payee import Payee
from payments.models.payment import Channel, HoldCause, Kind, Payment, PaymentQuerySet, Source, Status
from payments.models.review import Review
from payments.models.standing_order import StandingOrder, StandingRun

__all__ = [
    "BulkFile",
    "BulkRow",
    "Channel",
    "HoldCause",
    "IntegratorHold",
    "Kind",
    "Limit",
    "Payee",
    "Payment",
    "PaymentQuerySet",
    "Review",
    "Source",
    "StandingOrder",
    "StandingRun",
    "Status",
]
