-- Seal what is not sealed yet: blocks of at least p_block entries (the last one may be smaller), at most p_most of them, each
-- hashed with the seal before it. The cut is a transaction id below which everything has ended, so an entry that commits late
-- lies above it and belongs to a later seal. One worker at a time: a second one returns at once. Whoever calls this can
-- only have the truth sealed: the rows are hashed here.
CREATE OR REPLACE FUNCTION ledger_seal(p_block integer, p_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  here xid8;
  number bigint := 0;
  previous text := repeat('0', 64);
  start xid8 := '0';
  block record;
  rows_digest text;
  digest text;
  sealed integer := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('ledger_seal')) THEN
    RETURN 0;
  END IF;
  -- Each statement has a snapshot of its own: what an earlier worker committed before it gave the lock up is seen.
  here := pg_snapshot_xmin(pg_current_snapshot());
  SELECT s.number, s.digest, s.cut INTO number, previous, start FROM ledger_seal s ORDER BY s.number DESC LIMIT 1;
  IF NOT FOUND THEN
    number := 0; previous := repeat('0', 64); start := '0';
  ELSIF here < start THEN
    RAISE EXCEPTION 'transaction ids run below the last seal' USING ERRCODE = 'BK021',
      DETAIL = json_build_object('seal', number, 'cut', start::text, 'here', here::text);
  END IF;
  FOR block IN
    WITH one AS (
      SELECT e.xid, count(*) AS entries, min(e.id) AS low, max(e.id) AS high FROM ledger_entry e
       WHERE (e.xid::text)::bigint >= (start::text)::bigint AND (e.xid::text)::bigint < (here::text)::bigint GROUP BY e.xid
    ), numbered AS (
      SELECT o.*, div(sum(o.entries) OVER (ORDER BY o.xid) - o.entries, p_block) AS bucket FROM one o
    ), grouped AS (
      SELECT n.bucket, min(n.xid) AS first_xid, sum(n.entries)::bigint AS entries, min(n.low) AS low, max(n.high) AS high
        FROM numbered n GROUP BY n.bucket
    )
    SELECT g.entries, g.low, g.high, coalesce(lead(g.first_xid) OVER (ORDER BY g.bucket), here) AS cut
      FROM grouped g ORDER BY g.bucket LIMIT p_most
  LOOP
    SELECT encode(sha256(string_agg(int8send(41) || 'x'::bytea || int8send(32) || sha256(convert_to(r.content, 'UTF8')),
                                    ''::bytea ORDER BY r.entry_xid, r.entry_id)), 'hex')
      INTO rows_digest FROM ledger_seal_rows(start, block.cut) r;
    number := number + 1;
    digest := ledger_seal_digest(previous, number, start, block.cut, block.entries, rows_digest);
    INSERT INTO ledger_seal (number, previous, start, cut, entries, first_entry, last_entry, rows_digest, digest)
    VALUES (number, previous, start, block.cut, block.entries, block.low, block.high, rows_digest, digest);
    previous := digest;
    start := block.cut;
    sealed := sealed + 1;
  END LOOP;
  RETURN sealed;
END $$;
