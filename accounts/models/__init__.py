"""The tables of accounts; import them from here."""

from __future__ import annotations

from accounts.models.account import Account, AccountQuerySet, Status
from accounts.models.fee import AccountFee, FeeBand, FeeVersion, FeeWaiver
from accounts.models.interest import InterestPosting
from accounts.models.product import Product, ProductKind, ReferenceRate
from accounts.models.statement import MonthlyStatement, StatementFile

__all__ = [
    "Account",
    "AccountFee",
    "AccountQuerySet",
    "FeeBand",
    "FeeVersion",
    "FeeWaiver",
    "InterestPosting",
    "MonthlyStatement",
    "Product",
    "ProductKind",
    "ReferenceRate",
    "StatementFile",
    "Status",
]
