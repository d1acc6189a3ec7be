"""Holding a loan while it changes, and the names its entries have in the ledger."""

from __future__ import annotations

from uuid import UUID, uuid5

from django.db.models import QuerySet

from common.db import require_transaction
from loans.errors import UnknownLoan
from loans.models import Loan

# Names the ledger references of this app, so that no caller's own UUID can meet them.
NAMESPACE = UUID("6b2c1f0e-6f0a-4d5c-9a53-0e5c1b8f5d21")


def claim(loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """Loan rows locked until the transaction ends, with what every use case needs of them."""
    require_transaction()
    return loans.select_for_update(no_key=True, of=("self",)).select_related("product", "account")


def claim_free(loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """The same, without those that somebody else holds."""
    require_transaction()
    rows = loans.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return rows.select_related("product", "account")


def lock(loan_id: UUID) -> Loan:
    """Raises UnknownLoan."""
    loan = claim(Loan.objects.filter(pk=loan_id)).first()
    if loan is None:
        raise UnknownLoan()
    return loan


def reference(kind: str, subject: object, period: str) -> UUID:
    return uuid5(NAMESPACE, f"{kind}:{subject}:{period}")
