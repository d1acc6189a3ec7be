-- Two legs, one round trip: debit one account, credit another. The two UPDATEs are the locks, taken in id order; the CHECK
-- on the balance row is the last line of defence. A procedure, because CALL needs no plan where SELECT needs one.
CREATE OR REPLACE PROCEDURE ledger_post_transfer(
  p_external_ref uuid, p_debit bigint, p_credit bigint, p_amount bigint, p_kind text, p_description text,
  p_source_kind text, p_source_id text, p_booked_at timestamptz, p_value_date date,
  OUT entry_id bigint, OUT replayed boolean, OUT debit_posted bigint, OUT credit_posted bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  low bigint := least(p_debit, p_credit);
  high bigint := greatest(p_debit, p_credit);
  low_amount bigint := p_amount;
  high_amount bigint := p_amount;
  low_no smallint := 2;
  high_no smallint := 2;
  low_posted bigint; low_seq bigint; low_at timestamptz; low_currency text;
  high_posted bigint; high_seq bigint; high_at timestamptz; high_currency text;
  booked timestamptz;
BEGIN
  IF p_amount <= 0 THEN
    RAISE EXCEPTION 'amount must be above zero' USING ERRCODE = 'BK010';
  ELSIF p_debit = p_credit THEN
    RAISE EXCEPTION 'debit and credit are the same account' USING ERRCODE = 'BK011';
  END IF;
  IF p_debit = low THEN
    low_amount := -p_amount; low_no := 1;
  ELSE
    high_amount := -p_amount; high_no := 1;
  END IF;

  -- First, so that a second caller with the same reference waits here and not with balances locked.
  entry_id := ledger_first_id(p_booked_at) + nextval('ledger_entry_number');
  INSERT INTO ledger_entryreference (external_ref, entry_id) VALUES (p_external_ref, ledger_post_transfer.entry_id)
  ON CONFLICT (external_ref) DO NOTHING;
  IF NOT FOUND THEN
    SELECT r.entry_id, true, r.balances[1], r.balances[2]
      INTO entry_id, replayed, debit_posted, credit_posted
      FROM ledger_replay_entry(p_external_ref, ARRAY[p_debit, p_credit], ARRAY[-p_amount, p_amount],
                               p_kind, p_description, p_source_kind, p_source_id, NULL) r;
    RETURN;
  END IF;

  UPDATE ledger_balance b
     SET posted = b.posted + low_amount, seq = b.seq + 1, booked_at = greatest(b.booked_at, p_booked_at)
   WHERE b.account_id = low AND b.status = 'ACTIVE'
     AND (low_no = 2 OR b.floor IS NULL OR b.posted - b.held + low_amount >= b.floor)
  RETURNING b.posted, b.seq, b.booked_at, b.currency INTO low_posted, low_seq, low_at, low_currency;
  IF low_seq IS NULL THEN
    SELECT a.currency INTO low_currency FROM ledger_ledgeraccount a
     WHERE a.id = low AND a.is_internal AND a.status = 'ACTIVE';
    IF NOT FOUND THEN
      PERFORM ledger_explain_refusal(low, low_amount);
    END IF;
  END IF;
  UPDATE ledger_balance b
     SET posted = b.posted + high_amount, seq = b.seq + 1, booked_at = greatest(b.booked_at, p_booked_at)
   WHERE b.account_id = high AND b.status = 'ACTIVE'
     AND (high_no = 2 OR b.floor IS NULL OR b.posted - b.held + high_amount >= b.floor)
  RETURNING b.posted, b.seq, b.booked_at, b.currency INTO high_posted, high_seq, high_at, high_currency;
  IF high_seq IS NULL THEN
    SELECT a.currency INTO high_currency FROM ledger_ledgeraccount a
     WHERE a.id = high AND a.is_internal AND a.status = 'ACTIVE';
    IF NOT FOUND THEN
      PERFORM ledger_explain_refusal(high, high_amount);
    END IF;
  END IF;
  IF low_currency <> high_currency THEN
    RAISE EXCEPTION 'accounts hold different currencies' USING ERRCODE = 'BK005';
  END IF;

  -- Both balance rows are locked, so this is the time of the entry: never before what either account has seen.
  booked := greatest(p_booked_at, low_at, high_at);
  IF booked > p_booked_at THEN
    entry_id := ledger_move_entry(p_external_ref, entry_id, ARRAY[low, high], p_booked_at, booked);
  END IF;
  -- One statement, because the checks on the two tables ask for each other's rows.
  WITH entry AS (
    INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id)
    VALUES (ledger_post_transfer.entry_id, p_external_ref, p_kind, p_description, booked,
            coalesce(p_value_date, (p_booked_at AT TIME ZONE 'UTC')::date), p_source_kind, p_source_id)
  )
  INSERT INTO ledger_posting (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after, xid)
  VALUES (ledger_post_transfer.entry_id, low_no, low, low_amount, low_currency, booked, low_seq, low_posted,
          CASE WHEN low_seq IS NULL THEN pg_current_xact_id() END),
         (ledger_post_transfer.entry_id, high_no, high, high_amount, high_currency, booked, high_seq, high_posted,
          CASE WHEN high_seq IS NULL THEN pg_current_xact_id() END);
  replayed := false;
  IF low_no = 1 THEN
    debit_posted := low_posted; credit_posted := high_posted;
  ELSE
    debit_posted := high_posted; credit_posted := low_posted;
  END IF;
END $$;
