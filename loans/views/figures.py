"""Loans as people read them: rows of facts, schedules, charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format

from common.money import Money, display
from loans import queries
from loans.models import Instalment, Loan
from loans.queries import Offer

ROWS_IN_VIEW = 12


def day(value: date) -> str:
    return date_format(value, "j M Y")


def rate(value: Any) -> str:
    return f"{value:.2f} %" if value is not None else "–"


def offer_rows(offer: Offer) -> list[dict[str, Any]]:
    """What a loan costs, as definition rows."""
    schedule = offer.schedule
    rows: list[dict[str, Any]] = [
        {"label": "You borrow", "value": display(offer.principal), "money": True},
        {"label": "You get", "value": display(offer.paid_out), "money": True},
        *_part_rows(offer),
        {"label": "Rate a year", "value": rate(offer.terms.annual_rate), "note": "fixed to the end"},
        {"label": "APR", "value": rate(offer.apr), "note": "a year, with all fees"},
        {
            "label": "Instalments",
            "value": str(len(schedule.rows)),
            "note": f"{offer.rhythm.words} from {day(schedule.rows[0].due_date)} to {day(schedule.rows[-1].due_date)}",
        },
    ]
    if offer.first_instalment != offer.instalment:
        rows.append({"label": "First instalment", "value": display(offer.first_instalment), "money": True})
    rows += [
        {"label": "Instalment", "value": display(offer.instalment), "money": True},
        {"label": "Interest", "value": display(offer.interest), "money": True},
        {"label": "Fees", "value": display(offer.fees), "money": True},
        {"label": "You pay in all", "value": display(offer.total), "money": True, "total": True},
    ]
    return rows


def _part_rows(offer: Offer) -> list[dict[str, Any]]:
    """When which part is paid out; nothing for a loan that comes at once."""
    if not offer.in_parts:
        return []
    parts = enumerate(offer.terms.disbursements, start=1)
    return [
        {
            "label": f"Part {number}",
            "value": display(Money(part.amount_minor, offer.terms.currency)),
            "money": True,
            "note": "at once" if number == 1 else f"planned for {day(part.on)}",
        }
        for number, part in parts
    ]


def tranche_rows(loan: Loan) -> list[dict[str, Any]]:
    """The parts of a running loan: what is paid out, what is planned, what is not paid out any more."""
    later = queries.tranches_of(loan)
    if not later:
        return []
    first = loan.principal - Money(sum(tranche.amount_minor for tranche in later), loan.currency)
    rows = [{"label": "Part 1", "value": display(first), "money": True, "note": f"paid out on {day(loan.start_date)}"}]
    for tranche in later:
        if tranche.paid_date:
            note = f"paid out on {day(tranche.paid_date)}"
        else:
            note = f"planned for {day(tranche.planned_date)}" if tranche.is_open else "not paid out"
        amount = display(tranche.amount(loan.currency))
        rows.append({"label": f"Part {tranche.number}", "value": amount, "money": True, "note": note})
    return rows


def schedule_rows(offer: Offer) -> list[dict[str, Any]]:
    """The plan before there is a loan, amounts as text."""
    currency = offer.terms.currency

    def text(minor: int) -> str:
        return display(Money(minor, currency))

    return [
        {
            "number": row.number,
            "due": row.due_date,
            "principal": text(row.principal),
            "interest": text(row.interest),
            "fees": text(row.fees),
            "total": text(row.total),
            "outstanding": text(row.outstanding),
        }
        for row in offer.schedule.rows
    ]


def instalment_rows(loan: Loan, rows: Sequence[Instalment], today: date) -> list[dict[str, Any]]:
    """The running plan: paid, late, due, to come."""

    def text(minor: int) -> str:
        return display(Money(minor, loan.currency))

    found = []
    for row in rows:
        if not row.unpaid_minor:
            state, label = "COMPLETED", "Paid"
        elif row.due_date < today and loan.status == Loan.Status.ACTIVE:
            state, label = "FAILED", "Late"
        elif row.paid_minor:
            state, label = "PENDING", "Paid in part"
        else:
            state, label = "DRAFT", "To come"
        found.append(
            {
                "number": row.number,
                "due": row.due_date,
                "principal": text(row.principal_minor),
                "interest": text(row.interest_minor),
                "fees": text(row.fee_minor + row.penalty_minor),
                "total": text(row.total_minor),
                "outstanding": text(row.outstanding_minor),
                "state": state,
                "label": label,
            }
        )
    return found


def in_view(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of a plan as a page shows them: what is paid and what is far off are folded away."""
    first = next((at for at, row in enumerate(rows) if row.get("label") != "Paid"), len(rows))
    return {"paid": rows[:first], "next": rows[first : first + ROWS_IN_VIEW], "later": rows[first + ROWS_IN_VIEW :]}


def yearly_chart(offer: Offer) -> dict[str, Any]:
    """Principal against interest, year by year."""
    years: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in offer.schedule.rows:
        years[row.due_date.year][0] += row.principal
        years[row.due_date.year][1] += row.interest + row.fees
    currency = offer.terms.currency

    def major(minor: int) -> float:
        # A picture, not an amount: Chart.js draws numbers.
        return float(Money(minor, currency).decimal)

    ordered = sorted(years.items())
    return {
        "kind": "bars",
        "title": "What you pay each year",
        "summary": f"From {ordered[0][0]} to {ordered[-1][0]}, principal and interest.",
        "currency": currency,
        "labels": [str(year) for year, _ in ordered],
        "series": [
            {"label": "Principal", "values": [major(parts[0]) for _, parts in ordered]},
            {"label": "Interest and fees", "values": [major(parts[1]) for _, parts in ordered], "tone": "muted"},
        ],
        "columns": ["Year", "Principal", "Interest and fees"],
        "rows": [
            [str(year), display(Money(parts[0], currency)), display(Money(parts[1], currency))]
            for year, parts in ordered
        ],
    }
