"""Recompute the whole ledger from its postings and name whatever does not agree. Reads only; one consistent snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """`subject` names the entry, account or hold; amounts are minor units."""

    check: str
    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Check:
    """`statement` yields (subject, expected, found) for each discrepancy and nothing when all is well."""

    title: str
    statement: str


CHECKS: tuple[Check, ...] = (
    Check(
        "Entries sum to zero in each currency",
        """
        SELECT 'entry ' || p.entry_id || ' in ' || p.currency, '0', sum(p.amount)::text
          FROM ledger_posting p GROUP BY p.entry_id, p.currency HAVING sum(p.amount) <> 0 ORDER BY p.entry_id
        """,
    ),
    Check(
        "Entries have two legs or more, numbered without a gap",
        """
        SELECT 'entry ' || e.id, 'legs 1 to n, two or more', coalesce(array_agg(p.no ORDER BY p.no)::text, '{}')
          FROM ledger_entry e LEFT JOIN ledger_posting p ON p.entry_id = e.id
         GROUP BY e.id HAVING count(p.no) < 2 OR min(p.no) <> 1 OR max(p.no) <> count(p.no) ORDER BY e.id
        """,
    ),
    Check(
        "Postings belong to an entry and to an account of their currency",
        """
        SELECT 'posting ' || p.entry_id || '/' || p.no || ' on account ' || p.account_id,
               'an entry, an account in ' || p.currency,
               CASE WHEN e.id IS NULL THEN 'no such entry' WHEN a.id IS NULL THEN 'no such account'
                    ELSE 'an account in ' || a.currency END
          FROM ledger_posting p
          LEFT JOIN ledger_entry e ON e.id = p.entry_id
          LEFT JOIN ledger_ledgeraccount a ON a.id = p.account_id
         WHERE e.id IS NULL OR a.id IS NULL OR a.currency <> p.currency ORDER BY p.entry_id, p.no
        """,
    ),
    Check(
        "Internal accounts have no sequence, all others have one and a balance row",
        """
        SELECT 'posting ' || p.entry_id || '/' || p.no || ' on account ' || p.account_id,
               CASE WHEN a.is_internal THEN 'no sequence' ELSE 'a sequence' END,
               coalesce('sequence ' || p.account_seq, 'no sequence')
          FROM ledger_posting p JOIN ledger_ledgeraccount a ON a.id = p.account_id
         WHERE a.is_internal <> (p.account_seq IS NULL)
        UNION ALL
        SELECT 'account ' || a.id, CASE WHEN a.is_internal THEN 'no balance row' ELSE 'a balance row' END,
               CASE WHEN b.account_id IS NULL THEN 'none' ELSE 'one' END
          FROM ledger_ledgeraccount a FULL JOIN ledger_balance b ON b.account_id = a.id
         WHERE a.is_internal IS DISTINCT FROM (b.account_id IS NULL)
        """,
    ),
    Check(
        "Account sequences have no gap",
        """
        SELECT 'account ' || x.account_id || ' before entry ' || x.entry_id, 'sequence ' || x.previous + 1,
               'sequence ' || x.account_seq
          FROM (SELECT p.account_id, p.entry_id, p.account_seq,
                       coalesce(lag(p.account_seq) OVER (PARTITION BY p.account_id ORDER BY p.account_seq), 0) AS previous
                  FROM ledger_posting p WHERE p.account_seq IS NOT NULL) x
         WHERE x.account_seq <> x.previous + 1 ORDER BY x.account_id, x.account_seq
        """,
    ),
    Check(
        "Each running balance follows from the one before",
        """
        SELECT 'account ' || x.account_id || ' at entry ' || x.entry_id || ', sequence ' || x.account_seq,
               (x.previous + x.amount)::text, x.balance_after::text
          FROM (SELECT p.account_id, p.entry_id, p.account_seq, p.amount, p.balance_after,
                       coalesce(lag(p.balance_after) OVER (PARTITION BY p.account_id ORDER BY p.account_seq), 0) AS previous
                  FROM ledger_posting p WHERE p.account_seq IS NOT NULL) x
         WHERE x.balance_after <> x.previous + x.amount ORDER BY x.account_id, x.account_seq
        """,
    ),
    Check(
        "Booking times never run backwards on an account, and are their entry's",
        """
        SELECT 'account ' || x.account_id || ' at entry ' || x.entry_id,
               'at or after ' || greatest(x.previous, x.entry_booked_at), x.booked_at::text
          FROM (SELECT p.account_id, p.entry_id, p.account_seq, p.booked_at, e.booked_at AS entry_booked_at,
                       lag(p.booked_at) OVER (PARTITION BY p.account_id ORDER BY p.account_seq) AS previous
                  FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id WHERE p.account_seq IS NOT NULL) x
         WHERE x.booked_at < x.previous OR x.booked_at <> x.entry_booked_at ORDER BY x.account_id, x.account_seq
        """,
    ),
    Check(
        "Balances equal the sum of their postings",
        """
        SELECT 'account ' || b.account_id, coalesce(p.total, 0) || ' after ' || coalesce(p.last, 0) || ' postings',
               b.posted || ' after ' || b.seq || ' postings'
          FROM ledger_balance b
          LEFT JOIN (SELECT l.account_id, sum(l.amount) AS total, max(l.account_seq) AS last
                       FROM ledger_posting l WHERE l.account_seq IS NOT NULL GROUP BY l.account_id) p
                 ON p.account_id = b.account_id
         WHERE b.posted <> coalesce(p.total, 0) OR b.seq <> coalesce(p.last, 0) ORDER BY b.account_id
        """,
    ),
    Check(
        "Balances equal the last running balance and its time",
        """
        SELECT 'account ' || b.account_id, coalesce(p.balance_after, 0) || ' at ' || coalesce(p.booked_at::text, 'no time'),
               b.posted || ' at ' || coalesce(b.booked_at::text, 'no time')
          FROM ledger_balance b
          LEFT JOIN (SELECT DISTINCT ON (l.account_id) l.account_id, l.balance_after, l.booked_at FROM ledger_posting l
                      WHERE l.account_seq IS NOT NULL ORDER BY l.account_id, l.account_seq DESC) p
                 ON p.account_id = b.account_id
         WHERE b.posted <> coalesce(p.balance_after, 0) OR b.booked_at IS DISTINCT FROM p.booked_at ORDER BY b.account_id
        """,
    ),
    Check(
        "Balances repeat their account's currency and status",
        """
        SELECT 'account ' || a.id, a.currency || ' ' || a.status, b.currency || ' ' || b.status
          FROM ledger_balance b JOIN ledger_ledgeraccount a ON a.id = b.account_id
         WHERE (a.currency, a.status) <> (b.currency, b.status) ORDER BY a.id
        """,
    ),
    Check(
        "No balance is below its floor, and closed accounts are empty",
        """
        SELECT 'account ' || b.account_id,
               CASE WHEN b.posted - b.held < b.floor THEN 'available at or above ' || b.floor ELSE 'nothing in a closed account' END,
               'posted ' || b.posted || ', held ' || b.held
          FROM ledger_balance b
         WHERE b.posted - b.held < b.floor OR (b.status = 'CLOSED' AND (b.posted <> 0 OR b.held <> 0)) ORDER BY b.account_id
        """,
    ),
    Check(
        "What is held equals the active holds",
        """
        SELECT 'account ' || coalesce(b.account_id, h.account_id), 'held ' || coalesce(h.active, 0),
               'held ' || coalesce(b.held, 0)
          FROM ledger_balance b
          FULL JOIN (SELECT x.account_id, sum(x.amount) AS active FROM ledger_hold x
                      WHERE NOT EXISTS (SELECT FROM ledger_holdevent v WHERE v.hold_id = x.id) GROUP BY x.account_id) h
                 ON h.account_id = b.account_id
         WHERE coalesce(b.held, 0) <> coalesce(h.active, 0) ORDER BY 1
        """,
    ),
    Check(
        "Holds ended once, and a posted one took what its entry says",
        """
        SELECT 'hold ' || h.id, 'one end, for at most ' || h.amount,
               count(*) || ' ends, entry took ' || coalesce(-sum(legs.amount), 0) || ', event says ' || sum(v.amount)
          FROM ledger_hold h
          JOIN ledger_holdevent v ON v.hold_id = h.id
          LEFT JOIN LATERAL (SELECT sum(p.amount) AS amount FROM ledger_posting p
                              WHERE p.entry_id = v.entry_id AND p.account_id = h.account_id) legs ON true
         GROUP BY h.id
        HAVING count(*) > 1 OR sum(v.amount) > h.amount OR sum(v.amount) <> coalesce(-sum(legs.amount), 0) ORDER BY 1
        """,
    ),
    Check(
        "Hold events belong to a hold",
        """
        SELECT 'hold event ' || v.id, 'hold ' || v.hold_id, 'no such hold'
          FROM ledger_holdevent v WHERE NOT EXISTS (SELECT FROM ledger_hold h WHERE h.id = v.hold_id) ORDER BY v.id
        """,
    ),
    Check(
        "Reversals mirror their originals, once",
        """
        SELECT 'entry ' || r.id || ' reversing ' || r.reverses_id, coalesce(original.legs::text, 'no such entry'),
               coalesce(mirror.legs::text, 'no legs')
          FROM ledger_entry r
          LEFT JOIN LATERAL (SELECT array_agg((p.account_id, p.amount) ORDER BY p.account_id, p.amount) AS legs
                               FROM ledger_posting p WHERE p.entry_id = r.reverses_id) original ON true
          LEFT JOIN LATERAL (SELECT array_agg((p.account_id, -p.amount) ORDER BY p.account_id, -p.amount) AS legs
                               FROM ledger_posting p WHERE p.entry_id = r.id) mirror ON true
         WHERE r.reverses_id IS NOT NULL AND original.legs IS DISTINCT FROM mirror.legs
        UNION ALL
        SELECT 'entry ' || r.reverses_id, 'one reversal', count(*) || ' reversals'
          FROM ledger_entry r WHERE r.reverses_id IS NOT NULL GROUP BY r.reverses_id HAVING count(*) > 1
        """,
    ),
    Check(
        "Each entry has its reference, and each reference its entry",
        """
        SELECT 'entry ' || coalesce(e.id, r.entry_id),
               coalesce('reference ' || r.external_ref || coalesce(', reversing ' || r.reverses_id, ''), 'a reference'),
               coalesce('reference ' || e.external_ref || coalesce(', reversing ' || e.reverses_id, ''), 'no such entry')
          FROM ledger_entry e FULL JOIN ledger_entryreference r ON r.entry_id = e.id
         WHERE (e.id, e.external_ref, e.reverses_id, e.xid)
               IS DISTINCT FROM (r.entry_id, r.external_ref, r.reverses_id, r.xid) ORDER BY 1
        """,
    ),
    Check(
        "Snapshots equal the postings below their cut",
        """
        SELECT 'snapshot ' || s.id || ' of account ' || s.account_id, p.total || ' from ' || p.postings || ' postings',
               s.balance || ' from ' || s.postings || ' postings'
          FROM ledger_balancesnapshot s
          CROSS JOIN LATERAL (SELECT coalesce(sum(l.amount), 0) AS total, count(*) AS postings FROM ledger_posting l
                               WHERE l.account_id = s.account_id AND l.account_seq IS NULL AND l.xid < s.cut) p
         WHERE (s.balance, s.postings) <> (p.total, p.postings) ORDER BY s.id
        """,
    ),
    Check(
        "Transaction ids lie in this server's past and agree within an entry",
        """
        SELECT 'entry ' || e.id, 'below ' || pg_snapshot_xmax(pg_current_snapshot()), e.xid::text
          FROM ledger_entry e
         WHERE e.xid >= pg_snapshot_xmax(pg_current_snapshot()) AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()
        UNION ALL
        SELECT 'posting ' || p.entry_id || '/' || p.no, e.xid::text, p.xid::text
          FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id WHERE p.xid <> e.xid
        """,
    ),
    Check(
        "Trial balance is zero in each currency",
        """
        SELECT 'currency ' || x.currency, '0', sum(x.amount)::text
          FROM (SELECT b.currency, b.posted AS amount FROM ledger_balance b
                UNION ALL
                SELECT p.currency, p.amount FROM ledger_posting p WHERE p.account_seq IS NULL) x
         GROUP BY x.currency HAVING sum(x.amount) <> 0 ORDER BY x.currency
        """,
    ),
    Check(
        "Every change of status was kept",
        """
        SELECT 'account ' || a.id, coalesce(c.new_status, 'ACTIVE'), a.status
          FROM ledger_ledgeraccount a
          LEFT JOIN (SELECT DISTINCT ON (s.account_id) s.account_id, s.new_status FROM ledger_statuschange s
                      ORDER BY s.account_id, s.id DESC) c ON c.account_id = a.id
         WHERE a.status <> coalesce(c.new_status, 'ACTIVE') ORDER BY a.id
        """,
    ),
)


def verify(*, started: Callable[[Check], None] = lambda check: None, limit: int = 100) -> Iterator[Discrepancy]:
    """Yield what does not agree, at most `limit` per check, all of it as of one moment. `started` is told of each check."""
    with transaction.atomic():
        if len(connection.atomic_blocks) == 1:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for check in CHECKS:
            started(check)
            with connection.cursor() as cursor:
                cursor.execute(check.statement)
                for subject, expected, found in cursor.fetchmany(limit):
                    yield Discrepancy(check.title, subject, str(expected), str(found))


def counts() -> tuple[int, int, int]:
    """Entries, postings and accounts, for the closing line."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM ledger_entry), (SELECT count(*) FROM ledger_posting),
                   (SELECT count(*) FROM ledger_ledgeraccount)
            """
        )
        entries, postings, accounts = cursor.fetchone()
    return entries, postings, accounts
