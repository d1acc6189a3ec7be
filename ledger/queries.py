"""Reading the ledger. Amounts are integer minor units; credits are positive, debits negative.

On accounts with a balance row every look-up is an index walk, whatever their number of postings: booking times never
run backwards along an account's sequence (the posting functions see to that), so a moment is found by binary search.
Internal accounts have no balance row: their balance is the last snapshot plus the postings after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from common.rows import Prepared
from common.seals import HeadFile
from ledger.errors import UnknownAccount
from ledger.models import LedgerAccount
from ledger.sql.calls import call


@dataclass(frozen=True, slots=True)
class Balance:
    """`available` is what may still leave the account; None when it has no floor."""

    posted: int
    held: int
    floor: int | None

    @property
    def available(self) -> int | None:
        return None if self.floor is None else self.posted - self.held - self.floor


@dataclass(frozen=True, slots=True)
class Line:
    """One posting on an account, as a statement shows it."""

    entry_id: int
    account_seq: int
    booked_at: datetime
    value_date: date
    amount_minor: int
    balance_after: int
    kind: str
    description: str
    source_kind: str
    source_id: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one account's sequence, (after_seq, last_seq], with what it held before and after, in minor units.

    `credits` and `debits` are not negative; opening + credits - debits = closing. A sequence never changes once it is
    written, so a span reads the same however much is posted meanwhile.
    """

    after_seq: int
    last_seq: int
    opening: int
    closing: int
    credits: int
    debits: int
    credit_count: int
    debit_count: int

    @property
    def count(self) -> int:
        """Number of postings: the sequence has no gaps."""
        return self.last_seq - self.after_seq


@dataclass(frozen=True, slots=True)
class InternalLine:
    """One posting on one of the bank's own accounts; `no` is its place in the entry."""

    entry_id: int
    no: int
    booked_at: datetime
    amount_minor: int
    currency: str
    kind: str
    description: str
    source_kind: str
    source_id: str


@dataclass(frozen=True, slots=True)
class Flow:
    """What came in and went out in the period at this position of the question; both in minor units and not negative
    unless reversals outweigh them."""

    period: int
    currency: str
    in_minor: int
    out_minor: int


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """`debit_minor` and `credit_minor`: the net of the code's accounts, on the side where it stands."""

    gl_code: str
    name: str
    kind: str
    normal_side: str
    currency: str
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class HoldState:
    """`state` is ACTIVE, POSTED, VOIDED or EXPIRED; `posted_minor` is what was posted of it."""

    amount_minor: int
    expires_at: datetime
    account_id: int
    state: str
    posted_minor: int


_BALANCES = Prepared("SELECT account_id, posted, held, floor FROM ledger_balance WHERE account_id = ANY (%(accounts)s)")
# With an array the server plans anew each time, for it does not know how many are in it.
BALANCE = Prepared("SELECT posted, held, floor FROM ledger_balance WHERE account_id = %(account)s")
_INTERNAL_BALANCES = """
SELECT a.id, s.balance + tail.amount, 0, NULL
  FROM ledger_ledgeraccount a
 CROSS JOIN LATERAL (
    SELECT coalesce(max(x.balance), 0) AS balance, coalesce(max(x.cut::text), '0')::xid8 AS cut
      FROM (SELECT l.balance, l.cut FROM ledger_balancesnapshot l
             WHERE l.account_id = a.id ORDER BY l.cut DESC LIMIT 1) x) s
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount), 0)::bigint AS amount FROM ledger_posting p
     WHERE p.account_id = a.id AND p.account_seq IS NULL AND p.xid >= s.cut) tail
 WHERE a.id = ANY (%s) AND a.is_internal
"""


def balance(account_id: int) -> Balance:
    """The balance now. Raises UnknownAccount."""
    row = BALANCE.first({"account": account_id})
    return Balance(*row) if row else balances([account_id])[account_id]


def balances(account_ids: Iterable[int]) -> dict[int, Balance]:
    """The balances now. Those of customer accounts are of one moment, as are those of internal ones.

    Raises UnknownAccount when one of them does not exist.
    """
    wanted = list(set(account_ids))
    if not wanted:
        return {}
    rows = _BALANCES.all({"accounts": wanted})
    # Internal accounts have no balance row. Asking for them means looking into every month, so it is asked only then.
    if len(rows) < len(wanted):
        rows += _rows(_INTERNAL_BALANCES, [wanted])
    found = {row[0]: Balance(posted=row[1], held=row[2], floor=row[3]) for row in rows}
    for account_id in wanted:
        if account_id not in found:
            raise UnknownAccount(data={"account_id": account_id})
    return found


def balance_at(account_id: int, at: datetime) -> int:
    """What the account held at a moment, postings booked at that very moment included. Raises UnknownAccount."""
    amount = _rows("SELECT ledger_balance_at(%s, %s)", [account_id, at])[0][0]
    if amount is None:
        raise UnknownAccount(data={"account_id": account_id})
    return int(amount)


def balance_on(account_id: int, day: date) -> int:
    """What the account held at the end of a day by value date: all that counts from that day or an earlier one.

    Reads the newest daily balance up to that day and what was posted since it was taken. Raises UnknownAccount.
    """
    amount = _rows("SELECT ledger_valued_on(%s, %s)", [account_id, day])[0][0]
    if amount is None:
        raise UnknownAccount(data={"account_id": account_id})
    return int(amount)


def valued_balances(account_id: int, since: date, until: date) -> list[tuple[date, int]]:
    """`balance_on` for each day of [since, until), in one statement. An account that is not known has none."""
    rows = _rows(
        """
        SELECT d.day::date, ledger_valued_on(a.id, d.day::date)
          FROM ledger_ledgeraccount a CROSS JOIN generate_series(%s::date, %s::date - 1, interval '1 day') d(day)
         WHERE a.id = %s ORDER BY d.day
        """,
        [since, until, account_id],
    )
    return [(day, int(amount)) for day, amount in rows]


def daily_balances(account_ids: Sequence[int], since: date, until: date) -> dict[int, list[tuple[date, int]]]:
    """The closing balance (end of the UTC day) of each account for each day of [since, until).

    Accounts that are not known are left out.
    """
    rows = _rows(
        """
        SELECT a.id, d.day::date, ledger_booked_on(a.id, d.day::date)
          FROM ledger_ledgeraccount a CROSS JOIN generate_series(%s::date, %s::date - 1, interval '1 day') d(day)
         WHERE a.id = ANY (%s) ORDER BY a.id, d.day
        """,
        [since, until, list(account_ids)],
    )
    result: dict[int, list[tuple[date, int]]] = {}
    for account_id, day, amount in rows:
        result.setdefault(account_id, []).append((day, int(amount)))
    return result


_LINE = """
    SELECT p.entry_id, p.account_seq, p.booked_at, e.value_date, p.amount, p.balance_after,
           e.kind, e.description, e.source_kind, e.source_id
      FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
"""


def lines(
    account_id: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    after_seq: int = 0,
    limit: int | None = None,
) -> list[Line]:
    """Postings booked in [since, until), oldest first; page on with `after_seq` = the last line's `account_seq`.

    For accounts with a balance row; internal accounts have no running balance and yield nothing here.
    """
    where = ["p.account_id = %s", "p.account_seq > %s"]
    values: list[Any] = [account_id, after_seq]
    if since is not None:
        # The bounds on the numbers leave out the months before; the sequence is exact.
        where += [
            "p.account_seq > ledger_seq_at(%s, %s::timestamptz - interval '1 microsecond')",
            "p.entry_id >= ledger_first_id(%s)",
            "e.id >= ledger_first_id(%s)",
        ]
        values += [account_id, since, since, since]
    if until is not None:
        last = until - timedelta(microseconds=1)
        where += [
            "p.account_seq <= ledger_seq_at(%s, %s)",
            "p.entry_id < ledger_first_id(%s) + 1000000000000",
            "e.id < ledger_first_id(%s) + 1000000000000",
        ]
        values += [account_id, last, last, last]
    statement = _LINE + " WHERE " + " AND ".join(where) + " ORDER BY p.account_seq LIMIT %s"
    return [Line(*row) for row in _rows(statement, [*values, limit])]


def bounds(account_id: int, since: datetime, until: datetime) -> tuple[int, int]:
    """The stretch (after_seq, last_seq] of an account's sequence that was booked in [since, until).

    For accounts with a balance row; two binary searches. An unknown account has the empty stretch.
    """
    row = _rows(
        """
        SELECT coalesce(ledger_seq_at(%s, %s::timestamptz - interval '1 microsecond'), 0),
               coalesce(ledger_seq_at(%s, %s::timestamptz - interval '1 microsecond'), 0)
        """,
        [account_id, since, account_id, until],
    )[0]
    return int(row[0]), int(row[1])


def span(account_id: int, *, after_seq: int, last_seq: int) -> Span:
    """Balances and sums over a stretch of an account's sequence, added up by the database in one statement."""
    row = _rows(
        """
        SELECT coalesce((SELECT p.balance_after FROM ledger_posting p WHERE p.account_id = %s AND p.account_seq = %s), 0),
               coalesce((SELECT p.balance_after FROM ledger_posting p WHERE p.account_id = %s AND p.account_seq = %s), 0),
               coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0)::bigint,
               coalesce(-sum(p.amount) FILTER (WHERE p.amount < 0), 0)::bigint,
               count(*) FILTER (WHERE p.amount > 0), count(*) FILTER (WHERE p.amount < 0)
          FROM ledger_posting p WHERE p.account_id = %s AND p.account_seq > %s AND p.account_seq <= %s
        """,
        [account_id, after_seq, account_id, last_seq, account_id, after_seq, last_seq],
    )[0]
    return Span(after_seq, last_seq, *row)


def internal_lines(account_id: int, since: datetime, until: datetime) -> list[InternalLine]:
    """Postings on an internal account booked in [since, until), oldest first. For statements from outside, not customers'."""
    return [
        InternalLine(*row)
        for row in _rows(
            """
            SELECT p.entry_id, p.no, p.booked_at, p.amount, p.currency, e.kind, e.description, e.source_kind, e.source_id
              FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
             WHERE p.account_id = %s AND p.account_seq IS NULL AND p.booked_at >= %s AND p.booked_at < %s
             ORDER BY p.booked_at, p.entry_id, p.no
            """,
            [account_id, since, until],
        )
    ]


def recent_lines(account_id: int, *, before_seq: int | None = None, limit: int = 20) -> list[Line]:
    """The newest postings first; page on with `before_seq` = the last line's `account_seq`."""
    return [
        Line(*row)
        for row in _rows(
            _LINE
            + " WHERE p.account_id = %s AND p.account_seq < coalesce(%s, 9223372036854775807)"
            + " ORDER BY p.account_seq DESC LIMIT %s",
            [account_id, before_seq, limit],
        )
    ]


def latest_lines(account_ids: Sequence[int], *, limit: int = 10) -> list[tuple[int, Line]]:
    """The newest postings of several accounts together, newest first, each with its account's id; one statement."""
    rows = _rows(
        """
        SELECT a.id, l.* FROM unnest(%s::bigint[]) a(id)
         CROSS JOIN LATERAL (
           SELECT p.entry_id, p.account_seq, p.booked_at, e.value_date, p.amount, p.balance_after,
                  e.kind, e.description, e.source_kind, e.source_id
             FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
            WHERE p.account_id = a.id AND p.account_seq IS NOT NULL ORDER BY p.account_seq DESC LIMIT %s) l
         ORDER BY l.booked_at DESC, l.entry_id DESC, a.id LIMIT %s
        """,
        [list(account_ids), limit, limit],
    )
    return [(row[0], Line(*row[1:])) for row in rows]


def flows(account_ids: Sequence[int], periods: Sequence[tuple[datetime, datetime]]) -> list[Flow]:
    """What came into these accounts as a whole, and what left them, in each half-open period.

    An entry between two of them cancels out (its fee does not), and a reversal takes back what it reverses. Only for
    accounts with a balance row; periods without movement are left out.
    """
    rows = _rows(
        """
        WITH moved AS (
          SELECT t.no, p.currency, p.entry_id, sum(p.amount) AS net
            FROM unnest(%s::bigint[]) a(id)
           CROSS JOIN unnest(%s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY t(since, until, no)
           CROSS JOIN LATERAL (
             SELECT ledger_seq_at(a.id, t.since - interval '1 microsecond') AS low,
                    ledger_seq_at(a.id, t.until - interval '1 microsecond') AS high OFFSET 0) s
            JOIN ledger_posting p ON p.account_id = a.id AND p.account_seq > s.low AND p.account_seq <= s.high
           GROUP BY t.no, p.currency, p.entry_id)
        SELECT m.no - 1, m.currency,
               sum(CASE WHEN (m.net > 0) = (e.reverses_id IS NULL) THEN m.net ELSE 0 END)::bigint,
               sum(CASE WHEN (m.net < 0) = (e.reverses_id IS NULL) THEN -m.net ELSE 0 END)::bigint
          FROM moved m JOIN ledger_entry e ON e.id = m.entry_id
         WHERE m.net <> 0 GROUP BY m.no, m.currency ORDER BY m.no, m.currency
        """,
        [list(account_ids), [since for since, _ in periods], [until for _, until in periods]],
    )
    return [Flow(*row) for row in rows]


def internal_account(gl_code: str, currency: str) -> int:
    """The bank's own account for this code and currency; the first question about a new currency opens it.

    Raises UnknownGlCode.
    """
    return int(call("SELECT ledger_internal_account(%s, %s)", (gl_code, currency))[0])


def hold(hold_id: Any) -> HoldState | None:
    """How a hold stands; None when there is no such hold."""
    rows = _rows(
        """
        SELECT h.amount, h.expires_at, h.account_id, coalesce(v.kind, 'ACTIVE'), coalesce(v.amount, 0)
          FROM ledger_hold h LEFT JOIN ledger_holdevent v ON v.hold_id = h.id WHERE h.id = %s::uuid
        """,
        [str(hold_id)],
    )
    return HoldState(*rows[0]) if rows else None


def has_entries_outside_months() -> bool:
    """Whether rows are in the default partitions: they were booked in a month that had no partition when they came."""
    found = _rows("SELECT EXISTS (SELECT FROM ledger_entry_default) OR EXISTS (SELECT FROM ledger_posting_default)", [])
    return bool(found[0][0])


def seal_heads() -> HeadFile:
    """The file that remembers the ledger's seals outside of the database; nobody but the sealing worker writes it."""
    return HeadFile(Path(settings.SEALS_ROOT) / "ledger.jsonl")


def trial_balance() -> list[TrialBalanceRow]:
    """Per code and currency, from the balances; in each currency debits equal credits or something is broken."""
    account_ids = list(LedgerAccount.objects.filter(is_internal=True).values_list("pk", flat=True))
    internal = balances(account_ids)
    rows = _rows(
        """
        SELECT g.code, g.name, g.kind, g.normal_side, a.currency, coalesce(sum(b.posted), 0)::bigint,
               array_agg(a.id) FILTER (WHERE a.is_internal)
          FROM ledger_ledgeraccount a
          JOIN ledger_glcode g ON g.code = a.gl_code_id
          LEFT JOIN ledger_balance b ON b.account_id = a.id
         GROUP BY g.code, a.currency ORDER BY g.code, a.currency
        """,
        [],
    )
    result = []
    for code, name, kind, side, currency, posted, internal_ids in rows:
        net = posted + sum(internal[pk].posted for pk in internal_ids or () if pk in internal)
        result.append(
            TrialBalanceRow(code, name, kind, side, currency, debit_minor=max(-net, 0), credit_minor=max(net, 0))
        )
    return result


def _rows(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [tuple(row) for row in cursor.fetchall()]
