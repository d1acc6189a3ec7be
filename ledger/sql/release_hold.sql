-- Lock the account of a hold, see that the hold is active, and give its amount back. Not granted to anyone: closing and
-- posting a hold begin with it and end by writing the terminal event.
CREATE OR REPLACE FUNCTION ledger_release_hold(p_hold uuid, OUT account_id bigint, OUT amount bigint, OUT expires_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  ended text;
BEGIN
  SELECT h.account_id, h.amount, h.expires_at INTO account_id, amount, expires_at FROM ledger_hold h WHERE h.id = p_hold;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown hold' USING ERRCODE = 'BK013', DETAIL = json_build_object('hold_id', p_hold);
  END IF;
  -- Whatever the account's status: a hold on a frozen account can still be released. Every end of a hold takes this lock.
  PERFORM FROM ledger_balance b WHERE b.account_id = ledger_release_hold.account_id FOR NO KEY UPDATE;
  SELECT v.kind INTO ended FROM ledger_holdevent v WHERE v.hold_id = p_hold;
  IF FOUND THEN
    RAISE EXCEPTION 'hold has ended' USING ERRCODE = 'BK008', DETAIL = json_build_object('hold_id', p_hold, 'state', ended);
  END IF;
  UPDATE ledger_balance b SET held = b.held - ledger_release_hold.amount WHERE b.account_id = ledger_release_hold.account_id;
END $$;
