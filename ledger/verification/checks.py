"""What is checked, as SQL. Each statement yields (check, subject, expected, found) for what does not agree, else nothing.

Statements of `ENTRIES` and `RECENT` look at the entries numbered [low, high], those of `ACCOUNTS` at the accounts [low, high];
so they can be spread over connections, and each needs only so much memory. Those of `WHOLE` look at everything that does
not grow with the number of entries, or, given `cut`, at what came since that transaction id.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """`title` is for the progress line; a statement that looks at several things at once names each in its rows."""

    title: str
    statement: str


ENTRIES: tuple[Check, ...] = (
    Check(
        "Entries sum to zero in each currency",
        """
        SELECT 'Entries sum to zero in each currency', 'entry ' || p.entry_id || ' in ' || p.currency, '0', sum(p.amount)::text
          FROM ledger_posting p WHERE p.entry_id BETWEEN %(low)s AND %(high)s
         GROUP BY p.entry_id, p.currency HAVING sum(p.amount) <> 0 ORDER BY p.entry_id
        """,
    ),
    Check(
        "Entries have two legs or more, numbered without a gap",
        """
        SELECT 'Entries have two legs or more, numbered without a gap', 'entry ' || e.id, 'legs 1 to n, two or more',
               coalesce((SELECT array_agg(l.no ORDER BY l.no)::text FROM ledger_posting l WHERE l.entry_id = e.id), '{}')
          FROM ledger_entry e
          LEFT JOIN (SELECT p.entry_id, count(*) AS legs, min(p.no) AS first, max(p.no) AS last FROM ledger_posting p
                      WHERE p.entry_id BETWEEN %(low)s AND %(high)s GROUP BY p.entry_id) x ON x.entry_id = e.id
         WHERE e.id BETWEEN %(low)s AND %(high)s
           AND (x.legs IS NULL OR x.legs < 2 OR x.first <> 1 OR x.last <> x.legs) ORDER BY e.id
        """,
    ),
    Check(
        "Postings agree with their entry and their account",
        """
        SELECT CASE WHEN e.id IS NULL OR a.id IS NULL OR a.currency <> p.currency
                    THEN 'Postings belong to an entry and to an account of their currency'
                    WHEN a.is_internal <> (p.account_seq IS NULL)
                    THEN 'Internal accounts have no sequence, all others have one and a balance row'
                    WHEN p.booked_at <> e.booked_at THEN 'Postings are booked at the time of their entry'
                    ELSE 'Transaction ids lie in this server''s past and agree within an entry' END,
               'posting ' || p.entry_id || '/' || p.no || ' on account ' || p.account_id,
               CASE WHEN e.id IS NULL OR a.id IS NULL OR a.currency <> p.currency THEN 'an entry, an account in ' || p.currency
                    WHEN a.is_internal <> (p.account_seq IS NULL)
                    THEN CASE WHEN a.is_internal THEN 'no sequence' ELSE 'a sequence' END
                    WHEN p.booked_at <> e.booked_at THEN e.booked_at::text ELSE e.xid::text END,
               CASE WHEN e.id IS NULL THEN 'no such entry' WHEN a.id IS NULL THEN 'no such account'
                    WHEN a.currency <> p.currency THEN 'an account in ' || a.currency
                    WHEN a.is_internal <> (p.account_seq IS NULL) THEN coalesce('sequence ' || p.account_seq, 'no sequence')
                    WHEN p.booked_at <> e.booked_at THEN p.booked_at::text ELSE p.xid::text END
          FROM ledger_posting p
          LEFT JOIN ledger_entry e ON e.id = p.entry_id AND e.id BETWEEN %(low)s AND %(high)s
          LEFT JOIN ledger_ledgeraccount a ON a.id = p.account_id
         WHERE p.entry_id BETWEEN %(low)s AND %(high)s
           AND (e.id IS NULL OR a.id IS NULL OR a.currency <> p.currency OR a.is_internal <> (p.account_seq IS NULL)
                OR p.booked_at <> e.booked_at OR p.xid <> e.xid)
         ORDER BY p.entry_id, p.no
        """,
    ),
    Check(
        "Each entry has its reference, and each reference its entry",
        """
        SELECT 'Each entry has its reference, and each reference its entry', 'entry ' || coalesce(e.id, r.entry_id),
               coalesce('reference ' || r.external_ref || coalesce(', reversing ' || r.reverses_id, ''), 'a reference'),
               coalesce('reference ' || e.external_ref || coalesce(', reversing ' || e.reverses_id, ''), 'no such entry')
          FROM (SELECT * FROM ledger_entry e WHERE e.id BETWEEN %(low)s AND %(high)s) e
          FULL JOIN (SELECT * FROM ledger_entryreference r WHERE r.entry_id BETWEEN %(low)s AND %(high)s) r ON r.entry_id = e.id
         WHERE (e.id, e.external_ref, e.reverses_id, e.xid)
               IS DISTINCT FROM (r.entry_id, r.external_ref, r.reverses_id, r.xid)
         ORDER BY coalesce(e.id, r.entry_id)
        """,
    ),
    Check(
        "Transaction ids lie in this server's past and agree within an entry",
        """
        SELECT 'Transaction ids lie in this server''s past and agree within an entry', 'entry ' || e.id,
               'below ' || pg_snapshot_xmax(pg_current_snapshot()), e.xid::text
          FROM ledger_entry e
         WHERE e.id BETWEEN %(low)s AND %(high)s AND e.xid >= pg_snapshot_xmax(pg_current_snapshot())
           AND e.xid IS DISTINCT FROM pg_current_xact_id_if_assigned() ORDER BY e.id
        """,
    ),
    Check(
        "Reversals mirror their originals, once",
        """
        SELECT 'Reversals mirror their originals, once', 'entry ' || r.id || ' reversing ' || r.reverses_id,
               coalesce(original.legs::text, 'no such entry'), coalesce(mirror.legs::text, 'no legs')
          FROM ledger_entry r
          LEFT JOIN LATERAL (SELECT array_agg((p.account_id, p.amount) ORDER BY p.account_id, p.amount) AS legs
                               FROM ledger_posting p WHERE p.entry_id = r.reverses_id) original ON true
          LEFT JOIN LATERAL (SELECT array_agg((p.account_id, -p.amount) ORDER BY p.account_id, -p.amount) AS legs
                               FROM ledger_posting p WHERE p.entry_id = r.id) mirror ON true
         WHERE r.id BETWEEN %(low)s AND %(high)s AND r.reverses_id IS NOT NULL AND original.legs IS DISTINCT FROM mirror.legs
         ORDER BY r.id
        """,
    ),
)

ACCOUNTS: tuple[Check, ...] = (
    Check(
        "Sequences, running balances and times follow on",
        """
        SELECT CASE WHEN x.account_seq <> x.previous + 1 THEN 'Account sequences have no gap'
                    WHEN x.balance_after <> x.balance_before + x.amount THEN 'Each running balance follows from the one before'
                    ELSE 'Booking times never run backwards on an account' END,
               'account ' || x.account_id || ' at entry ' || x.entry_id || ', sequence ' || x.account_seq,
               CASE WHEN x.account_seq <> x.previous + 1 THEN 'sequence ' || x.previous + 1
                    WHEN x.balance_after <> x.balance_before + x.amount THEN (x.balance_before + x.amount)::text
                    ELSE 'at or after ' || x.time_before END,
               CASE WHEN x.account_seq <> x.previous + 1 THEN 'sequence ' || x.account_seq
                    WHEN x.balance_after <> x.balance_before + x.amount THEN x.balance_after::text
                    ELSE x.booked_at::text END
          FROM (SELECT p.account_id, p.entry_id, p.account_seq, p.amount, p.balance_after, p.booked_at,
                       lag(p.account_seq, 1, 0::bigint) OVER w AS previous,
                       lag(p.balance_after, 1, 0::bigint) OVER w AS balance_before, lag(p.booked_at) OVER w AS time_before
                  FROM ledger_posting p
                 WHERE p.account_id BETWEEN %(low)s AND %(high)s AND p.account_seq IS NOT NULL
                WINDOW w AS (PARTITION BY p.account_id ORDER BY p.account_seq)) x
         WHERE x.account_seq <> x.previous + 1 OR x.balance_after <> x.balance_before + x.amount OR x.booked_at < x.time_before
         ORDER BY x.account_id, x.account_seq
        """,
    ),
    Check(
        "Balances equal the sum of their postings",
        """
        SELECT 'Balances equal the sum of their postings', 'account ' || b.account_id,
               coalesce(p.total, 0) || ' after ' || coalesce(p.last, 0) || ' postings',
               b.posted || ' after ' || b.seq || ' postings'
          FROM ledger_balance b
          LEFT JOIN (SELECT l.account_id, sum(l.amount) AS total, max(l.account_seq) AS last FROM ledger_posting l
                      WHERE l.account_id BETWEEN %(low)s AND %(high)s AND l.account_seq IS NOT NULL GROUP BY l.account_id) p
                 ON p.account_id = b.account_id
         WHERE b.account_id BETWEEN %(low)s AND %(high)s
           AND (b.posted <> coalesce(p.total, 0) OR b.seq <> coalesce(p.last, 0)) ORDER BY b.account_id
        """,
    ),
)

DAILY = Check(
    "Daily balances equal the postings they were made from",
    """
    SELECT 'Daily balances equal the postings they were made from', 'account ' || x.account_id || ' on ' || x.day,
           x.booked || ' booked, ' || x.valued || ' valued', x.found
      FROM (SELECT coalesce(m.account_id, r.account_id) AS account_id, coalesce(m.day, r.day) AS day,
                   m.booked, m.valued, coalesce(r.booked || ' booked, ' || r.valued || ' valued', 'no such day') AS found,
                   (m.booked, m.valued) IS DISTINCT FROM (r.booked, r.valued) AS differs
              FROM (SELECT s.account_id, s.day, sum(s.booked) OVER w AS booked, sum(s.valued) OVER w AS valued
                      FROM (SELECT p.account_id, moved.day, sum(moved.booked) AS booked, sum(moved.valued) AS valued
                              FROM ledger_posting p
                              JOIN ledger_entry e ON e.id = p.entry_id
                              JOIN ledger_dailymark k ON k.account_id = p.account_id
                               AND CASE WHEN p.account_seq IS NULL THEN p.xid < k.cut ELSE p.account_seq <= k.seq END
                             CROSS JOIN LATERAL (VALUES ((p.booked_at AT TIME ZONE 'UTC')::date, p.amount, 0::bigint),
                                                        (e.value_date, 0::bigint, p.amount)) moved(day, booked, valued)
                             WHERE p.account_id BETWEEN %(low)s AND %(high)s
                             GROUP BY p.account_id, moved.day) s
                    WINDOW w AS (PARTITION BY s.account_id ORDER BY s.day)) m
              FULL JOIN (SELECT * FROM ledger_dailybalance d WHERE d.account_id BETWEEN %(low)s AND %(high)s) r
                     ON (r.account_id, r.day) = (m.account_id, m.day)) x
     WHERE x.differs ORDER BY x.account_id, x.day
    """,
)

# In place of ACCOUNTS when only what is new is looked at: each new posting follows from the one before it, old or new.
RECENT: tuple[Check, ...] = (
    Check(
        "New postings follow from the ones before",
        """
        SELECT CASE WHEN q.account_id IS NULL AND p.account_seq <> 1 THEN 'Account sequences have no gap'
                    WHEN p.balance_after <> coalesce(q.balance_after, 0) + p.amount
                    THEN 'Each running balance follows from the one before'
                    ELSE 'Booking times never run backwards on an account' END,
               'account ' || p.account_id || ' at entry ' || p.entry_id || ', sequence ' || p.account_seq,
               CASE WHEN q.account_id IS NULL AND p.account_seq <> 1 THEN 'a posting with sequence ' || p.account_seq - 1
                    WHEN p.balance_after <> coalesce(q.balance_after, 0) + p.amount
                    THEN (coalesce(q.balance_after, 0) + p.amount)::text
                    ELSE 'at or after ' || q.booked_at END,
               CASE WHEN q.account_id IS NULL AND p.account_seq <> 1 THEN 'none'
                    WHEN p.balance_after <> coalesce(q.balance_after, 0) + p.amount THEN p.balance_after::text
                    ELSE p.booked_at::text END
          FROM ledger_posting p
          LEFT JOIN LATERAL (SELECT l.account_id, l.balance_after, l.booked_at FROM ledger_posting l
                              WHERE l.account_id = p.account_id AND l.account_seq = p.account_seq - 1 LIMIT 1) q ON true
         WHERE p.entry_id BETWEEN %(low)s AND %(high)s AND p.account_seq IS NOT NULL
           AND (q.account_id IS NULL AND p.account_seq <> 1 OR p.balance_after <> coalesce(q.balance_after, 0) + p.amount
                OR p.booked_at < q.booked_at)
         ORDER BY p.account_id, p.account_seq
        """,
    ),
)

WHOLE: tuple[Check, ...] = (
    Check(
        "Internal accounts have no sequence, all others have one and a balance row",
        """
        SELECT 'Internal accounts have no sequence, all others have one and a balance row', 'account ' || a.id,
               CASE WHEN a.is_internal THEN 'no balance row' ELSE 'a balance row' END,
               CASE WHEN b.account_id IS NULL THEN 'none' ELSE 'one' END
          FROM ledger_ledgeraccount a FULL JOIN ledger_balance b ON b.account_id = a.id
         WHERE a.is_internal IS DISTINCT FROM (b.account_id IS NULL) ORDER BY a.id
        """,
    ),
    Check(
        "Balances equal the last running balance and its time",
        """
        SELECT 'Balances equal the last running balance and its time', 'account ' || b.account_id,
               coalesce(p.account_seq || ': ' || p.balance_after || ' at ' || p.booked_at, '0: 0 at no time'),
               b.seq || ': ' || b.posted || ' at ' || coalesce(b.booked_at::text, 'no time')
          FROM ledger_balance b
          LEFT JOIN LATERAL (SELECT l.account_seq, l.balance_after, l.booked_at FROM ledger_posting l
                              WHERE l.account_id = b.account_id AND l.account_seq IS NOT NULL
                              ORDER BY l.account_seq DESC LIMIT 1) p ON true
         WHERE b.posted <> coalesce(p.balance_after, 0) OR b.booked_at IS DISTINCT FROM p.booked_at
            OR b.seq <> coalesce(p.account_seq, 0)
         ORDER BY b.account_id
        """,
    ),
    Check(
        "Balances repeat their account's currency and status",
        """
        SELECT 'Balances repeat their account''s currency and status', 'account ' || a.id, a.currency || ' ' || a.status,
               b.currency || ' ' || b.status
          FROM ledger_balance b JOIN ledger_ledgeraccount a ON a.id = b.account_id
         WHERE (a.currency, a.status) <> (b.currency, b.status) ORDER BY a.id
        """,
    ),
    Check(
        "No balance is below its floor, and closed accounts are empty",
        """
        SELECT 'No balance is below its floor, and closed accounts are empty', 'account ' || b.account_id,
               CASE WHEN b.posted - b.held < b.floor THEN 'available at or above ' || b.floor ELSE 'nothing in a closed account' END,
               'posted ' || b.posted || ', held ' || b.held
          FROM ledger_balance b
         WHERE b.posted - b.held < b.floor OR (b.status = 'CLOSED' AND (b.posted <> 0 OR b.held <> 0)) ORDER BY b.account_id
        """,
    ),
    Check(
        "What is held equals the active holds",
        """
        SELECT 'What is held equals the active holds', 'account ' || coalesce(b.account_id, h.account_id),
               'held ' || coalesce(h.active, 0), 'held ' || coalesce(b.held, 0)
          FROM ledger_balance b
          FULL JOIN (SELECT x.account_id, sum(x.amount) AS active FROM ledger_hold x
                      WHERE NOT EXISTS (SELECT FROM ledger_holdevent v WHERE v.hold_id = x.id) GROUP BY x.account_id) h
                 ON h.account_id = b.account_id
         WHERE coalesce(b.held, 0) <> coalesce(h.active, 0) ORDER BY 2
        """,
    ),
    Check(
        "Holds ended once, and a posted one took what its entry says",
        """
        SELECT 'Holds ended once, and a posted one took what its entry says', 'hold ' || h.id, 'one end, for at most ' || h.amount,
               count(*) || ' ends, entry took ' || coalesce(-sum(legs.amount), 0) || ', event says ' || sum(v.amount)
          FROM ledger_hold h
          JOIN ledger_holdevent v ON v.hold_id = h.id
          LEFT JOIN LATERAL (SELECT sum(p.amount) AS amount FROM ledger_posting p
                              WHERE p.entry_id = v.entry_id AND p.account_id = h.account_id) legs ON true
         WHERE %(cut)s = '0' OR EXISTS (SELECT FROM ledger_entry e WHERE e.id = v.entry_id AND e.xid >= %(cut)s::xid8)
         GROUP BY h.id
        HAVING count(*) > 1 OR sum(v.amount) > h.amount OR sum(v.amount) <> coalesce(-sum(legs.amount), 0) ORDER BY 2
        """,
    ),
    Check(
        "Hold events belong to a hold",
        """
        SELECT 'Hold events belong to a hold', 'hold event ' || v.id, 'hold ' || v.hold_id, 'no such hold'
          FROM ledger_holdevent v WHERE NOT EXISTS (SELECT FROM ledger_hold h WHERE h.id = v.hold_id) ORDER BY v.id
        """,
    ),
    Check(
        "No entry is reversed twice",
        """
        SELECT 'Reversals mirror their originals, once', 'entry ' || r.reverses_id, 'one reversal', count(*) || ' reversals'
          FROM ledger_entry r WHERE r.reverses_id IS NOT NULL AND (%(cut)s = '0' OR r.xid >= %(cut)s::xid8)
         GROUP BY r.reverses_id HAVING count(*) > 1 ORDER BY r.reverses_id
        """,
    ),
    Check(
        "Snapshots equal the postings below their cut",
        # Each from the one before it, so that every posting is read once.
        """
        SELECT 'Snapshots equal the postings below their cut', 'snapshot ' || s.id || ' of account ' || s.account_id,
               s.balance_before + p.total || ' from ' || s.postings_before + p.postings || ' postings, the last at '
                 || p.last_booked_at || CASE WHEN p.is_late THEN ', late' ELSE '' END,
               s.balance || ' from ' || s.postings || ' postings, the last at '
                 || s.last_booked_at || CASE WHEN s.is_late THEN ', late' ELSE '' END
          FROM (SELECT b.*, lag(b.balance, 1, 0::bigint) OVER w AS balance_before,
                       lag(b.postings, 1, 0::bigint) OVER w AS postings_before, lag(b.cut, 1, '0'::xid8) OVER w AS cut_before,
                       lag(b.last_booked_at) OVER w AS last_before
                  FROM ledger_balancesnapshot b WINDOW w AS (PARTITION BY b.account_id ORDER BY b.cut)) s
          CROSS JOIN LATERAL (SELECT coalesce(sum(l.amount), 0) AS total, count(*) AS postings,
                                     greatest(max(l.booked_at), s.last_before) AS last_booked_at,
                                     coalesce(min(l.booked_at) < s.last_before - interval '1 minute', false) AS is_late
                                FROM ledger_posting l
                               WHERE l.account_id = s.account_id AND l.account_seq IS NULL
                                 AND l.xid >= s.cut_before AND l.xid < s.cut) p
         WHERE s.cut > %(cut)s::xid8
           AND (s.balance, s.postings, s.last_booked_at, s.is_late)
               IS DISTINCT FROM (s.balance_before + p.total, s.postings_before + p.postings, p.last_booked_at, p.is_late)
         ORDER BY s.id
        """,
    ),
    Check(
        "Trial balance is zero in each currency",
        """
        SELECT 'Trial balance is zero in each currency', 'currency ' || x.currency, '0', sum(x.amount)::text
          FROM (SELECT b.currency, b.posted AS amount FROM ledger_balance b
                UNION ALL
                SELECT a.currency, coalesce(s.balance, 0) + t.amount
                  FROM ledger_ledgeraccount a
                  LEFT JOIN LATERAL (SELECT b.balance, b.cut FROM ledger_balancesnapshot b
                                      WHERE b.account_id = a.id ORDER BY b.cut DESC LIMIT 1) s ON true
                  CROSS JOIN LATERAL (SELECT coalesce(sum(p.amount), 0) AS amount FROM ledger_posting p
                                       WHERE p.account_id = a.id AND p.account_seq IS NULL
                                         AND p.xid >= coalesce(s.cut, '0'::xid8)) t
                 WHERE a.is_internal) x
         GROUP BY x.currency HAVING sum(x.amount) <> 0 ORDER BY x.currency
        """,
    ),
    Check(
        "Every change of status was kept",
        """
        SELECT 'Every change of status was kept', 'account ' || a.id, coalesce(c.new_status, 'ACTIVE'), a.status
          FROM ledger_ledgeraccount a
          LEFT JOIN (SELECT DISTINCT ON (s.account_id) s.account_id, s.new_status FROM ledger_statuschange s
                      ORDER BY s.account_id, s.id DESC) c ON c.account_id = a.id
         WHERE a.status <> coalesce(c.new_status, 'ACTIVE') ORDER BY a.id
        """,
    ),
    Check(
        "Guards are in place",
        """
        SELECT 'Guards are in place', 'function ' || f.name, 'as shipped',
               CASE WHEN p.oid IS NULL THEN 'missing' ELSE 'other text' END
          FROM unnest(%(functions)s::text[], %(texts)s::text[]) f(name, source)
          LEFT JOIN pg_proc p ON p.proname = f.name AND p.pronamespace = 'public'::regnamespace
         WHERE p.prosrc IS DISTINCT FROM f.source
        UNION ALL
        SELECT 'Guards are in place', 'trigger ' || w.name || ' on ' || w.relation, 'enabled',
               CASE WHEN t.oid IS NULL THEN 'missing' ELSE 'switched off' END
          FROM (SELECT g.name, g.relation::regclass AS relation FROM unnest(%(triggers)s::text[], %(relations)s::text[]) g(name, relation)
                 WHERE to_regclass(g.relation) IS NOT NULL
                UNION ALL
                SELECT g.name, i.inhrelid::regclass FROM unnest(%(triggers)s::text[], %(relations)s::text[]) g(name, relation)
                  JOIN pg_inherits i ON i.inhparent = to_regclass(g.relation)) w
          LEFT JOIN pg_trigger t ON t.tgname = w.name AND t.tgrelid = w.relation
         WHERE t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A')
        """,
    ),
)
