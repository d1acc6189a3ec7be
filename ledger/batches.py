"""Many transfers in one call of the database, each with an outcome of its own. `ledger.services` re-exports what is public.

Items are posted in their order, as if one after the other: an item sees what those before it did. A refused item leaves
nothing behind and its reference can be used again. Amounts are integer minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from ledger.errors import BatchRefused
from ledger.sql.calls import call

STATEMENT = """
    CALL ledger_post_batch(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[],
                           %s::text[], %s::date[], %s, %s, NULL, NULL)
"""


class Outcome(StrEnum):
    """What became of an item. POSTED and REPLAYED (the same reference and content as before) have an entry."""

    POSTED = "POSTED"
    REPLAYED = "REPLAYED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    REFERENCE_REUSED = "REFERENCE_REUSED"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    SAME_ACCOUNT = "SAME_ACCOUNT"


# The database answers with the digits of the SQLSTATE that the single path raises.
_OUTCOMES = {
    0: Outcome.POSTED,
    1: Outcome.REPLAYED,
    1001: Outcome.INSUFFICIENT_FUNDS,
    1002: Outcome.ACCOUNT_FROZEN,
    1003: Outcome.ACCOUNT_CLOSED,
    1004: Outcome.UNKNOWN_ACCOUNT,
    1005: Outcome.CURRENCY_MISMATCH,
    1007: Outcome.REFERENCE_REUSED,
    1010: Outcome.INVALID_AMOUNT,
    1011: Outcome.SAME_ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """One item of a batch: what `post_transfer` takes, without the time of booking. `value_date` defaults to its UTC day."""

    external_ref: UUID
    debit_account_id: int
    credit_account_id: int
    amount_minor: int
    kind: str
    description: str
    source_kind: str
    source_id: str
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class TransferResult:
    """`entry_id` is set when the item was posted now or before."""

    outcome: Outcome
    entry_id: int | None


def post_batch(*, items: Sequence[Transfer], booked_at: datetime) -> list[TransferResult]:
    """Post what can be posted and say for each item what became of it; a refusal is an outcome, not an error.

    All of it is one statement. A hundred to five hundred items a call are quickest, and keep the accounts locked for some
    milliseconds only.
    """
    return _post(items, booked_at, whole=False)


def post_all(*, items: Sequence[Transfer], booked_at: datetime) -> list[TransferResult]:
    """Post every item (POSTED or REPLAYED) or nothing at all, as a salary file wants it.

    Raises BatchRefused with `data["outcomes"]`: what would have become of each item.
    """
    try:
        return _post(items, booked_at, whole=True)
    except BatchRefused as refusal:
        outcomes = [_OUTCOMES[code] for code in refusal.data.get("results", ())]
        raise BatchRefused(data={"outcomes": outcomes}) from refusal


def _post(items: Sequence[Transfer], booked_at: datetime, *, whole: bool) -> list[TransferResult]:
    if not items:
        return []
    codes, entries = call(
        STATEMENT,
        (
            _plain(item.external_ref for item in items),
            _plain(item.debit_account_id for item in items),
            _plain(item.credit_account_id for item in items),
            # Beyond what 64 bits hold it is as little an amount as zero is.
            _plain(item.amount_minor if 0 < item.amount_minor < 2**63 else 0 for item in items),
            _texts(item.kind for item in items),
            _texts(item.description for item in items),
            _texts(item.source_kind for item in items),
            _texts(item.source_id for item in items),
            _plain("NULL" if item.value_date is None else item.value_date for item in items),
            booked_at,
            whole,
        ),
    )
    return [TransferResult(_OUTCOMES[code], entry) for code, entry in zip(codes, entries, strict=True)]


def _plain(values: Iterable[object]) -> str:
    """An array literal of numbers, UUIDs or dates. A thousand elements as ARRAY[...] would each be parsed as an expression."""
    return "{" + ",".join(map(str, values)) + "}"


def _texts(values: Iterable[str]) -> str:
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return '{"' + '","'.join(quoted) + '"}'
