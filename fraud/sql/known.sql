-- What features need to know of the past, under the customer's lock. Reads a bounded number of rows by index, with the
-- caller's rights, in few statements: each costs as much as two look-ups. Numbers only, because one array is written and read
-- fastest, in rows of twelve:
--   the last step (number, microseconds of 1970 now, of the first step and of the last request, 1 when the account changes),
--     changes of account in the month, the largest amount and its step, payments to this payee ever and in the month, 1 when
--     frauds of these entities are known;
--   the totals now;
--   how they differ from those ten steps ago;
--   payments of payee, device and address in 1, 7 and 30 days;
--   for each window from the shortest, the number of the last step before it and how the totals differ from its; windows with
--     no step are left out, which can only be the first ones;
--   where frauds are known, those of payee, device and address that became known in 1, 7 and 30 days.
CREATE OR REPLACE FUNCTION fraud_known(
  p_lock integer, p_customer uuid, p_account uuid, p_at timestamptz, p_payee bigint, p_device bigint, p_ip bigint
) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  micro CONSTANT double precision := 1000000;
  moment timestamptz; day timestamptz; week timestamptz; month timestamptz; quarter timestamptz;
  l record;
  windows bigint[]; ten bigint[]; payments bigint[]; frauds bigint[]; found bigint[];
  payee_ever bigint; payee_before bigint; is_reported boolean;
  last_window integer; changes bigint := 0; moves bigint := 0; largest bigint; largest_number bigint;
BEGIN
  -- Before any statement that looks at steps, so that those see what the payment before this one wrote.
  IF NOT pg_try_advisory_xact_lock(4601, p_lock) THEN
    PERFORM pg_advisory_xact_lock(4601, p_lock);
  END IF;
  SELECT a.number, a.at, a.account_ref, a.first_at, a.last_request_at, a.largest_minor, a.largest_number, a.transfers,
         a.requests, a.sent_total_minor, a.settled, a.settled_total_minor, a.squares_high, a.squares_low, a.abroad, a.risky,
         a.own, a.account_changes
    INTO l FROM fraud_activity a WHERE a.customer_id = p_customer ORDER BY a.at DESC, a.number DESC LIMIT 1;
  -- A clock that goes back does not turn the history around.
  moment := greatest(p_at, l.at);
  day := moment - interval '24 hours';
  week := moment - interval '168 hours';
  month := moment - interval '720 hours';
  quarter := moment - interval '2160 hours';
  SELECT (SELECT array_agg(ARRAY[coalesce(b.number, 0), l.transfers - coalesce(b.transfers, 0), l.requests - coalesce(b.requests, 0),
                  l.sent_total_minor - coalesce(b.sent_total_minor, 0), l.settled - coalesce(b.settled, 0),
                  l.settled_total_minor - coalesce(b.settled_total_minor, 0), l.squares_high - coalesce(b.squares_high, 0),
                  l.squares_low - coalesce(b.squares_low, 0), l.abroad - coalesce(b.abroad, 0), l.risky - coalesce(b.risky, 0),
                  l.own - coalesce(b.own, 0), l.account_changes - coalesce(b.account_changes, 0)] ORDER BY starts.place)
            FROM unnest(ARRAY[moment - interval '30 seconds', moment - interval '10 minutes', moment - interval '1 hour',
                              day, week, month, quarter]) WITH ORDINALITY AS starts (start, place)
                 LEFT JOIN LATERAL (
                   SELECT a.number, a.transfers, a.requests, a.sent_total_minor, a.settled, a.settled_total_minor,
                          a.squares_high, a.squares_low, a.abroad, a.risky, a.own, a.account_changes
                     FROM fraud_activity a WHERE a.customer_id = p_customer AND a.at <= starts.start
                    ORDER BY a.at DESC, a.number DESC LIMIT 1) b ON true
           WHERE starts.start < l.at),
         (SELECT ARRAY[0, l.transfers - a.transfers, l.requests - a.requests, l.sent_total_minor - a.sent_total_minor,
                       l.settled - a.settled, l.settled_total_minor - a.settled_total_minor, l.squares_high - a.squares_high,
                       l.squares_low - a.squares_low, l.abroad - a.abroad, l.risky - a.risky, l.own - a.own,
                       l.account_changes - a.account_changes]
            FROM fraud_activity a WHERE a.customer_id = p_customer ORDER BY a.at DESC, a.number DESC OFFSET 10 LIMIT 1),
         paid.payee_settled,
         CASE WHEN paid.at > month THEN
           (SELECT a.payee_settled FROM fraud_activity a
             WHERE a.customer_id = p_customer AND a.payee_key = p_payee AND a.at <= month
             ORDER BY a.at DESC, a.number DESC LIMIT 1)
         ELSE paid.payee_settled END,
         (SELECT ARRAY[count(*) FILTER (WHERE latest.at > day), count(*) FILTER (WHERE latest.at > week), count(*)]
            FROM (SELECT a.at FROM fraud_activity a
                   WHERE a.payee_key = p_payee AND a.requested AND a.at > month AND a.at <= moment
                   ORDER BY a.at DESC LIMIT 1000) latest)
         || (SELECT ARRAY[count(*) FILTER (WHERE latest.at > day), count(*) FILTER (WHERE latest.at > week), count(*)]
               FROM (SELECT a.at FROM fraud_activity a
                      WHERE a.device_key = p_device AND a.requested AND a.at > month AND a.at <= moment
                      ORDER BY a.at DESC LIMIT 1000) latest)
         || (SELECT ARRAY[count(*) FILTER (WHERE latest.at > day), count(*) FILTER (WHERE latest.at > week), count(*)]
               FROM (SELECT a.at FROM fraud_activity a
                      WHERE a.ip_key = p_ip AND a.requested AND a.at > month AND a.at <= moment
                      ORDER BY a.at DESC LIMIT 1000) latest)
         || ARRAY[0, 0, 0]::bigint[],
         EXISTS (SELECT FROM fraud_entityreport r
                  WHERE r.key IN (p_payee, p_device, p_ip) AND r.is_fraud AND r.known_at > month AND r.known_at <= moment)
    INTO windows, ten, payee_ever, payee_before, payments, is_reported
    FROM (SELECT) AS once
         LEFT JOIN LATERAL (
           SELECT a.payee_settled, a.at FROM fraud_activity a
            WHERE a.customer_id = p_customer AND a.payee_key = p_payee
            ORDER BY a.at DESC, a.number DESC LIMIT 1) paid ON true;
  last_window := array_upper(windows, 1);
  IF last_window IS NOT NULL THEN
    -- The quarter is the last window. Each step keeps the largest amount so far and whose it was; once that step has left the
    -- window, or steps of before did not keep it, it is looked for.
    IF windows[last_window][5] > 0 THEN
      IF l.largest_number > windows[last_window][1] AND l.largest_number > l.number - 1000 THEN
        largest := l.largest_minor;
        largest_number := l.largest_number;
      ELSE
        SELECT a.settled_minor, a.number INTO largest, largest_number
          FROM (SELECT s.settled_minor, s.number FROM fraud_activity s
                 WHERE s.customer_id = p_customer AND s.at > quarter ORDER BY s.at DESC, s.number DESC LIMIT 1000) a
         WHERE a.settled_minor IS NOT NULL ORDER BY a.settled_minor DESC, a.number DESC LIMIT 1;
      END IF;
    END IF;
    -- The month is the one before. Only the first step in it tells whether the account changed there or between two later ones.
    IF l.at > month THEN
      moves := (l.account_ref <> p_account)::integer;
      changes := moves;
      IF windows[last_window - 1][12] > 0 THEN
        SELECT l.account_changes - a.account_changes + moves INTO changes
          FROM fraud_activity a WHERE a.customer_id = p_customer AND a.at > month ORDER BY a.at, a.number LIMIT 1;
      END IF;
    END IF;
  END IF;
  found := ARRAY[
    ARRAY[l.number, (date_part('epoch', moment) * micro)::bigint, (date_part('epoch', l.first_at) * micro)::bigint,
          (date_part('epoch', l.last_request_at) * micro)::bigint, (l.account_ref <> p_account)::integer, changes, largest,
          largest_number, coalesce(payee_ever, 0), coalesce(payee_ever, 0) - coalesce(payee_before, 0), is_reported::integer, 0],
    ARRAY[coalesce(l.transfers, 0), coalesce(l.requests, 0), coalesce(l.sent_total_minor, 0), coalesce(l.settled, 0),
          coalesce(l.settled_total_minor, 0), coalesce(l.squares_high, 0), coalesce(l.squares_low, 0), coalesce(l.abroad, 0),
          coalesce(l.risky, 0), coalesce(l.own, 0), coalesce(l.account_changes, 0), 0]];
  found := found || coalesce(ten, ARRAY[0, l.transfers, l.requests, l.sent_total_minor, l.settled, l.settled_total_minor,
                                        l.squares_high, l.squares_low, l.abroad, l.risky, l.own, l.account_changes])
                 || payments || windows;
  IF is_reported THEN
    SELECT found || (array_agg(became.frauds ORDER BY asked.place, starts.place) || ARRAY[0, 0, 0]::bigint[]) INTO found
      FROM unnest(ARRAY[p_payee, p_device, p_ip]) WITH ORDINALITY AS asked (key, place),
           unnest(ARRAY[day, week, month]) WITH ORDINALITY AS starts (start, place),
           LATERAL (SELECT count(*) AS frauds FROM fraud_entityreport r
                     WHERE r.key = asked.key AND r.is_fraud AND r.known_at > starts.start AND r.known_at <= moment) became;
  END IF;
  RETURN found;
END $$;
