-- After every INSERT into ledger_entry: each entry repeats its row in ledger_entryreference (the table that is not divided by
-- month and so keeps a reference and a reversal unique over all time), lies in the month of its number, was given this
-- transaction's id, and has postings. The postings ask for their entry in turn, so both come in one statement.
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  first bigint;
  last bigint;
  fine boolean;
BEGIN
  -- One entry: this is most of them. Without aggregates, because each costs more to set up than to work out.
  SELECT f.id INTO first
    FROM (SELECT n.id FROM new_entries n LIMIT 1) f
   WHERE NOT EXISTS (
     SELECT FROM new_entries n
      WHERE (n.id = f.id AND n.xid = pg_catalog.pg_current_xact_id()
             AND n.id >= public.ledger_first_id(n.booked_at) AND n.id < public.ledger_first_id(n.booked_at) + 1000000000000
             AND (SELECT r.entry_id FROM public.ledger_entryreference r
                   WHERE r.external_ref = n.external_ref AND r.reverses_id IS NOT DISTINCT FROM n.reverses_id) = n.id
            ) IS NOT TRUE);
  IF first IS NULL THEN
    SELECT min(n.id), max(n.id), bool_and((
             n.xid = pg_catalog.pg_current_xact_id()
             AND n.id >= public.ledger_first_id(n.booked_at) AND n.id < public.ledger_first_id(n.booked_at) + 1000000000000
             AND (SELECT r.entry_id FROM public.ledger_entryreference r
                   WHERE r.external_ref = n.external_ref AND r.reverses_id IS NOT DISTINCT FROM n.reverses_id) = n.id
           ) IS TRUE)
      INTO first, last, fine
      FROM new_entries n;
    IF NOT fine THEN
      RAISE EXCEPTION 'entry without its reference, or in another month' USING ERRCODE = 'BK006';
    END IF;
    fine := NOT EXISTS (
      SELECT FROM new_entries n WHERE NOT EXISTS (
        SELECT FROM public.ledger_posting p WHERE p.entry_id = n.id AND p.entry_id >= first AND p.entry_id <= last OFFSET 0));
  ELSE
    fine := EXISTS (SELECT FROM public.ledger_posting p WHERE p.entry_id = first);
  END IF;
  IF NOT fine THEN
    RAISE EXCEPTION 'journal entry without postings' USING ERRCODE = 'BK006';
  END IF;
  RETURN NULL;
END $$;
