"""How the bank collects what is due: on its day, and again when there was not enough."""

from __future__ import annotations

from dataclasses import dataclass

from loans.rules.calendar import Frequency
from loans.rules.rhythm import Rhythm


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """What a loan agreed on. `retries` follow the try on the due day, each `retry_days` after the one before it.

    Every due date begins anew, so an instalment that stays unpaid is tried again with the next one.
    """

    partial: bool
    retries: int
    retry_days: int

    def tries_on(self, days: int) -> bool:
        """Whether the bank tries so many days after the latest due date."""
        number, rest = divmod(days, self.retry_days)
        return not rest and 0 <= number <= self.retries

    @property
    def words(self) -> str:
        """For the borrower."""
        taken = "we take what is there" if self.partial else "we take nothing"
        return (
            f"We take each instalment from your account on its day. If there is not enough, {taken} and {self._again}."
        )

    @property
    def _again(self) -> str:
        if not self.retries:
            return "wait for you to pay the rest, or for the next instalment's day"
        often = Rhythm(Frequency.DAYS, self.retry_days).words
        if self.retries == 1:
            return f"try once more {'the next day' if self.retry_days == 1 else f'after {self.retry_days} days'}"
        return f"try again {often}, up to {self.retries} times"
