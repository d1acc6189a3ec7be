-- A reference stays as it is from the moment that its entry is written. Before that its number may move to another month, and a
-- reference whose item a batch refused is free again.
CREATE OR REPLACE FUNCTION ledger_guard_reference() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM ledger_entry e WHERE e.id = OLD.entry_id) OR (TG_OP = 'UPDATE' AND (
       NEW.external_ref <> OLD.external_ref OR NEW.reverses_id IS DISTINCT FROM OLD.reverses_id
       OR (NEW.entry_id - OLD.entry_id) % 1000000000000 <> 0)) THEN
    RAISE EXCEPTION '% on ledger_entryreference is not allowed: the ledger is append-only', TG_OP USING ERRCODE = 'BK090';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
