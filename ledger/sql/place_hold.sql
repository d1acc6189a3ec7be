-- Reserve money: it stays in the account and cannot be spent. A replay returns the first hold.
CREATE OR REPLACE FUNCTION ledger_place_hold(
  p_external_ref uuid, p_account bigint, p_amount bigint, p_expires_at timestamptz,
  p_source_kind text, p_source_id text, p_placed_at timestamptz,
  OUT hold_id uuid, OUT replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  taken boolean;
BEGIN
  IF p_amount <= 0 THEN
    RAISE EXCEPTION 'amount must be above zero' USING ERRCODE = 'BK010';
  ELSIF p_expires_at <= p_placed_at THEN
    RAISE EXCEPTION 'hold expires before it starts' USING ERRCODE = 'BK008', DETAIL = '{"state": "EXPIRED"}';
  END IF;
  INSERT INTO ledger_hold (id, external_ref, account_id, amount, expires_at, source_kind, source_id, placed_at)
  VALUES (gen_random_uuid(), p_external_ref, p_account, p_amount, p_expires_at, p_source_kind, p_source_id, p_placed_at)
  ON CONFLICT (external_ref) DO NOTHING
  RETURNING id INTO hold_id;
  IF hold_id IS NULL THEN
    SELECT h.id, true INTO hold_id, replayed FROM ledger_hold h
     WHERE h.external_ref = p_external_ref
       AND (h.account_id, h.amount, h.source_kind, h.source_id) = (p_account, p_amount, p_source_kind, p_source_id);
    IF hold_id IS NULL THEN
      RAISE EXCEPTION 'external_ref was used with other content' USING ERRCODE = 'BK007',
        DETAIL = json_build_object('external_ref', p_external_ref);
    END IF;
    RETURN;
  END IF;
  UPDATE ledger_balance b SET held = b.held + p_amount
   WHERE b.account_id = p_account AND b.status = 'ACTIVE'
     AND (b.floor IS NULL OR b.posted - b.held - p_amount >= b.floor)
  RETURNING true INTO taken;
  IF taken IS NULL THEN
    PERFORM ledger_explain_refusal(p_account, p_amount);
    -- Only an internal account comes back from there, and its money is not for anyone to reserve.
    RAISE EXCEPTION 'internal accounts take no holds' USING ERRCODE = 'BK004', DETAIL = json_build_object('account_id', p_account);
  END IF;
  replayed := false;
END $$;
