-- Freeze, release or close. The balance row is locked first, as posting does, so the two never wait for each other, and a
-- posting that comes later sees the new status.
CREATE OR REPLACE FUNCTION ledger_set_status(p_account bigint, p_status text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  previous text;
BEGIN
  PERFORM FROM ledger_balance b WHERE b.account_id = p_account FOR UPDATE;
  SELECT a.status INTO previous FROM ledger_ledgeraccount a WHERE a.id = p_account FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown account' USING ERRCODE = 'BK004', DETAIL = json_build_object('account_id', p_account);
  END IF;
  IF previous <> p_status THEN
    UPDATE ledger_ledgeraccount a SET status = p_status WHERE a.id = p_account;
  END IF;
  RETURN previous;
END $$;
