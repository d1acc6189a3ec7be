-- An account keeps what its postings were made under; it closes only when empty, and stays closed. Every change of
-- status is kept.
CREATE OR REPLACE FUNCTION ledger_guard_account() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.gl_code_id, NEW.kind, NEW.currency, NEW.is_internal, NEW.external_ref, NEW.created_at)
     IS DISTINCT FROM (OLD.id, OLD.gl_code_id, OLD.kind, OLD.currency, OLD.is_internal, OLD.external_ref, OLD.created_at) THEN
    RAISE EXCEPTION 'only name and status of an account may change' USING ERRCODE = 'BK090';
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status THEN
    IF OLD.status = 'CLOSED' THEN
      RAISE EXCEPTION 'account % is closed', OLD.id USING ERRCODE = 'BK017';
    END IF;
    IF NEW.status = 'CLOSED' AND EXISTS (
      SELECT FROM ledger_balance b WHERE b.account_id = OLD.id AND (b.posted <> 0 OR b.held <> 0)
    ) THEN
      RAISE EXCEPTION 'account % is not empty', OLD.id USING ERRCODE = 'BK018';
    END IF;
    INSERT INTO ledger_statuschange (account_id, old_status, new_status) VALUES (OLD.id, OLD.status, NEW.status);
  END IF;
  RETURN NEW;
END $$;
