"""What happens to a loan after it is paid out, and how that is read from JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from loans.errors import InvalidEvent, InvalidTerms
from loans.rules import parsing
from loans.rules.terms import MAX_INSTALMENTS, MAX_RATE, Part


class EventType(StrEnum):
    DISBURSEMENT = "DISBURSEMENT"
    REPAYMENT = "REPAYMENT"
    PAYOFF = "PAYOFF"
    CHARGE = "CHARGE"
    RESCHEDULE = "RESCHEDULE"
    MORATORIUM = "MORATORIUM"
    WRITE_OFF = "WRITE_OFF"


NEEDS = {
    EventType.DISBURSEMENT: ({"amount"}, set()),
    EventType.REPAYMENT: ({"amount"}, set()),
    EventType.PAYOFF: (set(), {"amount"}),
    EventType.CHARGE: ({"amount", "part"}, set()),
    EventType.RESCHEDULE: (set(), {"instalments", "annual_rate", "first_due_date"}),
    EventType.MORATORIUM: ({"instalments"}, set()),
    EventType.WRITE_OFF: (set(), set()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; which of the optional fields it takes depends on its type. Amounts in minor units."""

    on: date
    type: EventType
    amount_minor: int | None = None
    part: Part | None = None
    instalments: int | None = None
    annual_rate: Decimal | None = None
    first_due_date: date | None = None

    def __post_init__(self) -> None:
        if self.amount_minor is not None and self.amount_minor <= 0:
            raise InvalidEvent("Enter an amount above zero.", field="amount")
        if self.part is not None and self.part not in (Part.FEE, Part.PENALTY):
            raise InvalidEvent("A charge is a FEE or a PENALTY.", field="part")
        if self.instalments is not None and not 0 < self.instalments <= MAX_INSTALMENTS:
            raise InvalidEvent("Enter a number of instalments above zero.", field="instalments")
        if self.annual_rate is not None and not 0 <= self.annual_rate <= MAX_RATE:
            raise InvalidEvent(f"The rate is between 0 and {MAX_RATE} per cent a year.", field="annual_rate")
        if self.first_due_date is not None and self.first_due_date <= self.on:
            raise InvalidEvent("The next due date is after the day of the change.", field="first_due_date")
        given = {name for name in NEEDS_NAMES if getattr(self, NEEDS_NAMES[name]) is not None}
        required, allowed = NEEDS[self.type]
        for name in sorted((required - given) | (given - required - allowed)):
            word = "needs" if name in required else "takes no"
            raise InvalidEvent(f"{self.type} {word} {name}.", field=name)
        if self.type is EventType.RESCHEDULE and not given:
            raise InvalidEvent("A reschedule changes instalments, annual_rate or first_due_date.", field="instalments")


NEEDS_NAMES = {
    "amount": "amount_minor",
    "part": "part",
    "instalments": "instalments",
    "annual_rate": "annual_rate",
    "first_due_date": "first_due_date",
}
_FIELDS = frozenset({"date", "type", *NEEDS_NAMES})


def parse_events(values: Sequence[Mapping[str, Any]], *, currency: str) -> tuple[Event, ...]:
    """Events from JSON objects, amounts in major units. Raises InvalidEvent naming the field, as `events[0].amount`."""
    found: list[Event] = []
    for index, item in enumerate(values):
        prefix = f"events[{index}]."
        try:
            parsing.known(item, _FIELDS, prefix)
            read = parsing.Reader(item, currency, prefix)
            found.append(
                Event(
                    on=read.required("date", parsing.day),
                    type=read.required("type", read.choice(EventType)),
                    amount_minor=read.optional("amount", read.amount, None),
                    part=read.optional("part", read.choice(Part), None),
                    instalments=read.optional("instalments", parsing.whole, None),
                    annual_rate=read.optional("annual_rate", parsing.number, None),
                    first_due_date=read.optional("first_due_date", parsing.day, None),
                )
            )
        except InvalidTerms as wrong:
            raise InvalidEvent(wrong.text, field=wrong.field) from None
        except InvalidEvent as wrong:
            raise InvalidEvent(wrong.text, field=f"{prefix}{wrong.field}") from None
    return tuple(found)
