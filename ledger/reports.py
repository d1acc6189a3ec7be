"""The books as reports: trial balance, balance sheet, income statement, general ledger. Amounts are minor units.

Each figure is computed for the end of a day (UTC) by time of booking. Signs: a figure is positive on the normal side of its code,
so assets and expenses are shown as debits and everything else as credits, as an accountant reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from ledger import queries
from ledger.models import Kind, LedgerAccount, Seal


@dataclass(frozen=True, slots=True)
class Figure:
    """What the accounts of one code and currency hold together: credit positive, debit negative."""

    gl_code: str
    name: str
    kind: str
    normal_side: str
    currency: str
    accounts: int
    net_minor: int

    @property
    def normal_minor(self) -> int:
        """Positive on the code's normal side."""
        return -self.net_minor if self.normal_side == "DEBIT" else self.net_minor

    @property
    def debit_minor(self) -> int:
        return max(-self.net_minor, 0)

    @property
    def credit_minor(self) -> int:
        return max(self.net_minor, 0)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """One currency. `debit_minor` equals `credit_minor`, or something is broken."""

    currency: str
    figures: tuple[Figure, ...]

    @property
    def debit_minor(self) -> int:
        return sum(figure.debit_minor for figure in self.figures)

    @property
    def credit_minor(self) -> int:
        return sum(figure.credit_minor for figure in self.figures)

    @property
    def is_balanced(self) -> bool:
        return self.debit_minor == self.credit_minor


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """One currency. `result_minor` is income less expense so far; it belongs to the owners and stands with the equity."""

    currency: str
    assets: tuple[Figure, ...]
    liabilities: tuple[Figure, ...]
    equity: tuple[Figure, ...]
    result_minor: int

    @property
    def assets_minor(self) -> int:
        return sum(figure.normal_minor for figure in self.assets)

    @property
    def liabilities_minor(self) -> int:
        return sum(figure.normal_minor for figure in self.liabilities)

    @property
    def equity_minor(self) -> int:
        return sum(figure.normal_minor for figure in self.equity) + self.result_minor

    @property
    def is_balanced(self) -> bool:
        return self.assets_minor == self.liabilities_minor + self.equity_minor


@dataclass(frozen=True, slots=True)
class IncomeStatement:
    """One currency, over a period."""

    currency: str
    income: tuple[Figure, ...]
    expense: tuple[Figure, ...]

    @property
    def income_minor(self) -> int:
        return sum(figure.normal_minor for figure in self.income)

    @property
    def expense_minor(self) -> int:
        return sum(figure.normal_minor for figure in self.expense)

    @property
    def result_minor(self) -> int:
        return self.income_minor - self.expense_minor


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A posting in the general ledger; internal accounts keep no running balance."""

    entry_id: int
    booked_at: datetime
    value_date: date
    kind: str
    description: str
    amount_minor: int
    balance_after: int | None
    place: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Postings of one account, newest first; `older` names where the next page starts, None when this is the last."""

    lines: tuple[LedgerLine, ...]
    older: str | None


def figures(*, day: date) -> list[Figure]:
    """What each code held at the end of `day`, by code and currency; codes that never had an account are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.code, g.name, g.kind, g.normal_side, a.currency, count(*), sum(ledger_booked_on(a.id, %s))::bigint
              FROM ledger_ledgeraccount a JOIN ledger_glcode g ON g.code = a.gl_code_id
             GROUP BY g.code, a.currency ORDER BY a.currency, g.code
            """,
            [day],
        )
        return [Figure(*row) for row in cursor.fetchall()]


def trial_balance(*, day: date) -> list[TrialBalance]:
    """At the end of `day`, one for each currency in which something was ever held."""
    return [TrialBalance(currency, tuple(rows)) for currency, rows in _by_currency(figures(day=day))]


def balance_sheet(*, day: date) -> list[BalanceSheet]:
    """At the end of `day`, one for each currency."""
    sheets = []
    for currency, rows in _by_currency(figures(day=day)):
        of = {kind: tuple(row for row in rows if row.kind == kind) for kind in Kind.values}
        result = sum(row.net_minor for row in of[Kind.INCOME] + of[Kind.EXPENSE])
        sheets.append(BalanceSheet(currency, of[Kind.ASSET], of[Kind.LIABILITY], of[Kind.EQUITY], result))
    return sheets


def income_statement(*, since: date, until: date) -> list[IncomeStatement]:
    """What came in and what it cost in [since, until), one for each currency."""
    before = {(row.gl_code, row.currency): row.net_minor for row in figures(day=since - timedelta(days=1))}
    moved = [
        Figure(
            row.gl_code,
            row.name,
            row.kind,
            row.normal_side,
            row.currency,
            row.accounts,
            row.net_minor - before.get((row.gl_code, row.currency), 0),
        )
        for row in figures(day=until - timedelta(days=1))
        if row.kind in (Kind.INCOME, Kind.EXPENSE)
    ]
    return [
        IncomeStatement(
            currency,
            tuple(row for row in rows if row.kind == Kind.INCOME),
            tuple(row for row in rows if row.kind == Kind.EXPENSE),
        )
        for currency, rows in _by_currency(moved)
    ]


def general_ledger(*, account: LedgerAccount, before: str = "", limit: int = 50) -> LedgerPage:
    """Postings of an account, newest first; `before` is `older` of the page before. An index walk wherever the page is."""
    rows = _internal_lines(account, before, limit) if account.is_internal else _running_lines(account, before, limit)
    return LedgerPage(lines=tuple(rows[:limit]), older=rows[limit - 1].place if len(rows) > limit else None)


def seal_of(*, entry_xid: int) -> Seal | None:
    """The seal over an entry, by the entry's transaction id; None while it is not sealed yet."""
    seal = Seal.objects.filter(cut__gt=entry_xid).order_by("cut").first()
    return seal if seal is not None and (seal.start or 0) <= entry_xid else None


def _running_lines(account: LedgerAccount, before: str, limit: int) -> list[LedgerLine]:
    before_seq = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    return [
        LedgerLine(
            line.entry_id,
            line.booked_at,
            line.value_date,
            line.kind,
            line.description,
            line.amount_minor,
            line.balance_after,
            str(line.account_seq),
        )
        for line in queries.recent_lines(account.pk, before_seq=before_seq, limit=limit + 1)
    ]


def _internal_lines(account: LedgerAccount, before: str, limit: int) -> list[LedgerLine]:
    """In the order of their index: transaction id, then entry, then leg."""
    parts = before.split("-")
    xid, entry, no = (
        parts
        if len(parts) == 3 and all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts)
        else (
            str(2**63 - 1),
            "0",
            "0",
        )
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.entry_id, p.booked_at, e.value_date, e.kind, e.description, p.amount, NULL,
                   p.xid::text || '-' || p.entry_id || '-' || p.no
              FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
             WHERE p.account_id = %s AND p.account_seq IS NULL AND p.xid <= %s::xid8
               AND (p.xid, p.entry_id, p.no) < (%s::xid8, %s, %s)
             ORDER BY p.xid DESC, p.entry_id DESC, p.no DESC LIMIT %s
            """,
            [account.pk, xid, xid, int(entry), int(no), limit + 1],
        )
        return [LedgerLine(*row) for row in cursor.fetchall()]


def _by_currency(rows: Iterable[Figure]) -> list[tuple[str, list[Figure]]]:
    """Currencies with something in them, each with its codes."""
    found: dict[str, list[Figure]] = {}
    for row in rows:
        found.setdefault(row.currency, []).append(row)
    return [(currency, group) for currency, group in found.items() if any(row.net_minor for row in group)]
