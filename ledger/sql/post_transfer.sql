-- Two legs, one round trip: debit one account, credit another. One UPDATE moves both balances and is the lock: it walks the
-- index, and that goes through the accounts in id order (a bitmap would not). The CHECK on the balance row is the last line
-- of defence. A procedure, because CALL needs no plan where SELECT needs one.
CREATE OR REPLACE PROCEDURE ledger_post_transfer(
  p_external_ref uuid, p_debit bigint, p_credit bigint, p_amount bigint, p_kind text, p_description text,
  p_source_kind text, p_source_id text, p_booked_at timestamptz, p_value_date date,
  OUT entry_id bigint, OUT replayed boolean, OUT debit_posted bigint, OUT credit_posted bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off
SET enable_bitmapscan = off AS $$
DECLARE
  debit_seq bigint; debit_at timestamptz; debit_currency text;
  credit_seq bigint; credit_at timestamptz; credit_currency text;
  booked timestamptz;
BEGIN
  IF p_amount <= 0 THEN
    RAISE EXCEPTION 'amount must be above zero' USING ERRCODE = 'BK010';
  ELSIF p_debit = p_credit THEN
    RAISE EXCEPTION 'debit and credit are the same account' USING ERRCODE = 'BK011';
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

  WITH moved AS (
    UPDATE ledger_balance b
       SET posted = b.posted + CASE b.account_id WHEN p_debit THEN -p_amount ELSE p_amount END,
           seq = b.seq + 1, booked_at = greatest(b.booked_at, p_booked_at)
     WHERE b.account_id = ANY (ARRAY[p_debit, p_credit]) AND b.status = 'ACTIVE'
       AND (b.account_id = p_credit OR b.floor IS NULL OR b.posted - b.held - p_amount >= b.floor)
    RETURNING b.account_id, b.posted, b.seq, b.booked_at, b.currency
  )
  SELECT d.posted, d.seq, d.booked_at, d.currency, c.posted, c.seq, c.booked_at, c.currency
    INTO debit_posted, debit_seq, debit_at, debit_currency, credit_posted, credit_seq, credit_at, credit_currency
    FROM (SELECT) one
    LEFT JOIN moved d ON d.account_id = p_debit
    LEFT JOIN moved c ON c.account_id = p_credit;
  IF debit_seq IS NULL OR credit_seq IS NULL THEN
    IF debit_seq IS NULL THEN
      SELECT a.currency INTO debit_currency FROM ledger_ledgeraccount a
       WHERE a.id = p_debit AND a.is_internal AND a.status = 'ACTIVE';
    END IF;
    IF credit_seq IS NULL THEN
      SELECT a.currency INTO credit_currency FROM ledger_ledgeraccount a
       WHERE a.id = p_credit AND a.is_internal AND a.status = 'ACTIVE';
    END IF;
    -- Of two refusals the lower account's is told, as in a batch.
    IF debit_currency IS NULL AND (p_debit < p_credit OR credit_currency IS NOT NULL) THEN
      PERFORM ledger_explain_refusal(p_debit, -p_amount);
    ELSIF credit_currency IS NULL THEN
      PERFORM ledger_explain_refusal(p_credit, p_amount);
    END IF;
  END IF;
  IF debit_currency <> credit_currency THEN
    RAISE EXCEPTION 'accounts hold different currencies' USING ERRCODE = 'BK005';
  END IF;

  -- Both balance rows are locked, so this is the time of the entry: never before what either account has seen.
  booked := greatest(p_booked_at, debit_at, credit_at);
  IF booked > p_booked_at THEN
    entry_id := ledger_move_entry(p_external_ref, entry_id, ARRAY[p_debit, p_credit], p_booked_at, booked);
  END IF;
  -- One statement, because the checks on the two tables ask for each other's rows.
  WITH entry AS (
    INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id)
    VALUES (ledger_post_transfer.entry_id, p_external_ref, p_kind, p_description, booked,
            coalesce(p_value_date, (p_booked_at AT TIME ZONE 'UTC')::date), p_source_kind, p_source_id)
  )
  INSERT INTO ledger_posting (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after, xid)
  VALUES (ledger_post_transfer.entry_id, 1, p_debit, -p_amount, debit_currency, booked, debit_seq, debit_posted,
          CASE WHEN debit_seq IS NULL THEN pg_current_xact_id() END),
         (ledger_post_transfer.entry_id, 2, p_credit, p_amount, credit_currency, booked, credit_seq, credit_posted,
          CASE WHEN credit_seq IS NULL THEN pg_current_xact_id() END);
  replayed := false;
END $$;
