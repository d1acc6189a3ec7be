"""Statements: any period of an account from the ledger, in every format, and the monthly ones that were issued.

A statement knows its stretch of the account's sequence. Its lines are read a thousand at a time, so the longest one
takes no more memory than a short one, and what is posted meanwhile does not reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import overload
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts import queries, storage
from accounts.errors import StatementDamaged, StatementTooLong, StoreDown, UnknownStatement
from accounts.models import Account, MonthlyStatement
from accounts.queries.lines import line_of
from accounts.rules.periods import Period
from accounts.rules.statements import formats
from accounts.rules.statements.content import Heading, StatementLine
from accounts.rules.statements.formats import Export, Format
from common.money import Money
from identity.models import User
from kyc import queries as kyc
from ledger import queries as ledger

LINES_AT_ONCE = 1_000
LONGEST_IN_MEMORY = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An account's period with its figures; the lines stay in the ledger until they are asked for."""

    account: Account
    period: Period
    span: ledger.Span
    number: int | None

    @property
    def since(self) -> date:
        return self.period.since

    @property
    def last_day(self) -> date:
        return self.period.last_day

    @property
    def opening(self) -> Money:
        return Money(self.span.opening, self.account.currency)

    @property
    def closing(self) -> Money:
        return Money(self.span.closing, self.account.currency)

    @property
    def paid_in(self) -> Money:
        return Money(self.span.credits, self.account.currency)

    @property
    def paid_out(self) -> Money:
        return Money(self.span.debits, self.account.currency)

    def iterate(self) -> Iterator[StatementLine]:
        """Every line, oldest first, in constant memory."""
        return _lines(self.account, self.span.after_seq, self.span.last_seq)

    @property
    def lines(self) -> list[StatementLine]:
        """Every line at once. Raises StatementTooLong for more than 5,000."""
        if self.span.count > LONGEST_IN_MEMORY:
            raise StatementTooLong(
                f"This period has {self.span.count:,} postings. Choose a shorter one, or CSV, OFX or camt.053.",
                data={"postings": self.span.count, "longest": LONGEST_IN_MEMORY},
            )
        return list(self.iterate())

    @property
    def pages(self) -> LineSequence:
        """The lines as a sequence that a paginator cuts; only the page asked for is read."""
        return LineSequence(self)


class LineSequence(Sequence[StatementLine]):
    """Lines by place: the account's sequence has no gaps, so a place is a number in it."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    def __len__(self) -> int:
        return self._statement.span.count

    @overload
    def __getitem__(self, place: int) -> StatementLine: ...
    @overload
    def __getitem__(self, place: slice) -> list[StatementLine]: ...
    def __getitem__(self, place: int | slice) -> StatementLine | list[StatementLine]:
        if isinstance(place, int):
            return self[place : place + 1][0]
        start, stop, _ = place.indices(len(self))
        first = self._statement.span.after_seq
        return list(_lines(self._statement.account, first + start, first + stop))


def statement(account: Account, *, period: Period) -> Statement:
    """The account's statement for a period; a month that was issued reads as it was issued."""
    issued = account.monthly_statements.filter(month=period.since).first() if period.is_month else None
    if issued is not None:
        after_seq, last_seq = issued.after_seq, issued.last_seq
    else:
        after_seq, last_seq = ledger.bounds(account.ledger_account_id, _midnight(period.since), _midnight(period.until))
    return Statement(
        account=account,
        period=period,
        span=ledger.span(account.ledger_account_id, after_seq=after_seq, last_seq=last_seq),
        number=issued.number if issued else None,
    )


def export(statement: Statement, *, form: Format, now: datetime) -> Export:
    """The statement as a file, made at `now`. Raises StatementTooLong where the format has a limit."""
    return formats.write(form, heading(statement, created_at=now), statement.iterate())


def heading(statement: Statement, *, created_at: datetime) -> Heading:
    """What a statement says about the account, its holder and its figures."""
    account, span = statement.account, statement.span
    return Heading(
        bank=settings.SITE_NAME,
        holder=queries.owner_display_name(account),
        address=kyc.postal_address(account.owner_id),
        account_number=account.number,
        product=account.product.name,
        product_kind=account.product.kind,
        currency=account.currency,
        since=statement.period.since,
        until=statement.period.until,
        opening=statement.opening,
        paid_in=statement.paid_in,
        paid_out=statement.paid_out,
        closing=statement.closing,
        count_in=span.credit_count,
        count_out=span.debit_count,
        number=statement.number,
        created_at=created_at,
    )


def monthly_statements(account: Account) -> QuerySet[MonthlyStatement]:
    """The statements issued for an account, newest first."""
    return account.monthly_statements.select_related("account", "file").order_by("-month")


def get_monthly_for(*, actor: User, account_id: UUID, month: date | None) -> MonthlyStatement:
    """An issued statement of the actor's own account. Raises UnknownAccount, UnknownStatement."""
    account = queries.get_account_for(actor=actor, account_id=account_id)
    found = monthly_statements(account).filter(month=month).first() if month else None
    if found is None:
        raise UnknownStatement()
    return found


def issued_file(issued: MonthlyStatement) -> Export:
    """The stored file, byte for byte as it was issued. Raises StatementDamaged when it is gone or was changed."""
    digest = sha256()
    try:
        for chunk in storage.chunks(issued.file.name):
            digest.update(chunk)
    except StoreDown as error:
        raise StatementDamaged from error
    if digest.hexdigest() != issued.sha256:
        raise StatementDamaged(data={"statement": issued.number})
    form = Format(issued.form)
    name = f"statement-{issued.account.number[-4:]}-{issued.month:%Y-%m}.{form.suffix}"
    return Export(name, form.content_type, storage.chunks(issued.file.name))


def _lines(account: Account, after_seq: int, last_seq: int) -> Iterator[StatementLine]:
    while after_seq < last_seq:
        page = ledger.lines(
            account.ledger_account_id, after_seq=after_seq, limit=min(LINES_AT_ONCE, last_seq - after_seq)
        )
        if not page:
            # The sequence has no gaps; a statement that ends early would be a wrong one.
            raise RuntimeError(f"postings are missing after {after_seq} on ledger account {account.ledger_account_id}")
        for line in page:
            yield line_of(line, account.currency)
        after_seq = page[-1].account_seq


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
