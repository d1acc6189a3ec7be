-- The sequence number of an account's last posting at or before a moment (0: none). Booking times never run backwards along
-- an account's sequence and the sequence has no gaps, so this is a binary search: twenty index probes for a million postings.
CREATE OR REPLACE FUNCTION ledger_seq_at(p_account bigint, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  below bigint := 0;
  above bigint;
  middle bigint;
  latest timestamptz;
BEGIN
  SELECT b.seq, b.booked_at INTO above, latest FROM ledger_balance b WHERE b.account_id = p_account;
  IF latest <= p_at THEN
    RETURN above;
  END IF;
  -- Invariant: the posting `below` is at or before the moment, the posting `above` is after it.
  WHILE above - below > 1 LOOP
    middle := (below + above) / 2;
    IF (SELECT p.booked_at FROM ledger_posting p WHERE p.account_id = p_account AND p.account_seq = middle) <= p_at THEN
      below := middle;
    ELSE
      above := middle;
    END IF;
  END LOOP;
  RETURN below;
END $$;
