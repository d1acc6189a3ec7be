"""Importing outside statements, matching them with the ledger, and taking a match back. Nothing here moves money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit import services as audit
from common.db import lock_advisory, use_case
from identity import services as identity
from identity.models import User
from reconciliation import queries
from reconciliation.errors import (
    AlreadyMatched,
    NotBalanced,
    OtherCurrency,
    ReasonRequired,
    StatementTooLarge,
    UnknownLine,
    UnknownMatch,
    UnreadableStatement,
)
from reconciliation.models import Line, Match, MatchedLine, MatchedPosting, OutsideStatement, Rule
from reconciliation.queries import PostingKey
from reconciliation.rules import from_camt053, from_csv, from_ofx, matching
from reconciliation.rules.from_csv import Mapping
from reconciliation.rules.outside import MAX_BYTES, OutsideLine, Source, one_line

__all__ = [
    "AlreadyMatched",
    "Imported",
    "Mapping",
    "NotBalanced",
    "OtherCurrency",
    "ReasonRequired",
    "Source",
    "StatementTooLarge",
    "UnknownLine",
    "UnknownMatch",
    "UnreadableStatement",
    "import_statement",
    "match_by_hand",
    "match_open_lines",
    "undo_match",
]

_LOCKS = 0x5245_434F


@dataclass(frozen=True, slots=True)
class Imported:
    """`again`: this very file was imported before; nothing was added. `matched` lines found their postings."""

    statement: OutsideStatement
    again: bool
    matched: int


def import_statement(
    *,
    actor: User,
    data: bytes,
    source: Source,
    currency: str,
    file_name: str,
    now: datetime,
    mapping: Mapping | None = None,
) -> Imported:
    """Read a file of the other bank against the settlement account of a currency, and match what is beyond doubt.

    The same file again is the same statement. Raises PermissionMissing, UnreadableStatement, StatementTooLarge,
    OtherCurrency.
    """
    identity.require(actor, "ledger_reconcile")
    digest = sha256(data).hexdigest()
    lines = _read(data, source, currency, mapping or Mapping())
    with use_case():
        account_id = queries.settlement_account(currency)
        lock_advisory(namespace=_LOCKS, key=account_id)
        known = OutsideStatement.objects.filter(ledger_account_id=account_id, sha256=digest).first()
        if known is not None:
            return Imported(known, again=True, matched=0)
        statement = OutsideStatement.objects.create(
            ledger_account_id=account_id,
            currency=currency,
            source=source.value,
            file_name=one_line(file_name, 100) or "statement",
            sha256=digest,
            first_date=min(line.booked_date for line in lines),
            last_date=max(line.booked_date for line in lines),
            line_count=len(lines),
            imported_by=actor,
            imported_at=now,
        )
        Line.objects.bulk_create(
            [
                Line(
                    statement=statement,
                    number=number,
                    booked_date=line.booked_date,
                    amount_minor=line.amount_minor,
                    currency=currency,
                    reference=line.reference,
                    description=line.description,
                )
                for number, line in enumerate(lines, start=1)
            ],
            batch_size=1000,
        )
        matched = _match_open(account_id, now)
        audit.record(
            actor=actor,
            action="reconciliation.imported",
            subject_kind="outside_statement",
            subject_id=statement.pk,
            data={"file": statement.file_name, "sha256": digest, "lines": len(lines), "matched": matched},
        )
    return Imported(statement, again=False, matched=matched)


def match_open_lines(*, actor: User, currency: str, now: datetime) -> int:
    """Try the rules again on everything that is open; returns how many lines matched. Raises PermissionMissing."""
    identity.require(actor, "ledger_reconcile")
    with use_case():
        account_id = queries.settlement_account(currency)
        lock_advisory(namespace=_LOCKS, key=account_id)
        matched = _match_open(account_id, now)
        audit.record(
            actor=actor,
            action="reconciliation.matched_again",
            subject_kind="ledger_account",
            subject_id=account_id,
            data={"matched": matched},
        )
    return matched


def match_by_hand(
    *, actor: User, line_ids: Iterable[UUID], postings: Iterable[PostingKey], reason: str, now: datetime
) -> Match:
    """Say that these lines and postings are the same money.

    Raises PermissionMissing, ReasonRequired, UnknownLine, AlreadyMatched, NotBalanced.
    """
    identity.require(actor, "ledger_reconcile")
    why = _reason(reason)
    wanted, keys = set(line_ids), sorted(set(postings))
    with use_case():
        lines = list(Line.objects.select_related("statement").filter(pk__in=wanted))
        accounts = {line.statement.ledger_account_id for line in lines}
        if len(lines) != len(wanted) or len(accounts) != 1:
            raise UnknownLine()
        account_id = accounts.pop()
        lock_advisory(namespace=_LOCKS, key=account_id)
        days = [line.booked_date for line in lines]
        available = queries.open_postings(account_id, min(days), max(days))
        if not all(queries.is_open(line) for line in lines) or not keys or any(key not in available for key in keys):
            raise AlreadyMatched("One of these is not open: it was matched meanwhile, or lies outside the window.")
        theirs = sum(line.amount_minor for line in lines)
        ours = -sum(available[key].amount_minor for key in keys)
        if theirs != ours:
            raise NotBalanced(data={"lines_minor": theirs, "postings_minor": ours})
        match = _write(
            account_id, [line.pk for line in lines], keys, Rule.MANUAL, theirs, lines[0].currency, now, actor, why
        )
        audit.record(
            actor=actor,
            action="reconciliation.matched",
            subject_kind="match",
            subject_id=match.pk,
            data={"lines": [str(line.pk) for line in lines], "postings": [list(key) for key in keys]},
            reason=why,
        )
    return match


def undo_match(*, actor: User, match_id: UUID, reason: str, now: datetime) -> Match:
    """Take a match back: its lines and postings are open again. Raises PermissionMissing, ReasonRequired, UnknownMatch."""
    identity.require(actor, "ledger_reconcile")
    why = _reason(reason)
    with use_case():
        match = Match.objects.select_for_update().filter(pk=match_id, undone_at=None).first()
        if match is None:
            raise UnknownMatch("This match is gone already.")
        match.undone_by, match.undone_at, match.undo_reason = actor, now, why
        match.save(update_fields=["undone_by", "undone_at", "undo_reason"])
        match.lines.update(stands=False)
        match.postings.update(stands=False)
        audit.record(
            actor=actor, action="reconciliation.unmatched", subject_kind="match", subject_id=match.pk, reason=why
        )
    return match


def _read(data: bytes, source: Source, currency: str, mapping: Mapping) -> list[OutsideLine]:
    if len(data) > MAX_BYTES:
        raise StatementTooLarge(data={"longest_bytes": MAX_BYTES})
    match source:
        case Source.CSV:
            lines = from_csv.read(data, mapping=mapping, currency=currency)
        case Source.OFX:
            lines = from_ofx.read(data, currency=currency)
        case Source.CAMT053:
            lines = from_camt053.read(data)
    lines = [line for line in lines if line.amount_minor]
    if not lines:
        raise UnreadableStatement("There is no booking in this file.")
    if any(line.currency != currency for line in lines):
        raise OtherCurrency(data={"expected": currency})
    return lines


def _match_open(account_id: int, now: datetime) -> int:
    """Match what the rules are sure of; the caller holds the account's lock."""
    lines = list(queries.open_lines(account_id))
    if not lines:
        return 0
    postings = queries.open_postings(account_id, lines[0].booked_date, lines[-1].booked_date)
    amounts: dict[Any, int] = {line.pk: line.amount_minor for line in lines}
    proposals = matching.propose(
        [queries.item_of_line(line) for line in lines],
        [queries.item_of_posting(posting) for posting in postings.values()],
    )
    matched = 0
    for proposal in proposals:
        amount = sum(amounts[key] for key in proposal.lines)
        _write(account_id, proposal.lines, proposal.postings, Rule(proposal.rule), amount, lines[0].currency, now)
        matched += len(proposal.lines)
    return matched


def _write(
    account_id: int,
    line_ids: Sequence[Any],
    postings: Sequence[Any],
    rule: Rule,
    amount_minor: int,
    currency: str,
    now: datetime,
    actor: User | None = None,
    reason: str = "",
) -> Match:
    match = Match.objects.create(
        ledger_account_id=account_id,
        rule=rule,
        amount_minor=amount_minor,
        currency=currency,
        made_by=actor,
        made_at=now,
        reason=reason,
    )
    try:
        with transaction.atomic():
            MatchedLine.objects.bulk_create([MatchedLine(match=match, line_id=line_id) for line_id in line_ids])
            MatchedPosting.objects.bulk_create(
                [MatchedPosting(match=match, entry_id=entry_id, no=no) for entry_id, no in postings]
            )
    except IntegrityError as error:
        raise AlreadyMatched() from error
    return match


def _reason(text: str) -> str:
    clean = text.strip()
    if not clean:
        raise ReasonRequired(field="reason")
    return clean[:2000]
