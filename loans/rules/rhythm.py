"""How often an instalment comes, in words and per month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loans.rules.calendar import NOMINAL_DAYS, Frequency

# No loan of the bank runs longer, counted in each unit: a hundred years.
LONGEST = {Frequency.MONTHS: 1200, Frequency.WEEKS: 5200, Frequency.DAYS: 36500}
_UNITS = {Frequency.MONTHS: "month", Frequency.WEEKS: "week", Frequency.DAYS: "day"}
# So many of a unit make a year; weeks and days as the annuity's TWELFTH has them.
_A_YEAR = {Frequency.MONTHS: 12, Frequency.WEEKS: 52, Frequency.DAYS: 365}
_LONGEST_MONTH = 31


@dataclass(frozen=True, slots=True)
class Rhythm:
    """An instalment every so many months, weeks or days."""

    frequency: Frequency
    every: int

    @property
    def words(self) -> str:
        """Such as "every month" or "every 2 weeks"."""
        unit = _UNITS[self.frequency]
        return f"every {unit}" if self.every == 1 else f"every {self.every} {unit}s"

    def term(self, count: int) -> str:
        """How long so many instalments run: "36 months", "26 instalments, one every 2 weeks"."""
        return self._counted(str(count), count)

    def term_from_to(self, fewest: int, most: int) -> str:
        """The same of a span: "6 to 84 months"."""
        return self._counted(f"{fewest} to {most}" if fewest != most else str(most), most)

    def _counted(self, number: str, count: int) -> str:
        unit, end = _UNITS[self.frequency], "" if count == 1 else "s"
        return f"{number} {unit}{end}" if self.every == 1 else f"{number} instalment{end}, one {self.words}"

    def monthly(self, instalment_minor: int) -> int:
        """What an instalment comes to in a month, in minor units, rounded up: a burden is never understated.

        Instalment x instalments a year / 12: x 52/12 weekly, x 26/12 every two weeks, x 365/12 daily, x 1/3 every three months.
        """
        return -(-instalment_minor * _A_YEAR[self.frequency] // (12 * self.every))

    def months_within(self, count: int) -> int:
        """The most whole months that surely end before the last of `count` instalments, whenever the loan starts."""
        if self.frequency is Frequency.MONTHS:
            return self.every * count - 1
        return (NOMINAL_DAYS[self.frequency] * self.every * count - 1) // _LONGEST_MONTH


def rhythm_of(fields: Mapping[str, Any]) -> Rhythm:
    """The rhythm that terms in JSON agreed on; months where they say nothing."""
    return Rhythm(Frequency(fields.get("frequency", Frequency.MONTHS)), fields.get("every", 1))
