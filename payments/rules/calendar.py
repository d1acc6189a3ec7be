"""On which days a standing order is due. Months keep the day they began with: 31 Jan, 28 Feb, 31 Mar."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Unit(StrEnum):
    ONCE = "ONCE"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """From `first` on, each `every` units, up to and with `last` (None: without an end).

    Raises ValueError when `every` is below one or `last` before `first`.
    """

    first: date
    unit: Unit
    every: int = 1
    last: date | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError("every must be at least 1")
        if self.last is not None and self.last < self.first:
            raise ValueError("last must not be before first")

    def date_of(self, index: int) -> date | None:
        """The due date number `index`, counting from 0; None when the plan ends before."""
        if self.unit is Unit.ONCE:
            return self.first if index == 0 else None
        if self.unit is Unit.WEEK:
            due = self.first + timedelta(weeks=self.every * index)
        else:
            due = _months_later(self.first, self.every * index)
        return due if self.last is None or due <= self.last else None

    def dates_from(self, index: int, count: int) -> list[date]:
        """Up to `count` due dates from number `index` on."""
        dates = (self.date_of(position) for position in range(index, index + count))
        return [due for due in dates if due is not None]

    def index_on_or_after(self, day: date, *, start: int) -> int:
        """The number of the first due date from `start` on that is not before `day`; past the end if there is none."""
        index = start
        while (due := self.date_of(index)) is not None and due < day:
            index += 1
        return index


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
