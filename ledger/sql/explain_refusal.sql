-- Called when the posting functions found no balance row that takes the amount. Returns the currency of an active
-- internal account (which has no balance row, so there is nothing to lock or to refuse) and raises in every other case.
-- DETAIL is JSON for the service, never text for a person.
CREATE OR REPLACE FUNCTION ledger_explain_refusal(p_account bigint, p_amount bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  account record;
BEGIN
  SELECT a.currency, a.is_internal, a.status, b.posted - b.held - b.floor AS available
    INTO account
    FROM ledger_ledgeraccount a LEFT JOIN ledger_balance b ON b.account_id = a.id
   WHERE a.id = p_account;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown account' USING ERRCODE = 'BK004', DETAIL = json_build_object('account_id', p_account);
  ELSIF account.status = 'FROZEN' THEN
    RAISE EXCEPTION 'account is frozen' USING ERRCODE = 'BK002', DETAIL = json_build_object('account_id', p_account);
  ELSIF account.status = 'CLOSED' THEN
    RAISE EXCEPTION 'account is closed' USING ERRCODE = 'BK003', DETAIL = json_build_object('account_id', p_account);
  ELSIF account.is_internal THEN
    RETURN account.currency;
  END IF;
  RAISE EXCEPTION 'insufficient funds' USING ERRCODE = 'BK001', DETAIL = json_build_object(
    'account_id', p_account, 'available_minor', account.available, 'amount_minor', abs(p_amount));
END $$;
