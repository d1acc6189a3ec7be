-- The sequence number of an account's last posting at or before a moment (0: none).
CREATE OR REPLACE FUNCTION ledger_seq_at(p_account bigint, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN (SELECT w.seq FROM ledger_posting_at(p_account, p_at) w);
END $$;
