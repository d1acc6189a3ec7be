"""Payments in the back office."""

from __future__ import annotations

from payments.admin.bulk import BulkFileAdmin, BulkRowAdmin
from payments.admin.limits import LimitAdmin
from payments.admin.payments import PaymentAdmin
from payments.admin.standing_orders import PayeeAdmin, StandingOrderAdmin

__all__ = ["BulkFileAdmin", "BulkRowAdmin", "LimitAdmin", "PayeeAdmin", "PaymentAdmin", "StandingOrderAdmin"]
