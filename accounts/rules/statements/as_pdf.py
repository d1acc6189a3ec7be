"""The statement people keep: PDF/A-2b, typeset by typst from data, in the portal's own typeface.

The same heading and lines give the same bytes. A table is laid out as a whole, so the number of lines is limited.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import islice
from pathlib import Path

from accounts.errors import StatementTooLong
from accounts.rules import numbers
from accounts.rules.statements.content import Heading, StatementLine
from accounts.rules.statements.typesetting import typeset
from common.money import Money, display

LONGEST = 2_000
_TEMPLATE = Path(__file__).with_name("statement.typ")
_LEGAL = (
    "Days are UTC days; amounts are in {currency}. Please check this statement: tell us about a payment you did not "
    "make as soon as you see it, within 13 months of the day it was booked at the latest. Made by machine; valid "
    "without a signature. {bank} will never ask for your password or PIN. Reference {reference}."
)


def write(heading: Heading, lines: Iterable[StatementLine]) -> bytes:
    """The document. Raises StatementTooLong for more than 2,000 postings."""
    if heading.count > LONGEST:
        raise StatementTooLong(
            f"A PDF holds up to {LONGEST:,} postings, and this period has {heading.count:,}. "
            "Choose a shorter period or another format.",
            data={"postings": heading.count, "longest": LONGEST},
        )
    data = {**_heading(heading), "lines": [_row(line) for line in islice(lines, LONGEST)]}
    return typeset(template=_TEMPLATE, data=data, created_at=int(heading.created_at.timestamp()))


def _heading(heading: Heading) -> dict[str, object]:
    summary = [
        ("Opening balance", display(heading.opening), _day(heading.since)),
        ("Paid in", display(heading.paid_in), _count(heading.count_in)),
        ("Paid out", display(heading.paid_out), _count(heading.count_out)),
        ("Closing balance", display(heading.closing), _day(heading.last_day)),
    ]
    facts = [
        ("Account number", numbers.grouped(heading.account_number)),
        ("Account", f"{heading.product}, {heading.currency}"),
        ("Period", f"{_day(heading.since)} to {_day(heading.last_day)}"),
        *([("Statement number", str(heading.number))] if heading.number else []),
        ("Issued", _day(heading.created_at.date())),
    ]
    return {
        "title": "Account statement",
        "bank": heading.bank,
        "number": numbers.grouped(heading.account_number),
        "period": f"{_day(heading.since)} to {_day(heading.last_day)}",
        "address": [heading.holder, *heading.address],
        "facts": facts,
        "summary": summary,
        "currency": heading.currency,
        "first": _day(heading.since),
        "last": _day(heading.last_day),
        "opening": _figure(heading.opening),
        "closing": _figure(heading.closing),
        "legal": _LEGAL.format(currency=heading.currency, bank=heading.bank, reference=heading.reference),
    }


def _row(line: StatementLine) -> tuple[str, ...]:
    booked = line.booked_at.date()
    notes = [f"Reference {line.reference}"]
    if line.value_date != booked:
        notes.insert(0, f"Value date {_day(line.value_date)}")
    sign = "+" if line.amount.amount_minor > 0 else ""
    return (_day(booked), line.description, ", ".join(notes), sign + _figure(line.amount), _figure(line.balance))


def _figure(money: Money) -> str:
    """Grouped digits without the currency, which the column names, and with a true minus sign."""
    return f"{money.decimal:,f}".replace("-", "\u2212")


def _day(day: date) -> str:
    return f"{day.day}\u00a0{day:%b}\u00a0{day:%Y}"


def _count(number: int) -> str:
    return "1 posting" if number == 1 else f"{number:,} postings"
