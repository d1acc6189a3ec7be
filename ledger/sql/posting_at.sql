-- The last posting of an account at or before a moment: its sequence number and the balance after it (0, 0: none). Booking
-- times never run backwards along an account's sequence and the sequence has no gaps, so the month of the moment is one
-- partition, and inside it a binary search finds the place: twenty index probes for a million postings. They are one
-- statement, because setting one up for a table of many months costs ten times what a probe does.
CREATE OR REPLACE FUNCTION ledger_posting_at(p_account bigint, p_at timestamptz, OUT seq bigint, OUT balance bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  low bigint := ledger_first_id(p_at);
  high bigint := ledger_first_id(p_at) + 1000000000000;
  latest timestamptz;
  above bigint;
BEGIN
  SELECT b.booked_at, b.seq, b.posted INTO latest, seq, balance FROM ledger_balance b WHERE b.account_id = p_account;
  IF latest IS NULL THEN
    seq := 0; balance := 0;
    RETURN;
  ELSIF latest <= p_at THEN
    RETURN;
  END IF;
  SELECT (SELECT p.account_seq FROM ledger_posting p
           WHERE p.account_id = p_account AND p.account_seq IS NOT NULL AND p.entry_id >= low AND p.entry_id < high
           ORDER BY p.account_seq LIMIT 1),
         (SELECT p.account_seq + 1 FROM ledger_posting p
           WHERE p.account_id = p_account AND p.account_seq IS NOT NULL AND p.entry_id >= low AND p.entry_id < high
           ORDER BY p.account_seq DESC LIMIT 1)
    INTO seq, above;
  IF seq IS NULL THEN
    -- Nothing in this month, so the first posting of the months after it comes next: there is one, for `latest` is later.
    SELECT p.account_seq - 1, p.balance_after - p.amount INTO seq, balance FROM ledger_posting p
     WHERE p.account_id = p_account AND p.account_seq IS NOT NULL AND p.entry_id >= high ORDER BY p.account_seq LIMIT 1;
    RETURN;
  END IF;
  -- Invariant: the posting `lower` is at or before the moment, the posting `upper` is after it.
  WITH RECURSIVE search AS (
    SELECT ledger_posting_at.seq - 1 AS lower, above AS upper
    UNION ALL
    SELECT CASE WHEN half.before THEN half.middle ELSE half.lower END, CASE WHEN half.before THEN half.upper ELSE half.middle END
      FROM (SELECT s.lower, s.upper, (s.lower + s.upper) / 2 AS middle,
                   (SELECT p.booked_at FROM ledger_posting p
                     WHERE p.account_id = p_account AND p.account_seq = (s.lower + s.upper) / 2
                       AND p.entry_id >= low AND p.entry_id < high) <= p_at AS before
              FROM search s WHERE s.upper - s.lower > 1) half
  )
  SELECT s.lower INTO seq FROM search s WHERE s.upper - s.lower = 1;
  SELECT p.balance_after INTO balance FROM ledger_posting p
   WHERE p.account_id = p_account AND p.account_seq = seq AND p.entry_id >= low AND p.entry_id < high;
  IF NOT FOUND THEN
    -- The moment lies before the month's first posting.
    SELECT p.balance_after - p.amount INTO balance FROM ledger_posting p
     WHERE p.account_id = p_account AND p.account_seq = seq + 1 AND p.entry_id >= low AND p.entry_id < high;
  END IF;
END $$;
