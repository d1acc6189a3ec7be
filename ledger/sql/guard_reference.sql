-- A reference never changes, except that its number may move to a later month before anything is written under it.
CREATE OR REPLACE FUNCTION ledger_guard_reference() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (NEW.external_ref, NEW.xid) IS DISTINCT FROM (OLD.external_ref, OLD.xid) OR NEW.reverses_id IS DISTINCT FROM OLD.reverses_id
     OR OLD.xid <> pg_current_xact_id() OR (NEW.entry_id - OLD.entry_id) % 1000000000000 <> 0
     OR EXISTS (SELECT FROM ledger_entry e WHERE e.id = OLD.entry_id)
     OR EXISTS (SELECT FROM ledger_posting p WHERE p.entry_id = OLD.entry_id) THEN
    RAISE EXCEPTION 'UPDATE on ledger_entryreference is not allowed: the ledger is append-only' USING ERRCODE = 'BK090';
  END IF;
  RETURN NEW;
END $$;
