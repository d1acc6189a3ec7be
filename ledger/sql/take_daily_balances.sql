-- Bring the daily balances of at most p_most accounts up to date: what was posted since the account's mark is added to its day
-- of booking and to its value date, and to the days after. A day without a row has the balances of the row before it.
-- On accounts with a balance row the mark is a sequence number: a posting is seen only when all before it have committed. On
-- internal accounts it is a transaction id below which everything has ended, as for snapshots. Returns how many accounts.
CREATE OR REPLACE FUNCTION ledger_take_daily_balances(p_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  here xid8;
  account record;
  days date[];
  booked_sums bigint[];
  valued_sums bigint[];
  taken integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('ledger_take_daily_balances'));
  here := pg_snapshot_xmin(pg_current_snapshot());
  FOR account IN
    SELECT a.id, coalesce(m.seq, 0) AS seq, coalesce(m.cut, '0'::xid8) AS cut, b.seq AS last
      FROM ledger_ledgeraccount a
      LEFT JOIN ledger_balance b ON b.account_id = a.id
      LEFT JOIN ledger_dailymark m ON m.account_id = a.id
     WHERE b.seq > coalesce(m.seq, 0)
        OR a.is_internal AND EXISTS (
             SELECT FROM ledger_posting p WHERE p.account_id = a.id AND p.account_seq IS NULL
                AND p.xid >= coalesce(m.cut, '0'::xid8) AND p.xid < here)
     ORDER BY a.id LIMIT p_most
  LOOP
    -- Two statements, so that each has an index to itself.
    IF account.last IS NULL THEN
      SELECT array_agg(d.day), array_agg(d.booked), array_agg(d.valued) INTO days, booked_sums, valued_sums
        FROM (
          SELECT moved.day, sum(moved.booked)::bigint AS booked, sum(moved.valued)::bigint AS valued
            FROM ledger_posting p
            JOIN ledger_entry e ON e.id = p.entry_id
            CROSS JOIN LATERAL (VALUES ((p.booked_at AT TIME ZONE 'UTC')::date, p.amount, 0::bigint),
                                       (e.value_date, 0::bigint, p.amount)) moved(day, booked, valued)
           WHERE p.account_id = account.id AND p.account_seq IS NULL AND p.xid >= account.cut AND p.xid < here
           GROUP BY moved.day) d;
    ELSE
      SELECT array_agg(d.day), array_agg(d.booked), array_agg(d.valued) INTO days, booked_sums, valued_sums
        FROM (
          SELECT moved.day, sum(moved.booked)::bigint AS booked, sum(moved.valued)::bigint AS valued
            FROM ledger_posting p
            JOIN ledger_entry e ON e.id = p.entry_id
            CROSS JOIN LATERAL (VALUES ((p.booked_at AT TIME ZONE 'UTC')::date, p.amount, 0::bigint),
                                       (e.value_date, 0::bigint, p.amount)) moved(day, booked, valued)
           WHERE p.account_id = account.id AND p.account_seq > account.seq AND p.account_seq <= account.last
           GROUP BY moved.day) d;
    END IF;
    INSERT INTO ledger_dailybalance (account_id, day, booked, valued)
    SELECT account.id, n.day, coalesce(b.booked, 0), coalesce(b.valued, 0)
      FROM unnest(days) n(day)
      LEFT JOIN LATERAL (
        SELECT r.booked, r.valued FROM ledger_dailybalance r
         WHERE r.account_id = account.id AND r.day < n.day ORDER BY r.day DESC LIMIT 1) b ON true
    ON CONFLICT (account_id, day) DO NOTHING;
    UPDATE ledger_dailybalance r
       SET booked = r.booked + x.booked, valued = r.valued + x.valued
      FROM (
        SELECT o.day, sum(n.booked)::bigint AS booked, sum(n.valued)::bigint AS valued
          FROM ledger_dailybalance o
          JOIN unnest(days, booked_sums, valued_sums) n(day, booked, valued) ON n.day <= o.day
         WHERE o.account_id = account.id GROUP BY o.day) x
     WHERE r.account_id = account.id AND r.day = x.day;
    INSERT INTO ledger_dailymark (account_id, seq, cut) VALUES (account.id, coalesce(account.last, 0), here)
    ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq, cut = excluded.cut;
    taken := taken + 1;
  END LOOP;
  RETURN taken;
END $$;
