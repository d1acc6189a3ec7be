-- After every INSERT into ledger_entry: each entry repeats what this very transaction wrote into ledger_entryreference, the
-- table that is not divided by month and so can keep a reference and a reversal unique over all time.
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM new_entries n
     WHERE (SELECT r.external_ref FROM public.ledger_entryreference r
             WHERE r.entry_id = n.id AND r.xid = pg_catalog.pg_current_xact_id() AND n.xid = r.xid
               AND r.reverses_id IS NOT DISTINCT FROM n.reverses_id) IS DISTINCT FROM n.external_ref
  ) THEN
    RAISE EXCEPTION 'entry without its reference' USING ERRCODE = 'BK006';
  END IF;
  RETURN NULL;
END $$;
