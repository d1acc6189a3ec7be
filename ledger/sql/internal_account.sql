-- The bank's own account for a code and a currency, made when it is first asked for.
CREATE OR REPLACE FUNCTION ledger_internal_account(p_gl_code text, p_currency text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  account bigint;
BEGIN
  SELECT a.id INTO account FROM ledger_ledgeraccount a
   WHERE a.gl_code_id = p_gl_code AND a.currency = p_currency AND a.is_internal;
  IF account IS NOT NULL THEN
    RETURN account;
  END IF;
  INSERT INTO ledger_ledgeraccount (gl_code_id, name, kind, currency, is_internal, external_ref)
  SELECT g.code, g.name, g.kind, p_currency, true, gen_random_uuid() FROM ledger_glcode g WHERE g.code = p_gl_code AND g.is_internal
  ON CONFLICT (gl_code_id, currency) WHERE is_internal DO NOTHING
  RETURNING id INTO account;
  IF account IS NULL THEN
    SELECT a.id INTO account FROM ledger_ledgeraccount a
     WHERE a.gl_code_id = p_gl_code AND a.currency = p_currency AND a.is_internal;
  END IF;
  IF account IS NULL THEN
    RAISE EXCEPTION 'no such internal code' USING ERRCODE = 'BK019', DETAIL = json_build_object('gl_code', p_gl_code);
  END IF;
  RETURN account;
END $$;
