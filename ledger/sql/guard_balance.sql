-- Internal accounts have no balance row: it would make all postings wait for each other, and their legs have no sequence.
CREATE OR REPLACE FUNCTION ledger_guard_balance() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (SELECT a.is_internal FROM ledger_ledgeraccount a WHERE a.id = NEW.account_id) IS NOT FALSE THEN
    RAISE EXCEPTION 'account % takes no balance row', NEW.account_id USING ERRCODE = 'BK090';
  END IF;
  RETURN NEW;
END $$;
