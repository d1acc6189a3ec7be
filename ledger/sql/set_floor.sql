-- How far an account may go down: 0 for none below zero, -50000 for an overdraft of 500.00, NULL for no limit.
CREATE OR REPLACE FUNCTION ledger_set_floor(p_account bigint, p_floor bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  available bigint;
BEGIN
  SELECT b.posted - b.held INTO available FROM ledger_balance b WHERE b.account_id = p_account FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown account' USING ERRCODE = 'BK004', DETAIL = json_build_object('account_id', p_account);
  ELSIF p_floor > available THEN
    RAISE EXCEPTION 'floor is above what is available' USING ERRCODE = 'BK020',
      DETAIL = json_build_object('account_id', p_account, 'available_minor', available);
  END IF;
  UPDATE ledger_balance b SET floor = p_floor WHERE b.account_id = p_account;
END $$;
