-- What an account held at a moment, in minor units. Internal accounts: the newest snapshot that lies wholly before the moment,
-- plus the postings after it.
CREATE OR REPLACE FUNCTION ledger_balance_at(p_account bigint, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  snapshot_cut xid8 := '0';
  snapshot_balance bigint := 0;
  is_internal boolean;
  result bigint;
BEGIN
  SELECT a.is_internal INTO is_internal FROM ledger_ledgeraccount a WHERE a.id = p_account;
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF NOT is_internal THEN
    RETURN (SELECT w.balance FROM ledger_posting_at(p_account, p_at) w);
  END IF;
  SELECT s.cut, s.balance INTO snapshot_cut, snapshot_balance FROM ledger_balancesnapshot s
   WHERE s.account_id = p_account AND s.last_booked_at <= p_at ORDER BY s.cut DESC LIMIT 1;
  SELECT coalesce(snapshot_balance, 0) + coalesce(sum(p.amount), 0) INTO result FROM ledger_posting p
   WHERE p.account_id = p_account AND p.account_seq IS NULL AND p.xid >= coalesce(snapshot_cut, '0'::xid8)
     AND p.booked_at <= p_at AND p.entry_id < ledger_first_id(p_at) + 1000000000000;
  RETURN result;
END $$;
