-- A partition of entries and one of postings for every month from p_since to p_until that has none yet. Returns how many
-- months were made. A month whose rows already lie in the default partition stays there: rows of the ledger are not moved.
CREATE OR REPLACE FUNCTION ledger_make_months(p_since timestamptz, p_until timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- Attaching waits for readers of the default partition, and new readers wait behind it: rather give up and come again.
SET lock_timeout = '3s' AS $$
DECLARE
  month timestamp := date_trunc('month', p_since AT TIME ZONE 'UTC');
  last timestamp := date_trunc('month', p_until AT TIME ZONE 'UTC');
  low bigint;
  high bigint;
  made integer := 0;
BEGIN
  IF last > month + interval '50 years' THEN
    RAISE EXCEPTION 'more than fifty years of months' USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('ledger_make_months'));
  WHILE month <= last LOOP
    low := ledger_first_id(month AT TIME ZONE 'UTC');
    high := ledger_first_id((month + interval '1 month') AT TIME ZONE 'UTC');
    IF to_regclass('public.ledger_posting_' || to_char(month, 'YYYYMM')) IS NULL
       AND NOT EXISTS (SELECT FROM ledger_entry_default e WHERE e.id >= low AND e.id < high)
       AND NOT EXISTS (SELECT FROM ledger_posting_default p WHERE p.entry_id >= low AND p.entry_id < high) THEN
      PERFORM ledger_make_partition('ledger_entry', 'ledger_entry_' || to_char(month, 'YYYYMM'), low, high);
      PERFORM ledger_make_partition('ledger_posting', 'ledger_posting_' || to_char(month, 'YYYYMM'), low, high);
      made := made + 1;
    END IF;
    month := month + interval '1 month';
  END LOOP;
  RETURN made;
END $$;
