-- The mirror image of an entry, once. The unique index on reverses_id decides between two callers.
CREATE OR REPLACE FUNCTION ledger_reverse_entry(
  p_entry bigint, p_external_ref uuid, p_description text, p_source_kind text, p_source_id text, p_booked_at timestamptz,
  OUT entry_id bigint, OUT replayed boolean, OUT accounts bigint[], OUT balances bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  reversed_already boolean;
  reversal_of bigint;
  leg_accounts bigint[];
  leg_amounts bigint[];
BEGIN
  SELECT e.reverses_id INTO reversal_of FROM ledger_entry e WHERE e.id = p_entry;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown entry' USING ERRCODE = 'BK012', DETAIL = json_build_object('entry_id', p_entry);
  ELSIF reversal_of IS NOT NULL THEN
    RAISE EXCEPTION 'entry is a reversal' USING ERRCODE = 'BK016', DETAIL = json_build_object('entry_id', p_entry);
  END IF;
  SELECT true INTO reversed_already FROM ledger_entryreference r
   WHERE r.reverses_id = p_entry AND r.external_ref <> p_external_ref;
  IF reversed_already THEN
    RAISE EXCEPTION 'entry was reversed before' USING ERRCODE = 'BK009', DETAIL = json_build_object('entry_id', p_entry);
  END IF;
  SELECT array_agg(p.account_id ORDER BY p.no), array_agg(-p.amount ORDER BY p.no)
    INTO leg_accounts, leg_amounts FROM ledger_posting p WHERE p.entry_id = p_entry;
  SELECT w.entry_id, w.replayed, w.accounts, w.balances INTO entry_id, replayed, accounts, balances
    FROM ledger_write_entry(p_external_ref, leg_accounts, leg_amounts, 'reversal', p_description,
                            p_source_kind, p_source_id, p_booked_at, NULL, p_entry) w;
EXCEPTION
  WHEN unique_violation THEN
    RAISE EXCEPTION 'entry was reversed before' USING ERRCODE = 'BK009', DETAIL = json_build_object('entry_id', p_entry);
END $$;
