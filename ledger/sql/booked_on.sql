-- What an account held at the end of a day (UTC), by time of booking: its daily balance where that is complete, else as
-- ledger_balance_at finds it. NULL: there is no such account.
CREATE OR REPLACE FUNCTION ledger_booked_on(p_account bigint, p_day date) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  internal boolean;
  seen_seq bigint;
  seen_cut xid8;
  first_new timestamptz;
  ending timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond';
  result bigint;
BEGIN
  SELECT a.is_internal, m.seq, m.cut INTO internal, seen_seq, seen_cut
    FROM ledger_ledgeraccount a LEFT JOIN ledger_dailymark m ON m.account_id = a.id WHERE a.id = p_account;
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF seen_seq IS NULL THEN
    RETURN ledger_balance_at(p_account, ending);
  END IF;
  SELECT d.booked INTO result FROM ledger_dailybalance d
   WHERE d.account_id = p_account AND d.day <= p_day ORDER BY d.day DESC LIMIT 1;
  IF internal THEN
    RETURN coalesce(result, 0) + coalesce((
      SELECT sum(p.amount) FROM ledger_posting p
       WHERE p.account_id = p_account AND p.account_seq IS NULL AND p.xid >= seen_cut AND p.booked_at <= ending), 0);
  END IF;
  -- Booking times never run backwards along an account, so what comes after the first new posting is not older either.
  SELECT p.booked_at INTO first_new FROM ledger_posting p
   WHERE p.account_id = p_account AND p.account_seq > seen_seq ORDER BY p.account_seq LIMIT 1;
  IF first_new <= ending THEN
    RETURN ledger_balance_at(p_account, ending);
  END IF;
  RETURN coalesce(result, 0);
END $$;
