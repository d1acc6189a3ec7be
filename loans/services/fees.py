"""What the bank takes when it pays out."""

from __future__ import annotations

from datetime import datetime

from common.money import Money
from ledger import queries as ledger_queries
from ledger import services as ledger
from loans import queries
from loans.models import Loan
from loans.rules import allotting
from loans.rules import fees as rules
from loans.rules.servicing import Servicing
from loans.services import booking


def of_last_part(run: Servicing) -> int:
    """The fees of what was paid out last, in minor units."""
    return rules.at_disbursement(run.terms, run.account.disbursements[-1])


def taken(loan: Loan) -> Money:
    """What was taken so far when the loan and its later parts were paid out."""
    run = queries.engine(loan, loan.last_event_date)
    return Money(sum(rules.at_disbursement(run.terms, part) for part in run.account.disbursements), loan.currency)


def take(loan: Loan, amount_minor: int, *, period: str, now: datetime) -> None:
    """The arrangement fee leaves the account right after the money came."""
    if amount_minor:
        ledger.post_transfer(
            external_ref=booking.reference("fee", loan.pk, period),
            debit_account_id=loan.account.ledger_account_id,
            credit_account_id=ledger_queries.internal_account(allotting.FEE_INCOME, loan.currency),
            amount_minor=amount_minor,
            kind="loan_fee",
            description=f"Arrangement fee, {loan.product.name}",
            source_kind="loan",
            source_id=loan.pk,
            booked_at=now,
        )
