-- Turn a hold into an entry, in full or in part; the rest becomes available again. The legs may take at most the held amount
-- from the hold's account.
CREATE OR REPLACE FUNCTION ledger_post_hold(
  p_hold uuid, p_external_ref uuid, p_accounts bigint[], p_amounts bigint[], p_kind text, p_description text,
  p_source_kind text, p_source_id text, p_booked_at timestamptz, p_value_date date,
  OUT entry_id bigint, OUT replayed boolean, OUT accounts bigint[], OUT balances bigint[])
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
  hold record;
  used bigint;
BEGIN
  -- All locks before the first write, in id order, so that two callers with shared accounts cannot wait for each other.
  PERFORM FROM ledger_balance b
    WHERE b.account_id = ANY (p_accounts || (SELECT h.account_id FROM ledger_hold h WHERE h.id = p_hold))
    ORDER BY b.account_id FOR NO KEY UPDATE;
  IF EXISTS (SELECT FROM ledger_holdevent v JOIN ledger_entry e ON e.id = v.entry_id
              WHERE v.hold_id = p_hold AND e.external_ref = p_external_ref) THEN
    SELECT r.entry_id, true, r.accounts, r.balances INTO entry_id, replayed, accounts, balances
      FROM ledger_replay_entry(p_external_ref, p_accounts, p_amounts, p_kind, p_description,
                               p_source_kind, p_source_id, NULL) r;
    RETURN;
  END IF;
  SELECT * INTO hold FROM ledger_release_hold(p_hold);
  SELECT -sum(l.amount) INTO used FROM unnest(p_accounts, p_amounts) l(account_id, amount) WHERE l.account_id = hold.account_id;
  IF used IS NULL OR used <= 0 OR used > hold.amount THEN
    RAISE EXCEPTION 'hold does not cover these legs' USING ERRCODE = 'BK014',
      DETAIL = json_build_object('hold_id', p_hold, 'held_minor', hold.amount, 'amount_minor', used);
  ELSIF hold.expires_at <= p_booked_at THEN
    RAISE EXCEPTION 'hold has expired' USING ERRCODE = 'BK008', DETAIL = json_build_object('hold_id', p_hold, 'state', 'EXPIRED');
  END IF;
  SELECT w.entry_id, w.replayed, w.accounts, w.balances INTO entry_id, replayed, accounts, balances
    FROM ledger_write_entry(p_external_ref, p_accounts, p_amounts, p_kind, p_description,
                            p_source_kind, p_source_id, p_booked_at, p_value_date, NULL) w;
  IF replayed THEN
    RAISE EXCEPTION 'external_ref belongs to an entry of another origin' USING ERRCODE = 'BK007',
      DETAIL = json_build_object('external_ref', p_external_ref);
  END IF;
  INSERT INTO ledger_holdevent (hold_id, kind, amount, entry_id, happened_at)
  VALUES (p_hold, 'POSTED', used, ledger_post_hold.entry_id, p_booked_at);
END $$;
