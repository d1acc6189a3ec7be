-- At commit: an entry has postings. What those add up to was checked when they were inserted.
CREATE OR REPLACE FUNCTION ledger_check_entry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.ledger_posting p WHERE p.entry_id = NEW.id) THEN
    RAISE EXCEPTION 'journal entry % has no postings', NEW.id USING ERRCODE = 'BK006';
  END IF;
  RETURN NULL;
END $$;
