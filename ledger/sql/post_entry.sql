-- The general posting: signed amounts (credit positive), two legs or more. Every refusal undoes all of it.
CREATE OR REPLACE FUNCTION ledger_post_entry(
  p_external_ref uuid, p_accounts bigint[], p_amounts bigint[], p_kind text, p_description text,
  p_source_kind text, p_source_id text, p_booked_at timestamptz, p_value_date date,
  OUT entry_id bigint, OUT replayed boolean, OUT accounts bigint[], OUT balances bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  SELECT w.entry_id, w.replayed, w.accounts, w.balances INTO entry_id, replayed, accounts, balances
    FROM ledger_write_entry(p_external_ref, p_accounts, p_amounts, p_kind, p_description,
                            p_source_kind, p_source_id, p_booked_at, p_value_date, NULL) w;
END $$;
