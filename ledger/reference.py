"""The chart of accounts and the bank's own accounts. Idempotent; runs after every migrate, as the owner of the tables."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from ledger import services
from ledger.models import GlCode, Kind, Side

# code, name, kind, normal side, internal
CHART: tuple[tuple[str, str, Kind, Side, bool], ...] = (
    ("1000", "Cash", Kind.ASSET, Side.DEBIT, True),
    ("1100", "Settlement with other banks", Kind.ASSET, Side.DEBIT, True),
    ("1200", "Loans to customers", Kind.ASSET, Side.DEBIT, True),
    ("1210", "Loan interest receivable", Kind.ASSET, Side.DEBIT, True),
    ("1220", "Loan fees and penalties receivable", Kind.ASSET, Side.DEBIT, True),
    # Holds a credit: what is set aside against the loans above.
    ("1290", "Allowance for loan losses", Kind.ASSET, Side.DEBIT, True),
    ("2100", "Customer deposits", Kind.LIABILITY, Side.CREDIT, False),
    ("2310", "Loan interest in suspense", Kind.LIABILITY, Side.CREDIT, True),
    ("2900", "Suspense", Kind.LIABILITY, Side.CREDIT, True),
    ("3000", "Equity", Kind.EQUITY, Side.CREDIT, True),
    ("4100", "Fee income", Kind.INCOME, Side.CREDIT, True),
    ("4110", "Loan fee income", Kind.INCOME, Side.CREDIT, True),
    ("4120", "Loan penalty income", Kind.INCOME, Side.CREDIT, True),
    ("4200", "Interest income", Kind.INCOME, Side.CREDIT, True),
    ("4210", "Loan interest income", Kind.INCOME, Side.CREDIT, True),
    ("4290", "Recovered from written-off loans", Kind.INCOME, Side.CREDIT, True),
    ("5100", "Interest expense", Kind.EXPENSE, Side.DEBIT, True),
    ("5200", "Provisions for loan losses", Kind.EXPENSE, Side.DEBIT, True),
    ("5210", "Loans written off", Kind.EXPENSE, Side.DEBIT, True),
)
CURRENCIES = ("EUR", "USD", "GBP")
# Partitions are made this far ahead, so that a task that does not run for weeks is no matter.
AHEAD = timedelta(days=92)
BEHIND = timedelta(days=31)


def ensure() -> None:
    """Bring the chart up to date and open the internal accounts of the usual currencies; others open when first asked for.

    Makes the partitions of the months around now as well, so that a new bank has them before its first entry.
    """
    now = timezone.now()
    services.make_months(since=now - BEHIND, until=now + AHEAD)
    for code, name, kind, side, internal in CHART:
        GlCode.objects.update_or_create(
            code=code, defaults={"name": name, "kind": kind, "normal_side": side, "is_internal": internal}
        )
        if internal:
            for currency in CURRENCIES:
                services.internal_account(gl_code=code, currency=currency)
