-- At commit: a reference has its entry, and the entry has postings. What those add up to was checked when they were inserted.
CREATE OR REPLACE FUNCTION ledger_check_reference() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  number bigint := NEW.entry_id;
BEGIN
  -- The number may have moved to another month before the entry was written.
  IF NOT EXISTS (SELECT FROM public.ledger_posting p WHERE p.entry_id = number) THEN
    SELECT r.entry_id INTO number FROM public.ledger_entryreference r WHERE r.external_ref = NEW.external_ref;
    IF NOT EXISTS (SELECT FROM public.ledger_posting p WHERE p.entry_id = number) THEN
      RAISE EXCEPTION 'journal entry % has no postings', number USING ERRCODE = 'BK006';
    END IF;
  END IF;
  IF NOT EXISTS (SELECT FROM public.ledger_entry e WHERE e.id = number) THEN
    RAISE EXCEPTION 'journal entry % was not written', number USING ERRCODE = 'BK006';
  END IF;
  RETURN NULL;
END $$;
