"""A schedule as JSON values and as a table: one shape for the command, the API and the pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from common.money import exponent
from loans.rules.schedule import Row, Schedule

_COLUMNS = ("principal", "interest", "fees", "penalties", "total", "outstanding")
_HEADS = ("No.", "Due date", "Days", "Principal", "Interest", "Fees", "Penalties", "Total", "Outstanding")


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
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
