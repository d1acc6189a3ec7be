-- The last posting of an account at or before a moment: its sequence number and the balance after it (0, 0: none). Booking
-- times never run backwards along an account's sequence and the sequence has no gaps, so the month of the moment is one
-- partition, and inside it a binary search finds the place: twenty index probes for a million postings.
CREATE OR REPLACE FUNCTION ledger_posting_at(p_account bigint, p_at timestamptz, OUT seq bigint, OUT balance bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  low bigint := ledger_first_id(p_at);
  high bigint := ledger_first_id(p_at) + 1000000000000;
  latest timestamptz;
  above bigint;
  middle bigint;
BEGIN
  SELECT b.booked_at, b.seq, b.posted INTO latest, seq, balance FROM ledger_balance b WHERE b.account_id = p_account;
  IF latest IS NULL THEN
    seq := 0; balance := 0;
    RETURN;
  ELSIF latest <= p_at THEN
    RETURN;
  END IF;
  -- The first posting after the moment's month exists unless the account's last one lies in that month.
  above := seq + 1;
  IF ledger_first_id(latest) >= high THEN
    SELECT p.account_seq, p.balance_after - p.amount INTO above, balance FROM ledger_posting p
     WHERE p.account_id = p_account AND p.account_seq IS NOT NULL AND p.entry_id >= high ORDER BY p.account_seq LIMIT 1;
  END IF;
  SELECT p.account_seq INTO seq FROM ledger_posting p
   WHERE p.account_id = p_account AND p.account_seq IS NOT NULL AND p.entry_id >= low AND p.entry_id < high
   ORDER BY p.account_seq LIMIT 1;
  IF seq IS NULL THEN
    seq := above - 1;
    RETURN;
  END IF;
  -- Invariant: the posting `seq` is at or before the moment, the posting `above` is after it.
  seq := seq - 1;
  WHILE above - seq > 1 LOOP
    middle := (seq + above) / 2;
    IF (SELECT p.booked_at FROM ledger_posting p WHERE p.account_id = p_account AND p.account_seq = middle
          AND p.entry_id >= low AND p.entry_id < high) <= p_at THEN
      seq := middle;
    ELSE
      above := middle;
    END IF;
  END LOOP;
  SELECT p.balance_after INTO balance FROM ledger_posting p
   WHERE p.account_id = p_account AND p.account_seq = seq AND p.entry_id >= low AND p.entry_id < high;
  IF NOT FOUND THEN
    -- The moment lies before the month's first posting.
    SELECT p.balance_after - p.amount INTO balance FROM ledger_posting p
     WHERE p.account_id = p_account AND p.account_seq = seq + 1 AND p.entry_id >= low AND p.entry_id < high;
  END IF;
END $$;
