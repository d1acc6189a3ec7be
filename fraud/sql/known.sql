-- What features need to know of the past, under the customer's lock. Windows go from the shortest to the longest, and a step
-- that lies before the beginning of one is not searched again for the next. Reads a bounded number of rows by index, with the
-- caller's rights. Numbers only, because one array is written and read fastest: the customer's last step (number,
-- microseconds of 1970 now, of the first step and of the last request, 1 when the account changes); the largest amount, the
-- changes of account before the month, the payments to this payee ever and before the month; the totals now, at the
-- beginning of each window and ten steps ago; then payments and confirmed frauds of payee, device and address in 1, 7 and 30 days.
CREATE OR REPLACE FUNCTION fraud_known(
  p_lock integer, p_customer uuid, p_account uuid, p_at timestamptz, p_payee bigint, p_device bigint, p_ip bigint
) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  nothing CONSTANT bigint[] := '{0,0,0,0,0,0,0,0,0,0,0}';
  no_payments CONSTANT bigint[] := '{0,0,0}';
  moment timestamptz; day timestamptz; week timestamptz; month timestamptz; quarter timestamptz; start timestamptz;
  last_number integer; last_account uuid; first_at timestamptz; last_request_at timestamptz;
  step_at timestamptz; step_number integer; before_month integer := 0;
  totals bigint[]; ends bigint[];
  largest bigint; changes bigint; payee_ever bigint; payee_before bigint; payee_at timestamptz;
  payee_counts bigint[]; device_counts bigint[] := no_payments; ip_counts bigint[] := no_payments;
  frauds bigint[] := '{0,0,0,0,0,0,0,0,0}'; is_reported boolean;
BEGIN
  -- A statement of its own, so that those that follow see what the payment before this one wrote.
  PERFORM pg_advisory_xact_lock(4601, p_lock);
  SELECT a.number, a.at, a.account_ref, a.first_at, a.last_request_at,
         ARRAY[a.transfers, a.requests, a.sent_total_minor, a.settled, a.settled_total_minor, a.squares_high,
               a.squares_low, a.abroad, a.risky, a.own, a.account_changes]
    INTO last_number, step_at, last_account, first_at, last_request_at, totals
    FROM fraud_activity a WHERE a.customer_id = p_customer ORDER BY a.number DESC LIMIT 1;
  -- A clock that goes back does not turn the history around.
  moment := greatest(p_at, step_at);
  day := moment - interval '24 hours';
  week := moment - interval '168 hours';
  month := moment - interval '720 hours';
  quarter := moment - interval '2160 hours';
  ends := coalesce(totals, nothing);
  IF last_number IS NOT NULL THEN
    step_number := last_number;
    FOREACH start IN ARRAY ARRAY[moment - interval '30 seconds', moment - interval '10 minutes',
                                 moment - interval '1 hour', day, week, month, quarter] LOOP
      IF step_at > start THEN
        SELECT a.at, a.number,
               ARRAY[a.transfers, a.requests, a.sent_total_minor, a.settled, a.settled_total_minor, a.squares_high,
                     a.squares_low, a.abroad, a.risky, a.own, a.account_changes]
          INTO step_at, step_number, totals
          FROM fraud_activity a WHERE a.customer_id = p_customer AND a.at <= start
         ORDER BY a.at DESC, a.number DESC LIMIT 1;
      END IF;
      ends := ends || coalesce(totals, nothing);
      IF start = month THEN
        before_month := coalesce(step_number, 0);
      END IF;
    END LOOP;
    totals := NULL;
    IF last_number > 10 THEN
      SELECT ARRAY[a.transfers, a.requests, a.sent_total_minor, a.settled, a.settled_total_minor, a.squares_high,
                   a.squares_low, a.abroad, a.risky, a.own, a.account_changes]
        INTO totals FROM fraud_activity a WHERE a.customer_id = p_customer AND a.number = last_number - 10;
    END IF;
    ends := ends || coalesce(totals, nothing);
    -- Steps are numbered without gaps and in order of time, so the month begins with the next one.
    IF before_month < last_number THEN
      SELECT a.account_changes INTO changes
        FROM fraud_activity a WHERE a.customer_id = p_customer AND a.number = before_month + 1;
    END IF;
    SELECT max(a.settled_minor) INTO largest
      FROM fraud_activity a WHERE a.customer_id = p_customer AND a.number > last_number - 1000 AND a.at > quarter;
    SELECT a.payee_settled, a.at INTO payee_ever, payee_at
      FROM fraud_activity a WHERE a.customer_id = p_customer AND a.payee_key = p_payee
     ORDER BY a.at DESC, a.number DESC LIMIT 1;
    payee_before := payee_ever;
    IF payee_at > month THEN
      SELECT a.payee_settled INTO payee_before
        FROM fraud_activity a WHERE a.customer_id = p_customer AND a.payee_key = p_payee AND a.at <= month
       ORDER BY a.at DESC, a.number DESC LIMIT 1;
    END IF;
  END IF;
  SELECT ARRAY[count(*) FILTER (WHERE latest.at > day), count(*) FILTER (WHERE latest.at > week), count(*)],
         EXISTS (SELECT FROM fraud_entityreport r
                  WHERE r.key IN (p_payee, p_device, p_ip) AND r.is_fraud AND r.known_at > month AND r.known_at <= moment)
    INTO payee_counts, is_reported
    FROM (SELECT a.at FROM fraud_activity a
           WHERE a.payee_key = p_payee AND a.requested AND a.at > month AND a.at <= moment
           ORDER BY a.at DESC LIMIT 1000) latest;
  IF p_device IS NOT NULL THEN
    SELECT ARRAY[count(*) FILTER (WHERE latest.at > day), count(*) FILTER (WHERE latest.at > week), count(*)]
      INTO device_counts
      FROM (SELECT a.at FROM fraud_activity a
             WHERE a.device_key = p_device AND a.requested AND a.at > month AND a.at <= moment
             ORDER BY a.at DESC LIMIT 1000) latest;
  END IF;
  IF p_ip IS NOT NULL THEN
    SELECT ARRAY[count(*) FILTER (WHERE latest.at > day), count(*) FILTER (WHERE latest.at > week), count(*)]
      INTO ip_counts
      FROM (SELECT a.at FROM fraud_activity a
             WHERE a.ip_key = p_ip AND a.requested AND a.at > month AND a.at <= moment
             ORDER BY a.at DESC LIMIT 1000) latest;
  END IF;
  IF is_reported THEN
    SELECT array_agg(found.frauds ORDER BY asked.place, windows.place) INTO frauds
      FROM unnest(ARRAY[p_payee, p_device, p_ip]) WITH ORDINALITY AS asked (key, place),
           unnest(ARRAY[day, week, month]) WITH ORDINALITY AS windows (start, place),
           LATERAL (SELECT count(*) AS frauds FROM fraud_entityreport r
                     WHERE r.key = asked.key AND r.is_fraud AND r.known_at > windows.start AND r.known_at <= moment) found;
  END IF;
  RETURN ARRAY[last_number::bigint, (extract(epoch FROM moment) * 1000000)::bigint, (extract(epoch FROM first_at) * 1000000)::bigint,
               (extract(epoch FROM last_request_at) * 1000000)::bigint, (last_account <> p_account)::integer::bigint,
               largest, changes, coalesce(payee_ever, 0), coalesce(payee_before, 0)]
         || ends || payee_counts || device_counts || ip_counts || frauds;
END $$;
