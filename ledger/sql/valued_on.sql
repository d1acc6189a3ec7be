-- What an account held on a day by value date, in minor units: its daily balance, and what was posted since that was taken.
-- NULL: there is no such account.
CREATE OR REPLACE FUNCTION ledger_valued_on(p_account bigint, p_day date) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  internal boolean;
  seen_seq bigint;
  seen_cut xid8;
  result bigint;
  newer bigint;
BEGIN
  SELECT a.is_internal, coalesce(m.seq, 0), coalesce(m.cut, '0'::xid8) INTO internal, seen_seq, seen_cut
    FROM ledger_ledgeraccount a LEFT JOIN ledger_dailymark m ON m.account_id = a.id WHERE a.id = p_account;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT d.valued INTO result FROM ledger_dailybalance d
   WHERE d.account_id = p_account AND d.day <= p_day ORDER BY d.day DESC LIMIT 1;
  IF internal THEN
    SELECT sum(p.amount) INTO newer FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
     WHERE p.account_id = p_account AND p.account_seq IS NULL AND p.xid >= seen_cut AND e.value_date <= p_day;
  ELSE
    SELECT sum(p.amount) INTO newer FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
     WHERE p.account_id = p_account AND p.account_seq > seen_seq AND e.value_date <= p_day;
  END IF;
  RETURN coalesce(result, 0) + coalesce(newer, 0);
END $$;
