"""Writing to the ledger. Each call is one statement, so it is all or nothing by itself and joins a transaction that is open.

A refusal raised by the database ends that transaction: a caller that wants to go on puts a savepoint around the call.
Signs: credits are positive, debits negative. Amounts are integer minor units. Errors: see each function and `ledger.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ledger.batches import Outcome, Transfer, TransferResult, post_all, post_batch
from ledger.errors import (
    AccountNotEmpty,
    AccountNotUsable,
    AlreadyReversed,
    BatchRefused,
    CurrencyMismatch,
    ExternalRefReused,
    FloorNotCovered,
    HoldExceeded,
    HoldNotActive,
    HoldNotDue,
    InsufficientFunds,
    InvalidAmount,
    NotReversible,
    SameAccount,
    StatusNotAllowed,
    UnbalancedEntry,
    UnknownAccount,
    UnknownEntry,
    UnknownGlCode,
    UnknownHold,
)
from ledger.sql.calls import call, call_all

__all__ = [
    "AccountNotEmpty",
    "AccountNotUsable",
    "AlreadyReversed",
    "BatchRefused",
    "CurrencyMismatch",
    "Entry",
    "ExternalRefReused",
    "FloorNotCovered",
    "HoldExceeded",
    "HoldNotActive",
    "HoldNotDue",
    "HoldPlaced",
    "InsufficientFunds",
    "InvalidAmount",
    "Leg",
    "NotReversible",
    "Outcome",
    "PostedEntry",
    "SameAccount",
    "StatusNotAllowed",
    "Transfer",
    "TransferResult",
    "UnbalancedEntry",
    "UnknownAccount",
    "UnknownEntry",
    "UnknownGlCode",
    "UnknownHold",
    "expire_hold",
    "internal_account",
    "make_months",
    "open_account",
    "place_hold",
    "post_all",
    "post_batch",
    "post_entries",
    "post_entry",
    "post_hold",
    "post_transfer",
    "reverse_entry",
    "set_floor",
    "set_status",
    "take_daily_balances",
    "take_snapshots",
    "void_hold",
]


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an entry: credit positive, debit negative, in minor units."""

    account_id: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """`balances`: the posted balance after this entry of each account that has a balance row (internal accounts have none).

    A replay gives the entry and the balances of the first time.
    """

    entry_id: int
    replayed: bool
    balances: dict[int, int]


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    hold_id: UUID
    replayed: bool


def post_transfer(
    *,
    external_ref: UUID,
    debit_account_id: int,
    credit_account_id: int,
    amount_minor: int,
    kind: str,
    description: str,
    source_kind: str,
    source_id: str | UUID,
    booked_at: datetime,
    value_date: date | None = None,
) -> PostedEntry:
    """Move `amount_minor` (above zero) from the debit account to the credit account.

    `value_date` defaults to the UTC day of `booked_at`. Raises InvalidAmount, SameAccount, UnknownAccount, AccountNotUsable,
    InsufficientFunds, CurrencyMismatch, ExternalRefReused.
    """
    entry_id, replayed, debit_posted, credit_posted = call(
        "CALL ledger_post_transfer(%s::uuid, %s, %s, %s::bigint, %s, %s, %s, %s, %s, %s, NULL, NULL, NULL, NULL)",
        (
            str(external_ref),
            debit_account_id,
            credit_account_id,
            amount_minor,
            kind,
            description,
            source_kind,
            str(source_id),
            booked_at,
            value_date,
        ),
    )
    balances = {}
    if debit_posted is not None:
        balances[debit_account_id] = debit_posted
    if credit_posted is not None:
        balances[credit_account_id] = credit_posted
    return PostedEntry(entry_id=entry_id, replayed=replayed, balances=balances)


def post_entry(
    *,
    external_ref: UUID,
    legs: Sequence[Leg],
    kind: str,
    description: str,
    source_kind: str,
    source_id: str | UUID,
    booked_at: datetime,
    value_date: date | None = None,
) -> PostedEntry:
    """Post two or more legs that sum to zero in each currency.

    Raises UnbalancedEntry, InvalidAmount, UnknownAccount, AccountNotUsable, InsufficientFunds, ExternalRefReused.
    """
    return _posted(
        call(
            "SELECT * FROM ledger_post_entry(%s::uuid, %s::bigint[], %s::bigint[], %s, %s, %s, %s, %s, %s)",
            (str(external_ref), *_arrays(legs), kind, description, source_kind, str(source_id), booked_at, value_date),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What `post_entry` takes, but for the time of booking."""

    external_ref: UUID
    legs: Sequence[Leg]
    kind: str
    description: str
    source_kind: str
    source_id: str
    value_date: date | None = None


def post_entries(*, entries: Sequence[Entry], booked_at: datetime) -> list[PostedEntry]:
    """`post_entry` for many entries in their order, in one question to the database: all of them or none.

    Raises what `post_entry` raises for the first that is refused.
    """
    if not entries:
        return []
    accounts, amounts = zip(*(_arrays(entry.legs) for entry in entries), strict=True)
    rows = call_all(
        """
        SELECT p.entry_id, p.replayed, p.accounts, p.balances
          FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::date[])
               WITH ORDINALITY e(ref, accounts, amounts, kind, description, source_kind, source_id, value_date, no)
         CROSS JOIN LATERAL ledger_post_entry(e.ref, e.accounts::bigint[], e.amounts::bigint[], e.kind, e.description,
                                              e.source_kind, e.source_id, %s, e.value_date) p
         ORDER BY e.no
        """,
        (
            [str(entry.external_ref) for entry in entries],
            [_literal(each) for each in accounts],
            [_literal(each) for each in amounts],
            [entry.kind for entry in entries],
            [entry.description for entry in entries],
            [entry.source_kind for entry in entries],
            [entry.source_id for entry in entries],
            [entry.value_date for entry in entries],
            booked_at,
        ),
    )
    return [_posted(row) for row in rows]


def _literal(numbers: Sequence[int]) -> str:
    """An array of arrays has rows of one length; legs have not, so each goes as text."""
    return "{" + ",".join(map(str, numbers)) + "}"


def reverse_entry(
    *,
    entry_id: int,
    external_ref: UUID,
    description: str,
    booked_at: datetime,
    source_kind: str,
    source_id: str | UUID,
) -> PostedEntry:
    """Post the mirror image of an entry (kind `reversal`), once.

    Raises UnknownEntry, AlreadyReversed, NotReversible (it is itself a reversal), AccountNotUsable, InsufficientFunds,
    ExternalRefReused.
    """
    return _posted(
        call(
            "SELECT * FROM ledger_reverse_entry(%s, %s::uuid, %s, %s, %s, %s)",
            (entry_id, str(external_ref), description, source_kind, str(source_id), booked_at),
        )
    )


def place_hold(
    *,
    external_ref: UUID,
    account_id: int,
    amount_minor: int,
    expires_at: datetime,
    source_kind: str,
    source_id: str | UUID,
    now: datetime,
) -> HoldPlaced:
    """Reserve `amount_minor`: it stays in the account and is no longer available.

    Raises InvalidAmount, UnknownAccount, AccountNotUsable, InsufficientFunds, ExternalRefReused, HoldNotActive (it would be
    expired from the start).
    """
    hold_id, replayed = call(
        "SELECT * FROM ledger_place_hold(%s::uuid, %s, %s::bigint, %s, %s, %s, %s)",
        (str(external_ref), account_id, amount_minor, expires_at, source_kind, str(source_id), now),
    )
    return HoldPlaced(hold_id=_uuid(hold_id), replayed=replayed)


def post_hold(
    *,
    hold_id: UUID,
    external_ref: UUID,
    legs: Sequence[Leg],
    kind: str,
    description: str,
    source_kind: str,
    source_id: str | UUID,
    booked_at: datetime,
    value_date: date | None = None,
) -> PostedEntry:
    """End a hold by posting these legs; they take at most the held amount from its account, and the rest is available again.

    Raises UnknownHold, HoldNotActive (ended, or expired at `booked_at`), HoldExceeded, and what post_entry raises.
    """
    return _posted(
        call(
            "SELECT * FROM ledger_post_hold(%s::uuid, %s::uuid, %s::bigint[], %s::bigint[], %s, %s, %s, %s, %s, %s)",
            (
                str(hold_id),
                str(external_ref),
                *_arrays(legs),
                kind,
                description,
                source_kind,
                str(source_id),
                booked_at,
                value_date,
            ),
        )
    )


def void_hold(*, hold_id: UUID, now: datetime) -> None:
    """Give a hold up; works on frozen accounts too. Raises UnknownHold, HoldNotActive."""
    call("SELECT ledger_close_hold(%s::uuid, 'VOIDED', %s)", (str(hold_id), now))


def expire_hold(*, hold_id: UUID, now: datetime) -> None:
    """End a hold whose time has passed. Raises UnknownHold, HoldNotActive, HoldNotDue (before its `expires_at`)."""
    call("SELECT ledger_close_hold(%s::uuid, 'EXPIRED', %s)", (str(hold_id), now))


def open_account(*, gl_code: str, currency: str, name: str, floor: int | None, external_ref: UUID) -> int:
    """Open an account with a balance of zero and return its id; the same reference again returns the same id.

    `floor` is the lowest available balance in minor units (0: none below zero; None: no limit). Raises UnknownGlCode,
    ExternalRefReused, FloorNotCovered (a floor above zero).
    """
    if floor is not None and floor > 0:
        raise FloorNotCovered(data={"available_minor": 0})
    return int(
        call(
            "SELECT ledger_open_account(%s, %s, %s, %s, %s::uuid)", (gl_code, currency, name, floor, str(external_ref))
        )[0]
    )


def internal_account(*, gl_code: str, currency: str) -> int:
    """The bank's own account for this code and currency, made if it is missing. Raises UnknownGlCode."""
    return int(call("SELECT ledger_internal_account(%s, %s)", (gl_code, currency))[0])


def set_status(*, account_id: int, status: str) -> None:
    """ACTIVE, FROZEN or CLOSED (only at zero, without holds, for good). Setting the present status again changes nothing.

    Raises UnknownAccount, AccountNotEmpty, StatusNotAllowed.
    """
    call("SELECT ledger_set_status(%s, %s)", (account_id, str(status)))


def set_floor(*, account_id: int, floor: int | None) -> None:
    """Set how far the account may go down. Raises UnknownAccount, FloorNotCovered."""
    call("SELECT ledger_set_floor(%s, %s)", (account_id, floor))


def take_snapshots() -> int:
    """Snapshot the internal accounts that moved, so that their balances stay quick to read. Returns how many."""
    return int(call("SELECT ledger_take_snapshots()", ())[0])


def take_daily_balances(*, most: int = 500) -> int:
    """Bring the daily balances of at most `most` accounts that moved up to date. Returns how many; zero: all are."""
    return int(call("SELECT ledger_take_daily_balances(%s)", (most,))[0])


def make_months(*, since: datetime, until: datetime) -> int:
    """Make the partitions of every month from `since` to `until` (at most fifty years) that has none. Returns how many.

    Call it before importing history: entries of a month without a partition are kept in the default one, where they are
    as safe but slower to find, and stay.
    """
    return int(call("SELECT ledger_make_months(%s, %s)", (since, until))[0])


def _arrays(legs: Sequence[Leg]) -> tuple[list[int], list[int]]:
    if not legs:
        raise UnbalancedEntry()
    for leg in legs:
        if not -(2**63) <= leg.amount_minor < 2**63:
            raise InvalidAmount()
    return [leg.account_id for leg in legs], [leg.amount_minor for leg in legs]


def _posted(row: tuple[Any, ...]) -> PostedEntry:
    entry_id, replayed, accounts, balances = row
    # Later legs overwrite earlier ones of the same account, so the last balance stands.
    after = {account: balance for account, balance in zip(accounts, balances, strict=True) if balance is not None}
    return PostedEntry(entry_id=entry_id, replayed=replayed, balances=after)


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))
