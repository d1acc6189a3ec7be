-- A customer-level account with a balance row. The same reference again returns the same account.
CREATE OR REPLACE FUNCTION ledger_open_account(
  p_gl_code text, p_currency text, p_name text, p_floor bigint, p_external_ref uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  account bigint;
BEGIN
  INSERT INTO ledger_ledgeraccount (gl_code_id, name, kind, currency, is_internal, external_ref)
  SELECT g.code, p_name, g.kind, p_currency, false, p_external_ref FROM ledger_glcode g WHERE g.code = p_gl_code AND NOT g.is_internal
  ON CONFLICT (external_ref) DO NOTHING
  RETURNING id INTO account;
  IF account IS NOT NULL THEN
    INSERT INTO ledger_balance (account_id, floor, currency, status) VALUES (account, p_floor, p_currency, 'ACTIVE');
    RETURN account;
  END IF;
  IF NOT EXISTS (SELECT FROM ledger_glcode g WHERE g.code = p_gl_code AND NOT g.is_internal) THEN
    RAISE EXCEPTION 'no such code for an account' USING ERRCODE = 'BK019', DETAIL = json_build_object('gl_code', p_gl_code);
  END IF;
  SELECT a.id INTO account FROM ledger_ledgeraccount a
   WHERE a.external_ref = p_external_ref AND (a.gl_code_id, a.currency, a.is_internal) = (p_gl_code, p_currency, false);
  IF account IS NULL THEN
    RAISE EXCEPTION 'external_ref was used with other content' USING ERRCODE = 'BK007',
      DETAIL = json_build_object('external_ref', p_external_ref);
  END IF;
  RETURN account;
END $$;
