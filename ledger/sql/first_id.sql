-- Where the numbers of a month begin: the entry 2611000000000042 was booked in November 2026 (UTC). The number of an entry
-- is its partition key, so one number finds one partition, and a span of time is a span of numbers.
-- Plain SQL without a setting of its own, so that the planner puts the arithmetic in place of the call.
CREATE OR REPLACE FUNCTION ledger_first_id(p_at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ((date_part('year', p_at AT TIME ZONE 'UTC')::bigint - 2000) * 100
          + date_part('month', p_at AT TIME ZONE 'UTC')::bigint) * 1000000000000
$$;
