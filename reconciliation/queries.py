"""Reading what is open on both sides of the bank's account with another bank.

The ledger sees that account from inside: money that comes in is a debit there and negative. Here both sides are seen as
the other bank writes them, money in positive.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Product
from ledger import queries as ledger
from ledger.queries import InternalLine
from reconciliation.errors import UnknownLine
from reconciliation.models import Line, Match, MatchedLine, MatchedPosting
from reconciliation.rules.matching import WINDOW_DAYS, Item

SETTLEMENT = "1100"
PostingKey = tuple[int, int]


def currencies() -> list[str]:
    """The currencies in which the bank holds money elsewhere."""
    return sorted(set(Product.objects.values_list("currency", flat=True)))


def settlement_account(currency: str) -> int:
    """The ledger account that mirrors our account with another bank."""
    return ledger.internal_account(SETTLEMENT, currency)


def in_state(lines: QuerySet[Line], *, matched: bool) -> QuerySet[Line]:
    """Those that are in a standing match, or those that are not."""
    standing = Exists(MatchedLine.objects.filter(line=OuterRef("pk"), stands=True))
    return lines.filter(standing) if matched else lines.filter(~standing)


def with_state() -> QuerySet[Line]:
    """Lines with `is_matched`, for lists."""
    standing = MatchedLine.objects.filter(line=OuterRef("pk"), stands=True)
    return Line.objects.select_related("statement").annotate(is_matched=Exists(standing))


def is_open(line: Line) -> bool:
    return not line.matches.filter(stands=True).exists()


def standing_match(line: Line) -> Match | None:
    """What the line is matched with, if anything."""
    return Match.objects.filter(lines__line=line, lines__stands=True).first()


def open_lines(account_id: int) -> QuerySet[Line]:
    """Lines of an account that wait for a posting, oldest first."""
    waiting = in_state(Line.objects.filter(statement__ledger_account_id=account_id), matched=False)
    return waiting.select_related("statement").order_by("booked_date", "statement_id", "number")


def open_postings(account_id: int, first: date, last: date) -> dict[PostingKey, InternalLine]:
    """Unmatched postings from a few days before `first` to a few days after `last`, by entry and place."""
    start = _midnight(first - timedelta(days=WINDOW_DAYS))
    end = _midnight(last + timedelta(days=WINDOW_DAYS + 1))
    found = {(line.entry_id, line.no): line for line in ledger.internal_lines(account_id, start, end)}
    entries = {entry_id for entry_id, _ in found}
    taken = MatchedPosting.objects.filter(stands=True, entry_id__in=entries).values_list("entry_id", "no")
    for key in taken:
        found.pop(key, None)
    return found


def get_line(line_id: UUID) -> Line:
    """One line with its statement. Raises UnknownLine."""
    line = Line.objects.select_related("statement").filter(pk=line_id).first()
    if line is None:
        raise UnknownLine()
    return line


def item_of_line(line: Line) -> Item:
    return Item(line.pk, line.amount_minor, line.booked_date, f"{line.reference} {line.description}")


def item_of_posting(posting: InternalLine) -> Item:
    """As the other bank sees it: our debit is their credit."""
    return Item(
        (posting.entry_id, posting.no),
        -posting.amount_minor,
        posting.booked_at.astimezone(UTC).date(),
        f"{posting.source_id} {posting.description}",
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
