"""Accounts, products and rates in the back office."""

from __future__ import annotations

from accounts.admin.accounts import AccountAdmin
from accounts.admin.fees import AccountFeeAdmin, FeeVersionAdmin
from accounts.admin.products import ProductAdmin, ReferenceRateAdmin

__all__ = ["AccountAdmin", "AccountFeeAdmin", "FeeVersionAdmin", "ProductAdmin", "ReferenceRateAdmin"]
