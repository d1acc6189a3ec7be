-- After every INSERT into ledger_posting: each entry sums to zero per currency (with amounts other than zero that takes at
-- least two legs), each leg is in its account's currency, and the entry's number was given by this very transaction, so
-- nobody appends to an old one. On an account with a balance row the legs written here follow each other without a gap and
-- end at what that row says now; legs without a sequence are on internal accounts.
-- The look-ups are scalar sub-selects on purpose: a join is planned once per connection for the size that came first, and
-- after one large batch every later single transfer would pay for that plan.
CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT
    FROM (
      SELECT n.entry_id, n.currency, n.amount,
             CASE
               WHEN n.account_seq IS NULL THEN
                 (SELECT a.currency FROM public.ledger_ledgeraccount a WHERE a.id = n.account_id AND a.is_internal)
               WHEN n.next_seq IS NULL THEN
                 (SELECT b.currency FROM public.ledger_balance b
                   WHERE b.account_id = n.account_id AND b.seq = n.account_seq AND b.posted = n.balance_after)
               WHEN n.next_seq = n.account_seq + 1 AND n.next_before = n.balance_after THEN n.next_currency
             END AS account_currency,
             (SELECT r.entry_id FROM public.ledger_entryreference r
              WHERE r.entry_id = n.entry_id AND r.xid = pg_catalog.pg_current_xact_id()) AS own_entry
      FROM (
        SELECT p.entry_id, p.currency, p.amount, p.account_id, p.account_seq, p.balance_after,
               lead(p.account_seq) OVER following AS next_seq,
               lead(p.balance_after - p.amount) OVER following AS next_before,
               lead(p.currency) OVER following AS next_currency
          FROM new_postings p
        WINDOW following AS (PARTITION BY p.account_id ORDER BY p.account_seq)
      ) n
    ) leg
    GROUP BY leg.entry_id, leg.currency
    HAVING sum(leg.amount) <> 0
        OR count(*) FILTER (WHERE leg.account_currency = leg.currency AND leg.own_entry IS NOT NULL) <> count(*)
  ) THEN
    RAISE EXCEPTION 'unbalanced, mixed or foreign postings' USING ERRCODE = 'BK006';
  END IF;
  RETURN NULL;
END $$;
