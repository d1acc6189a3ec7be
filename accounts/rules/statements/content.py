"""What every form of a statement is made from: the heading, with its opening, sums and closing, and the lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.money import Money

CHUNK_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting; `amount` is negative when money left the account, `balance` is what it held afterwards.

    `seq` counts the account's postings without a gap and never changes.
    """

    entry_id: int
    seq: int
    booked_at: datetime
    value_date: date
    kind: str
    description: str
    amount: Money
    balance: Money
    source_kind: str
    source_id: str

    @property
    def reference(self) -> str:
        """Names this posting for ever, on this account and on no other."""
        return f"{self.entry_id}-{self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Whose statement, of which days [since, until) in UTC, and its figures: opening + paid in - paid out = closing.

    `number` counts the monthly statements of an account; other periods have none. `address` holds the lines of the
    holder's postal address.
    """

    bank: str
    holder: str
    address: tuple[str, ...]
    account_number: str
    product: str
    product_kind: str
    currency: str
    since: date
    until: date
    opening: Money
    paid_in: Money
    paid_out: Money
    closing: Money
    count_in: int
    count_out: int
    number: int | None
    created_at: datetime

    @property
    def last_day(self) -> date:
        return self.until - timedelta(days=1)

    @property
    def count(self) -> int:
        return self.count_in + self.count_out

    @property
    def reference(self) -> str:
        """At most 35 characters: account and days."""
        return f"{self.account_number}-{self.since:%Y%m%d}-{self.last_day:%Y%m%d}"


def encoded(parts: Iterable[str]) -> Iterator[bytes]:
    """UTF-8 in chunks of about 64 KB, so that a long statement never stands in memory as a whole."""
    waiting: list[str] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= CHUNK_CHARACTERS:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting).encode()
