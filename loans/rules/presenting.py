"""A schedule as JSON values and as a table: one shape for the command, the API and the pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from common.money import exponent
from loans.rules.schedule import Row, Schedule
from loans.rules.servicing import Amounts, Serviced

_COLUMNS = ("principal", "interest", "fees", "penalties", "total", "outstanding")
_HEADS = ("No.", "Due date", "Days", "Principal", "Interest", "Fees", "Penalties", "Total", "Outstanding")
_SERVICED_HEADS = (
    "No.", "Due date", "Principal", "Interest", "Fees", "Penalties", "Total", "Paid", "Unpaid", "Outstanding",
)  # fmt: skip


def major(amount_minor: int, currency: str) -> str:
    """Minor units as plain decimal text: 32800 EUR is 328.00."""
    return f"{Decimal(amount_minor).scaleb(-exponent(currency)):f}"


def _row(row: Row, currency: str) -> dict[str, Any]:
    return {
        "number": row.number,
        "from_date": row.from_date.isoformat(),
        "due_date": row.due_date.isoformat(),
        "days": row.days,
        **{name: major(getattr(row, name), currency) for name in _COLUMNS},
    }


def as_json(schedule: Schedule) -> dict[str, Any]:
    """JSON-safe: amounts as text in major units, dates ISO. The fields: docs/loans.md."""
    currency = schedule.terms.currency
    return {
        "currency": currency,
        "method": str(schedule.terms.method),
        "rows": [_row(row, currency) for row in schedule.rows],
        "disbursement_fees": [
            {"date": on.isoformat(), "amount": major(amount, currency)} for on, amount in schedule.disbursement_fees
        ],
        "totals": {
            name: major(getattr(schedule, name), currency)
            for name in ("principal", "interest", "fees", "penalties", "total")
        },
    }


def as_table(schedule: Schedule) -> str:
    """Plain text in aligned columns, the totals last."""
    currency = schedule.terms.currency
    lines: list[tuple[str, ...]] = [_HEADS]
    for row in schedule.rows:
        amounts = (major(getattr(row, name), currency) for name in _COLUMNS)
        lines.append((str(row.number), row.due_date.isoformat(), str(row.days), *amounts))
    lines += [
        ("", on.isoformat(), "", "", "", major(amount, currency), "", major(amount, currency), "")
        for on, amount in schedule.disbursement_fees
    ]
    sums = (major(getattr(schedule, name), currency) for name in _COLUMNS[:-1])
    lines.append(("", f"Total {currency}", "", *sums, ""))
    return _aligned(lines)


def _aligned(lines: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _parts(amounts: Amounts, currency: str) -> dict[str, str]:
    return {name: major(getattr(amounts, name), currency) for name in (*Amounts._fields, "total")}


def serviced_as_json(loan: Serviced, currency: str) -> dict[str, Any]:
    """A loan after its events, JSON-safe: what is due and paid of each row, and what each payment was spent on."""
    return {
        "currency": currency,
        "as_of": loan.as_of.isoformat(),
        "status": str(loan.status),
        "balance": major(loan.balance_minor, currency),
        "days_past_due": loan.days_past_due,
        "rows": [
            {
                "number": row.number,
                "from_date": row.from_date.isoformat(),
                "due_date": row.due_date.isoformat(),
                "due": _parts(row.due, currency),
                "paid": _parts(row.paid, currency),
                "outstanding": major(row.outstanding, currency),
            }
            for row in loan.rows
        ],
        "payments": [{"date": paid.on.isoformat(), **_parts(paid.parts, currency)} for paid in loan.payments],
        "written_off": _parts(loan.written_off, currency),
    }


def serviced_as_table(loan: Serviced, currency: str) -> str:
    """Plain text: each row's parts as they fall due, what is paid of it, and where the loan stands."""
    lines: list[tuple[str, ...]] = [_SERVICED_HEADS]
    for row in loan.rows:
        amounts = (*row.due, row.due.total, row.paid.total, row.due.total - row.paid.total, row.outstanding)
        lines.append((str(row.number), row.due_date.isoformat(), *(major(amount, currency) for amount in amounts)))
    standing = (
        f"{loan.status} on {loan.as_of.isoformat()}: "
        f"{currency} {major(loan.balance_minor, currency)} unpaid, {loan.days_past_due} days past due"
    )
    return f"{_aligned(lines)}\n{standing}"
