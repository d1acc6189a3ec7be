-- The answer to a reference that was used before: the first entry, when the content is the same; else a refusal.
-- Booking time and value date are not compared: a retry reads the clock again.
CREATE OR REPLACE FUNCTION ledger_replay_entry(
  p_external_ref uuid, p_accounts bigint[], p_amounts bigint[], p_kind text, p_description text,
  p_source_kind text, p_source_id text, p_reverses bigint,
  OUT entry_id bigint, OUT accounts bigint[], OUT balances bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  amounts bigint[];
BEGIN
  SELECT e.id INTO entry_id
    FROM ledger_entryreference r JOIN ledger_entry e ON e.id = r.entry_id
   WHERE r.external_ref = p_external_ref
     AND (e.kind, e.description, e.source_kind, e.source_id) = (p_kind, p_description, p_source_kind, p_source_id)
     AND e.reverses_id IS NOT DISTINCT FROM p_reverses;
  SELECT array_agg(p.account_id ORDER BY p.no), array_agg(p.amount ORDER BY p.no), array_agg(p.balance_after ORDER BY p.no)
    INTO accounts, amounts, balances
    FROM ledger_posting p
   WHERE p.entry_id = ledger_replay_entry.entry_id;
  IF accounts IS DISTINCT FROM p_accounts OR amounts IS DISTINCT FROM p_amounts THEN
    RAISE EXCEPTION 'external_ref was used with other content' USING ERRCODE = 'BK007',
      DETAIL = json_build_object('external_ref', p_external_ref);
  END IF;
END $$;
