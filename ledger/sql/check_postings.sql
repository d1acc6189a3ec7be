-- After every INSERT into ledger_posting: each entry sums to zero per currency (with amounts other than zero that takes at
-- least two legs), each leg is in its account's currency and carries a sequence exactly when its account has a balance
-- row, and the entry was created by this very transaction, so nobody appends to an old one.
-- The look-ups are scalar sub-selects on purpose: a join is planned once per connection for the size that came first, and
-- after one large batch every later single transfer would pay for that plan.
CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT
    FROM (
      SELECT n.entry_id, n.currency, n.amount,
             (SELECT a.currency FROM public.ledger_ledgeraccount a
              WHERE a.id = n.account_id AND a.is_internal = (n.account_seq IS NULL)) AS account_currency,
             (SELECT e.id FROM public.ledger_entry e
              WHERE e.id = n.entry_id AND e.xid = pg_catalog.pg_current_xact_id()) AS own_entry
      FROM new_postings n
    ) leg
    GROUP BY leg.entry_id, leg.currency
    HAVING sum(leg.amount) <> 0
        OR count(*) FILTER (WHERE leg.account_currency = leg.currency AND leg.own_entry IS NOT NULL) <> count(*)
  ) THEN
    RAISE EXCEPTION 'unbalanced, mixed or foreign postings' USING ERRCODE = 'BK006';
  END IF;
  RETURN NULL;
END $$;
