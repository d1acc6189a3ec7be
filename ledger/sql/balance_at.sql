-- What an account held at a moment, in minor units. Internal accounts: the newest snapshot that lies wholly before the moment,
-- and after it only the stretches that can hold something booked by then: up to the first snapshot that ends more than a
-- minute after the moment, then the late ones, then what no snapshot has yet. Each is found by an index.
CREATE OR REPLACE FUNCTION ledger_balance_at(p_account bigint, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  is_internal boolean;
  result bigint := 0;
  -- The stretch between two snapshots around the moment, and the end of all snapshots.
  low xid8 := '0';
  high xid8;
  newest xid8;
  above bigint := ledger_first_id(p_at) + 1000000000000;
  late record;
BEGIN
  SELECT a.is_internal INTO is_internal FROM ledger_ledgeraccount a WHERE a.id = p_account;
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF NOT is_internal THEN
    RETURN (SELECT w.balance FROM ledger_posting_at(p_account, p_at) w);
  END IF;
  SELECT s.cut, s.balance INTO low, result FROM ledger_balancesnapshot s
   WHERE s.account_id = p_account AND s.last_booked_at <= p_at ORDER BY s.last_booked_at DESC, s.cut DESC LIMIT 1;
  low := coalesce(low, '0'::xid8);
  result := coalesce(result, 0);
  SELECT s.cut INTO high FROM ledger_balancesnapshot s
   WHERE s.account_id = p_account AND s.last_booked_at > p_at + interval '1 minute'
   ORDER BY s.last_booked_at, s.cut LIMIT 1;
  IF high IS NOT NULL THEN
    FOR late IN
      SELECT s.cut, (SELECT b.cut FROM ledger_balancesnapshot b
                      WHERE b.account_id = p_account AND b.cut < s.cut ORDER BY b.cut DESC LIMIT 1) AS start
        FROM ledger_balancesnapshot s WHERE s.account_id = p_account AND s.is_late AND s.cut > high
    LOOP
      result := result + coalesce((
        SELECT sum(p.amount) FROM ledger_posting p
         WHERE p.account_id = p_account AND p.account_seq IS NULL AND p.xid >= late.start AND p.xid < late.cut
           AND p.booked_at <= p_at AND p.entry_id < above), 0);
    END LOOP;
    SELECT s.cut INTO newest FROM ledger_balancesnapshot s WHERE s.account_id = p_account ORDER BY s.cut DESC LIMIT 1;
    result := result + coalesce((
      SELECT sum(p.amount) FROM ledger_posting p
       WHERE p.account_id = p_account AND p.account_seq IS NULL AND p.xid >= newest
         AND p.booked_at <= p_at AND p.entry_id < above), 0);
    RETURN result + coalesce((
      SELECT sum(p.amount) FROM ledger_posting p
       WHERE p.account_id = p_account AND p.account_seq IS NULL AND p.xid >= low AND p.xid < high
         AND p.booked_at <= p_at AND p.entry_id < above), 0);
  END IF;
  RETURN result + coalesce((
    SELECT sum(p.amount) FROM ledger_posting p
     WHERE p.account_id = p_account AND p.account_seq IS NULL AND p.xid >= low
       AND p.booked_at <= p_at AND p.entry_id < above), 0);
END $$;
