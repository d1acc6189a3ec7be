-- After every INSERT into ledger_posting. Each entry sums to zero per currency (with amounts other than zero that takes at
-- least two legs), each leg is in its account's currency and has its entry's time, and the entry is of this very
-- transaction, so nobody appends to an old one. On an account with a balance row the legs written here follow each other
-- without a gap and end at what that row says now; legs without a sequence are on internal accounts.
-- The look-ups are scalar sub-selects on purpose: a join is planned once per connection for the size that came first, and
-- after one large batch every later single transfer would pay for that plan.
CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  first bigint;
  last bigint;
  booked timestamptz;
BEGIN
  -- One entry, in one currency, no account twice: this is most of them. With one aggregate only, because each costs more to
  -- set up than to work out.
  SELECT f.entry_id, f.booked_at INTO first, booked
    FROM (SELECT n.entry_id, n.currency, n.booked_at FROM new_postings n LIMIT 1) f
   WHERE (SELECT sum(n.amount) FROM new_postings n) = 0
     AND NOT EXISTS (
       SELECT FROM new_postings n
        WHERE (n.entry_id = f.entry_id AND n.booked_at = f.booked_at AND n.currency = f.currency AND n.amount <> 0
               AND n.currency = CASE WHEN n.account_seq IS NULL THEN
                 (SELECT a.currency FROM public.ledger_ledgeraccount a WHERE a.id = n.account_id AND a.is_internal
                     AND n.balance_after IS NULL AND n.xid = pg_catalog.pg_current_xact_id())
               ELSE
                 (SELECT b.currency FROM public.ledger_balance b WHERE b.account_id = n.account_id
                     AND b.seq = n.account_seq AND b.posted = n.balance_after AND n.xid IS NULL)
               END) IS NOT TRUE);
  IF first IS NOT NULL AND EXISTS (
    SELECT FROM public.ledger_entry e WHERE e.id = first AND e.xid = pg_catalog.pg_current_xact_id() AND e.booked_at = booked
  ) THEN
    RETURN NULL;
  END IF;
  SELECT min(n.entry_id), max(n.entry_id) INTO first, last FROM new_postings n;
  IF EXISTS (
    SELECT
    FROM (
      SELECT n.entry_id, n.currency, n.amount, n.booked_at,
             CASE
               WHEN n.account_seq IS NULL THEN
                 (SELECT a.currency FROM public.ledger_ledgeraccount a WHERE a.id = n.account_id AND a.is_internal
                     AND n.balance_after IS NULL AND n.xid = pg_catalog.pg_current_xact_id())
               WHEN n.next_seq IS NULL THEN
                 (SELECT b.currency FROM public.ledger_balance b WHERE b.account_id = n.account_id
                     AND b.seq = n.account_seq AND b.posted = n.balance_after AND n.xid IS NULL)
               WHEN n.next_seq = n.account_seq + 1 AND n.next_before = n.balance_after AND n.xid IS NULL THEN n.next_currency
             END AS account_currency
      FROM (
        SELECT p.entry_id, p.currency, p.amount, p.account_id, p.account_seq, p.balance_after, p.booked_at, p.xid,
               lead(p.account_seq) OVER following AS next_seq,
               lead(p.balance_after - p.amount) OVER following AS next_before,
               lead(p.currency) OVER following AS next_currency
          FROM new_postings p
        WINDOW following AS (PARTITION BY p.account_id ORDER BY p.account_seq)
      ) n
    ) leg
    GROUP BY leg.entry_id, leg.currency
    HAVING sum(leg.amount) <> 0
        OR count(*) FILTER (WHERE leg.account_currency = leg.currency AND leg.amount <> 0) <> count(*)
        OR min(leg.booked_at) <> max(leg.booked_at)
        OR (SELECT e.booked_at FROM public.ledger_entry e
             WHERE e.id = leg.entry_id AND e.id >= first AND e.id <= last
               AND e.xid = pg_catalog.pg_current_xact_id()) IS DISTINCT FROM min(leg.booked_at)
  ) THEN
    RAISE EXCEPTION 'unbalanced, mixed or foreign postings' USING ERRCODE = 'BK006';
  END IF;
  RETURN NULL;
END $$;
