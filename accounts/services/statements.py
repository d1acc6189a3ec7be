"""Issuing monthly statements: once for each account and month, after the month has ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import IO
from uuid import uuid4

from django.core.files.base import File
from django.db.models import DateField, F, Max, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils.formats import date_format

from accounts import storage
from accounts.errors import PeriodNotAllowed, StoreDown
from accounts.models import Account, MonthlyStatement, StatementFile
from accounts.queries import statements
from accounts.rules import periods
from accounts.rules.periods import Period
from accounts.rules.statements import as_pdf, formats
from accounts.rules.statements.formats import Format
from accounts.rules.statements.typesetting import TypesettingFailed
from accounts.services import steps
from common.db import use_case
from ledger import queries as ledger

logger = logging.getLogger(__name__)

# Transactions that began before midnight have long ended by then.
GRACE = timedelta(hours=1)
ORPHAN_LIFETIME = timedelta(days=1)
_IN_MEMORY_BYTES = 4 * 1024 * 1024


def issue_due_statements(*, now: datetime, seconds: float = 45) -> int:
    """Issue every monthly statement that is due, oldest first, until `seconds` have passed. Returns how many.

    Safe to run twice or at once: what is issued stays, what is not yet comes with the next run. The first day of a month
    brings many at once, and a worker has messages to deliver meanwhile: hence the short turns.
    """
    give_up = monotonic() + seconds
    issued = 0
    for account in _accounts_due(now).iterator(chunk_size=200):
        try:
            for month in _months_due(account, now):
                if monotonic() > give_up:
                    return issued
                issued += issue_statement(account=account, month=month, now=now) is not None
        except (StoreDown, TypesettingFailed):
            # One account must not keep all others from theirs; the next run tries it again.
            logger.exception("a statement could not be issued", extra={"account_id": str(account.pk)})
    return issued


def issue_statement(*, account: Account, month: date, now: datetime) -> MonthlyStatement | None:
    """Write the file and the row for one month; None when another run was faster or an earlier month is missing.

    Raises PeriodNotAllowed before the month has ended (and an hour has passed), StoreDown, TypesettingFailed.
    """
    period = Period(month, periods.first_of_next_month(month))
    if now < _midnight(period.until) + GRACE:
        raise PeriodNotAllowed("This month has not ended yet.", data={"reason": "future"})
    draft = _draft(account, period)
    if draft is None:
        return None
    with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as content:
        form, digest, size = _write(draft, content, now)
        content.seek(0)
        name = f"statements/{account.pk}/{month:%Y-%m}-{uuid4()}.{form.suffix}"
        with use_case():
            file = StatementFile.objects.create(name=name, created_at=now)
        storage.save(name, File(content))
    span, number = draft.span, draft.number
    assert number is not None
    row = MonthlyStatement(
        account=account,
        month=month,
        number=number,
        after_seq=span.after_seq,
        last_seq=span.last_seq,
        opening_minor=span.opening,
        paid_in_minor=span.credits,
        paid_out_minor=span.debits,
        closing_minor=span.closing,
        file=file,
        form=form.value,
        size=size,
        sha256=digest,
        issued_at=now,
    )
    with use_case():
        steps.lock([account.pk])
        if (_latest_number(account) or 0) + 1 == number:
            row.save(force_insert=True)
            if month == _last_month(now):
                _tell(row)
            return row
    _discard(file)
    return None


def _tell(issued: MonthlyStatement) -> None:
    """Only of the month that has just ended: months that were made up later are no news."""
    steps.tell_owner(
        issued.account,
        "statement_ready",
        month=date_format(issued.month, "F Y"),
        url=reverse("accounts:statements", args=[issued.account_id]),
    )


def sweep_statement_files(*, now: datetime) -> int:
    """Delete files that no statement names, left by a run that was cut short. Returns how many."""
    orphans = StatementFile.objects.filter(statement=None, created_at__lte=now - ORPHAN_LIFETIME)
    return sum(_discard(file) for file in list(orphans))


def _accounts_due(now: datetime) -> QuerySet[Account]:
    last = _last_month(now)
    return (
        Account.objects.select_related("product", "owner")
        .filter(opened_at__lt=_midnight(periods.first_of_next_month(last)))
        .annotate(
            latest=Max("monthly_statements__month"),
            closing=TruncMonth("closed_at", output_field=DateField(), tzinfo=UTC),
        )
        .filter(Q(latest=None) | Q(latest__lt=last))
        .filter(Q(latest=None) | Q(closing=None) | Q(closing__gt=F("latest")))
        .order_by("opened_at", "pk")
    )


def _months_due(account: Account, now: datetime) -> Iterator[date]:
    latest = account.monthly_statements.aggregate(latest=Max("month"))["latest"]
    first = periods.first_of_next_month(latest) if latest else account.opened_at.astimezone(UTC).date()
    until = periods.first_of_next_month(_last_month(now))
    if account.closed_at is not None:
        until = min(until, periods.first_of_next_month(account.closed_at.astimezone(UTC).date()))
    return periods.months(first, until)


def _draft(account: Account, period: Period) -> statements.Statement | None:
    """The month's statement, going on where the one before ended; None when it is not the next one's turn."""
    before = account.monthly_statements.order_by("-month").first()
    if before is not None and periods.first_of_next_month(before.month) != period.since:
        return None
    if before is None and account.opened_at.astimezone(UTC).date().replace(day=1) != period.since:
        return None
    after_seq = before.last_seq if before else 0
    _, last_seq = ledger.bounds(account.ledger_account_id, _midnight(period.since), _midnight(period.until))
    return statements.Statement(
        account=account,
        period=period,
        span=ledger.span(account.ledger_account_id, after_seq=after_seq, last_seq=max(last_seq, after_seq)),
        number=before.number + 1 if before else 1,
    )


def _write(draft: statements.Statement, content: IO[bytes], now: datetime) -> tuple[Format, str, int]:
    """Write the file; a month with more postings than a PDF holds is kept as CSV."""
    form = Format.PDF if draft.span.count <= as_pdf.LONGEST else Format.CSV
    export = formats.write(form, statements.heading(draft, created_at=now), draft.iterate())
    digest, size = sha256(), 0
    for chunk in export.chunks:
        digest.update(chunk)
        size += content.write(chunk)
    return form, digest.hexdigest(), size


def _latest_number(account: Account) -> int | None:
    number: int | None = account.monthly_statements.aggregate(number=Max("number"))["number"]
    return number


def _discard(file: StatementFile) -> int:
    try:
        storage.delete(file.name)
    except StoreDown:
        logger.warning("the store does not answer; the sweep will delete", extra={"stored_name": file.name})
        return 0
    return StatementFile.objects.filter(pk=file.pk, statement=None).delete()[0]


def _last_month(now: datetime) -> date:
    """The first day of the newest month that is due."""
    first = (now - GRACE).astimezone(UTC).date().replace(day=1)
    return (first - timedelta(days=1)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
