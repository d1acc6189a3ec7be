-- VOIDED: given up. EXPIRED: its time has passed. Either way the whole amount is available again.
CREATE OR REPLACE FUNCTION ledger_close_hold(p_hold uuid, p_kind text, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  hold record;
BEGIN
  IF p_kind NOT IN ('VOIDED', 'EXPIRED') THEN
    RAISE EXCEPTION 'a hold closes as VOIDED or EXPIRED' USING ERRCODE = '22023';
  END IF;
  SELECT * INTO hold FROM ledger_release_hold(p_hold);
  IF p_kind = 'EXPIRED' AND hold.expires_at > p_now THEN
    RAISE EXCEPTION 'hold has not expired' USING ERRCODE = 'BK015', DETAIL = json_build_object('hold_id', p_hold);
  END IF;
  INSERT INTO ledger_holdevent (hold_id, kind, amount, happened_at) VALUES (p_hold, p_kind, 0, p_now);
  RETURN hold.account_id;
END $$;
