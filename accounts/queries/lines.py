"""A posting of the ledger as the account's owner reads it."""

from __future__ import annotations

from accounts.rules.statements.content import StatementLine
from common.money import Money
from ledger import queries as ledger


def line_of(line: ledger.Line, currency: str) -> StatementLine:
    """One line with its amounts in the account's currency."""
    return StatementLine(
        entry_id=line.entry_id,
        seq=line.account_seq,
        booked_at=line.booked_at,
        value_date=line.value_date,
        kind=line.kind,
        description=line.description,
        amount=Money(line.amount_minor, currency),
        balance=Money(line.balance_after, currency),
        source_kind=line.source_kind,
        source_id=line.source_id,
    )
