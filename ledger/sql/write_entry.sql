-- Any number of legs. Not granted to anyone: ledger_post_entry, ledger_post_hold and ledger_reverse_entry call it.
-- One account may appear in several legs; its floor is checked on their sum.
-- Array parameters would be planned anew on every call; the generic plan measured 1.6 times as fast.
CREATE OR REPLACE FUNCTION ledger_write_entry(
  p_external_ref uuid, p_accounts bigint[], p_amounts bigint[], p_kind text, p_description text,
  p_source_kind text, p_source_id text, p_booked_at timestamptz, p_value_date date, p_reverses bigint,
  OUT entry_id bigint, OUT replayed boolean, OUT accounts bigint[], OUT balances bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  refused record;
  booked timestamptz;
BEGIN
  IF cardinality(p_accounts) <> cardinality(p_amounts) OR array_position(p_accounts, NULL) IS NOT NULL
     OR array_position(p_amounts, NULL) IS NOT NULL OR array_position(p_amounts, 0) IS NOT NULL THEN
    RAISE EXCEPTION 'every leg needs an account and an amount other than zero' USING ERRCODE = 'BK010';
  ELSIF cardinality(p_accounts) < 2 THEN
    RAISE EXCEPTION 'an entry has at least two legs' USING ERRCODE = 'BK006';
  END IF;
  entry_id := ledger_first_id(p_booked_at) + nextval('ledger_entry_number');
  INSERT INTO ledger_entryreference (external_ref, entry_id, reverses_id)
  VALUES (p_external_ref, ledger_write_entry.entry_id, p_reverses)
  ON CONFLICT (external_ref) DO NOTHING;
  IF NOT FOUND THEN
    SELECT r.entry_id, true, r.accounts, r.balances INTO entry_id, replayed, accounts, balances
      FROM ledger_replay_entry(p_external_ref, p_accounts, p_amounts, p_kind, p_description,
                               p_source_kind, p_source_id, p_reverses) r;
    RETURN;
  END IF;

  SELECT greatest(p_booked_at, max(locked.booked_at)) INTO booked
    FROM (SELECT b.booked_at FROM ledger_balance b
           WHERE b.account_id = ANY (p_accounts) ORDER BY b.account_id FOR NO KEY UPDATE) locked;
  FOR refused IN
    SELECT total.account_id, total.amount
      FROM (SELECT l.account_id, sum(l.amount)::bigint AS amount
              FROM unnest(p_accounts, p_amounts) l(account_id, amount) GROUP BY l.account_id) total
     WHERE NOT EXISTS (
       SELECT FROM ledger_balance b
        WHERE b.account_id = total.account_id AND b.status = 'ACTIVE'
          AND (b.floor IS NULL OR total.amount >= 0 OR b.posted - b.held + total.amount >= b.floor))
     ORDER BY total.account_id
  LOOP
    PERFORM ledger_explain_refusal(refused.account_id, refused.amount);
  END LOOP;

  IF booked > p_booked_at THEN
    entry_id := ledger_move_entry(p_external_ref, entry_id, p_accounts, p_booked_at, booked);
  END IF;
  -- One statement, because the checks on the two tables ask for each other's rows.
  WITH leg AS (
    SELECT l.account_id, l.amount, l.no,
           count(*) OVER w AS nth, (sum(l.amount) OVER w)::bigint AS running, count(*) OVER (PARTITION BY l.account_id) AS legs
      FROM unnest(p_accounts, p_amounts) WITH ORDINALITY l(account_id, amount, no)
    WINDOW w AS (PARTITION BY l.account_id ORDER BY l.no)
  ), updated AS (
    UPDATE ledger_balance b
       SET posted = b.posted + total.running, seq = b.seq + total.legs, booked_at = booked
      FROM (SELECT leg.account_id, leg.running, leg.legs FROM leg WHERE leg.nth = leg.legs) total
     WHERE b.account_id = total.account_id
    RETURNING b.account_id, b.posted - total.running AS before, b.seq - total.legs AS seq_before
  ), entry AS (
    INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id, reverses_id)
    VALUES (ledger_write_entry.entry_id, p_external_ref, p_kind, p_description, booked,
            coalesce(p_value_date, (p_booked_at AT TIME ZONE 'UTC')::date), p_source_kind, p_source_id, p_reverses)
  ), written AS (
    INSERT INTO ledger_posting (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after, xid)
    SELECT ledger_write_entry.entry_id, leg.no, leg.account_id, leg.amount,
           (SELECT a.currency FROM ledger_ledgeraccount a WHERE a.id = leg.account_id),
           booked, u.seq_before + leg.nth, u.before + leg.running,
           CASE WHEN u.account_id IS NULL THEN pg_current_xact_id() END
      FROM leg LEFT JOIN updated u ON u.account_id = leg.account_id
     ORDER BY leg.no
    RETURNING no, account_id, balance_after
  )
  SELECT false, array_agg(w.account_id ORDER BY w.no), array_agg(w.balance_after ORDER BY w.no)
    INTO replayed, accounts, balances
    FROM written w;
END $$;
