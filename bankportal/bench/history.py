"""A year of entries to measure on: one account that takes part in nearly all of them, and one with a hundred postings."""

from __future__ import annotations

import random
import statistics
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from tqdm import tqdm

from bankportal.bench.posting import item
from ledger import queries, services, verification

SPAN = timedelta(days=365)
BATCH = 500
SMALL_POSTINGS = 100
PAGE = 20


@dataclass
class History:
    """`filled` of `planned` entries are posted, spread evenly over the year before `end`."""

    busy: int
    small: int
    others: list[int]
    end: datetime
    planned: int
    filled: int = 0

    def at(self, entry: int) -> datetime:
        """When this entry of the plan was booked."""
        return self.end - SPAN + SPAN * entry / self.planned

    def fill(self, upto: int) -> None:
        """Post the plan's entries up to this one."""
        dice = random.Random(self.filled)  # noqa: S311 (picks accounts, guards nothing)
        every = self.planned // SMALL_POSTINGS
        with tqdm(total=upto - self.filled, unit="entry", desc="Filling", unit_scale=True) as progress:
            while self.filled < upto:
                numbers = range(self.filled, min(upto, self.filled + BATCH))
                items = []
                for number in numbers:
                    pair = [self.small if number % every == 0 else self.busy, dice.choice(self.others)]
                    dice.shuffle(pair)
                    items.append(item(*pair))
                results = services.post_batch(items=items, booked_at=self.at(self.filled))
                if any(result.outcome != services.Outcome.POSTED for result in results):
                    raise RuntimeError("an entry of the history was refused")
                self.filled += len(items)
                progress.update(len(items))
        vacuum()


def prepare(*, planned: int) -> History:
    """Accounts of their own, so that nothing else moves their time on, and the months."""
    end = datetime.now(UTC) - timedelta(days=1)
    services.make_months(since=end - SPAN, until=end)

    def account() -> int:
        return services.open_account(
            gl_code="2100", currency="EUR", name="History", floor=None, external_ref=uuid.uuid4()
        )

    with transaction.atomic():
        return History(account(), account(), [account() for _ in range(500)], end, planned)


def vacuum() -> None:
    """What autovacuum would do at some moment of its own choice, in the middle of a measurement."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) ledger_entry, ledger_posting, ledger_entryreference, ledger_balance")
        cursor.execute("CHECKPOINT")


def look_ups(history: History, *, rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds per look-up on the small and on the busy account, in turns; medians."""
    sizes = {"small": (history.small, SMALL_POSTINGS), "large": (history.busy, history.filled - SMALL_POSTINGS)}
    dice = random.Random(1)  # noqa: S311

    def page(account: int, postings: int) -> None:
        queries.lines(account, after_seq=dice.randrange(postings - PAGE), limit=PAGE)

    kinds: dict[str, Callable[[int, int], object]] = {
        "balance now": lambda account, postings: queries.balance(account),
        "balance at a past moment": lambda account, postings: queries.balance_at(
            account, history.at(dice.randrange(history.filled))
        ),
        "newest lines": lambda account, postings: queries.recent_lines(account, limit=PAGE),
        "a page of a statement": page,
    }
    figures: dict[str, dict[str, float]] = {}
    for kind, ask in kinds.items():
        taken: dict[str, list[float]] = {"small": [], "large": []}
        for _ in range(rounds):
            for size, (account, postings) in sizes.items():
                began = time.perf_counter()
                ask(account, postings)
                taken[size].append((time.perf_counter() - began) * 1e6)
        figures[kind] = {size: round(statistics.median(values), 1) for size, values in taken.items()}
        figures[kind]["ratio"] = round(figures[kind]["large"] / figures[kind]["small"], 2)
    return figures


def verify(*, jobs: int) -> dict[str, float]:
    """Entries per second of a full verification. Raises RuntimeError when the ledger is not right."""
    began = time.perf_counter()
    found = list(verification.verify(jobs=jobs))
    taken = time.perf_counter() - began
    if found:
        raise RuntimeError(f"verify_ledger found {len(found)} discrepancies, the first: {found[0]}")
    entries = verification.counts().entries
    return {"entries": entries, "seconds": round(taken, 1), "per_second": round(entries / taken), "jobs": jobs}
