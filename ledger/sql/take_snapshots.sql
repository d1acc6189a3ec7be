-- One snapshot per internal account that moved since its last one. The cut is a transaction id below which everything has
-- ended, so an entry that commits late is never missed: it is at or above the cut and belongs to the tail. A stretch is late
-- when it reaches back in booking time more than a minute before the one before it ended (an import, a request that hung).
CREATE OR REPLACE FUNCTION ledger_take_snapshots() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  here xid8;
  taken integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('ledger_take_snapshots'));
  here := pg_snapshot_xmin(pg_current_snapshot());
  INSERT INTO ledger_balancesnapshot (account_id, cut, balance, postings, last_booked_at, is_late)
  SELECT a.id, here, coalesce(s.balance, 0) + tail.amount, coalesce(s.postings, 0) + tail.postings,
         greatest(s.last_booked_at, tail.last_booked_at),
         coalesce(tail.first_booked_at < s.last_booked_at - interval '1 minute', false)
    FROM ledger_ledgeraccount a
    LEFT JOIN LATERAL (
      SELECT b.cut, b.balance, b.postings, b.last_booked_at FROM ledger_balancesnapshot b
       WHERE b.account_id = a.id ORDER BY b.cut DESC LIMIT 1) s ON true
    CROSS JOIN LATERAL (
      SELECT sum(p.amount)::bigint AS amount, count(*) AS postings, min(p.booked_at) AS first_booked_at,
             max(p.booked_at) AS last_booked_at
        FROM ledger_posting p
       WHERE p.account_id = a.id AND p.account_seq IS NULL AND p.xid >= coalesce(s.cut, '0'::xid8) AND p.xid < here) tail
   WHERE a.is_internal AND tail.postings > 0;
  GET DIAGNOSTICS taken = ROW_COUNT;
  RETURN taken;
END $$;
