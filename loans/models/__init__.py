"""The tables of lending; each module says what its rows are."""

from __future__ import annotations

from loans.models.application import IN_DECISION, OPEN_STATES, Application, Decision
from loans.models.loan import Collection, Instalment, Loan, LoanEvent, Movement, Notice
from loans.models.product import Bucket, LoanProduct, Policy, ProductKind, RateBand
from loans.models.restructure import Restructure
from loans.models.tranche import OPEN_TRANCHES, Tranche

__all__ = [
    "IN_DECISION",
    "OPEN_STATES",
    "OPEN_TRANCHES",
    "Application",
    "Bucket",
    "Collection",
    "Decision",
    "Instalment",
    "Loan",
    "LoanEvent",
    "LoanProduct",
    "Movement",
    "Notice",
    "Policy",
    "ProductKind",
    "RateBand",
    "Restructure",
    "Tranche",
]
