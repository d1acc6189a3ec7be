-- Many transfers in one round trip, as if ledger_post_transfer were called for one after the other: item n sees what the items
-- before it did, and a refused item leaves nothing behind and takes no neighbour along. All locks are taken first, then the
-- items are decided over arrays in memory, then everything is written by one statement for each table.
--
-- Results: 0 posted, 1 replayed, else the digits of the code that the single path raises (BK001 is 1001 here). With p_whole a
-- refusal refuses all: BK022, with the results in DETAIL.
-- References come before accounts, in order, as in the single path, so that the two cannot wait for each other.
CREATE OR REPLACE PROCEDURE ledger_post_batch(
  p_refs uuid[], p_debits bigint[], p_credits bigint[], p_amounts bigint[], p_kinds text[], p_descriptions text[],
  p_source_kinds text[], p_source_ids text[], p_value_dates date[], p_booked_at timestamptz, p_whole boolean,
  OUT results smallint[], OUT entry_ids bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
  n integer := coalesce(cardinality(p_refs), 0);
  -- Per item: its reference's and its two accounts' places among the distinct ones.
  ref_of integer[]; debit_of integer[]; credit_of integer[];
  -- Per distinct reference: its number when it is new; the item that used it.
  refs uuid[]; number_of bigint[]; used_by integer[];
  -- Per item, when some references existed before: the entry found, and whether it says the same.
  old_entry bigint[]; old_same boolean[];
  -- Per distinct account.
  account_ids bigint[]; problem smallint[]; currencies text[]; lowest bigint[]; funds bigint[]; seqs bigint[]; times timestamptz[];
  -- Per item, as written.
  booked timestamptz[] := array_fill(NULL::timestamptz, ARRAY[n]);
  debit_seq bigint[] := array_fill(NULL::bigint, ARRAY[n]); debit_after bigint[] := debit_seq;
  credit_seq bigint[] := debit_seq; credit_after bigint[] := debit_seq;
  base bigint := ledger_first_id(p_booked_at);
  mark bigint;
  written integer;
  refused integer := 0;
  moved boolean := false;
  same boolean;
  r integer; d integer; c integer; first_use integer; amount bigint; code smallint; when_booked timestamptz;
BEGIN
  IF n <> ALL (ARRAY[coalesce(cardinality(p_debits), 0), coalesce(cardinality(p_credits), 0), coalesce(cardinality(p_amounts), 0),
                     coalesce(cardinality(p_kinds), 0), coalesce(cardinality(p_descriptions), 0),
                     coalesce(cardinality(p_source_kinds), 0), coalesce(cardinality(p_source_ids), 0),
                     coalesce(cardinality(p_value_dates), 0)])
     OR array_position(p_refs, NULL) IS NOT NULL OR array_position(p_debits, NULL) IS NOT NULL
     OR array_position(p_credits, NULL) IS NOT NULL OR array_position(p_amounts, NULL) IS NOT NULL OR p_booked_at IS NULL THEN
    RAISE EXCEPTION 'a batch has arrays of one length without gaps' USING ERRCODE = '22023';
  END IF;
  results := array_fill(0::smallint, ARRAY[n]);
  entry_ids := array_fill(NULL::bigint, ARRAY[n]);
  IF n = 0 THEN
    RETURN;
  END IF;

  mark := nextval('ledger_entry_number');
  SELECT array_agg(DISTINCT u.ref ORDER BY u.ref) INTO refs FROM unnest(p_refs) u(ref);
  INSERT INTO ledger_entryreference (external_ref, entry_id)
  SELECT u.ref, base + nextval('ledger_entry_number') FROM unnest(refs) u(ref)
  ON CONFLICT (external_ref) DO NOTHING;
  GET DIAGNOSTICS written = ROW_COUNT;
  SELECT array_agg(x.place ORDER BY x.no) INTO ref_of
    FROM (SELECT u.no, dense_rank() OVER (ORDER BY u.ref) AS place FROM unnest(p_refs) WITH ORDINALITY u(ref, no)) x;
  -- Numbers of this month above the mark, with this transaction's id, were given just now; all others were there before.
  SELECT array_agg(k.entry_id ORDER BY u.ref) INTO number_of
    FROM unnest(refs) u(ref)
    LEFT JOIN ledger_entryreference k ON k.external_ref = u.ref AND k.xid = pg_current_xact_id()
                                   AND k.entry_id BETWEEN base + mark + 1 AND base + 999999999999;
  IF written < cardinality(number_of) THEN
    SELECT array_agg(e.id ORDER BY u.no), array_agg((
             (e.kind, e.description, e.source_kind, e.source_id) = (u.kind, u.description, u.source_kind, u.source_id)
             AND e.reverses_id IS NULL
             AND (SELECT array_agg(p.account_id ORDER BY p.no) = ARRAY[u.debit, u.credit]
                         AND array_agg(p.amount ORDER BY p.no) = ARRAY[-u.amount, u.amount]
                    FROM ledger_posting p WHERE p.entry_id = e.id)) IS TRUE ORDER BY u.no)
      INTO old_entry, old_same
      FROM unnest(p_refs, p_debits, p_credits, p_amounts, p_kinds, p_descriptions, p_source_kinds, p_source_ids)
             WITH ORDINALITY u(ref, debit, credit, amount, kind, description, source_kind, source_id, no)
      LEFT JOIN ledger_entryreference k
        ON k.external_ref = u.ref AND number_of[array_position(refs, u.ref)] IS NULL
      LEFT JOIN ledger_entry e ON e.id = k.entry_id;
  END IF;
  used_by := array_fill(0, ARRAY[cardinality(number_of)]);

  SELECT array_agg(x.place ORDER BY x.no) FILTER (WHERE x.no <= n), array_agg(x.place ORDER BY x.no) FILTER (WHERE x.no > n)
    INTO debit_of, credit_of
    FROM (SELECT u.no, dense_rank() OVER (ORDER BY u.id) AS place
            FROM unnest(p_debits || p_credits) WITH ORDINALITY u(id, no)) x;
  SELECT array_agg(DISTINCT u.id ORDER BY u.id) INTO account_ids FROM unnest(p_debits || p_credits) u(id);
  PERFORM FROM ledger_balance b WHERE b.account_id = ANY (account_ids) ORDER BY b.account_id FOR NO KEY UPDATE;
  SELECT array_agg(CASE WHEN a.id IS NULL THEN 1004 WHEN a.status = 'FROZEN' THEN 1002 WHEN a.status = 'CLOSED' THEN 1003 ELSE 0 END
                   ORDER BY u.id),
         array_agg(a.currency ORDER BY u.id), array_agg(b.floor + b.held ORDER BY u.id), array_agg(b.posted ORDER BY u.id),
         array_agg(b.seq ORDER BY u.id), array_agg(b.booked_at ORDER BY u.id)
    INTO problem, currencies, lowest, funds, seqs, times
    FROM unnest(account_ids) u(id)
    LEFT JOIN ledger_ledgeraccount a ON a.id = u.id
    LEFT JOIN ledger_balance b ON b.account_id = u.id;

  FOR i IN 1..n LOOP
    r := ref_of[i]; d := debit_of[i]; c := credit_of[i]; amount := p_amounts[i];
    -- In the order in which the single path would find it: what no account can hold, then the lower account first.
    code := CASE
      WHEN amount <= 0 THEN 1010
      WHEN d = c THEN 1011
      WHEN used_by[r] > 0 OR number_of[r] IS NULL THEN 1
      WHEN problem[d] = 0 AND funds[d] < amount - 9223372036854775807 - 1 THEN 1010
      WHEN problem[c] = 0 AND funds[c] > 9223372036854775807 - amount THEN 1010
      WHEN problem[least(d, c)] <> 0 THEN problem[least(d, c)]
      WHEN d < c AND funds[d] - amount < lowest[d] THEN 1001
      WHEN problem[greatest(d, c)] <> 0 THEN problem[greatest(d, c)]
      WHEN funds[d] - amount < lowest[d] THEN 1001
      WHEN currencies[d] <> currencies[c] THEN 1005
      ELSE 0
    END;
    IF code = 0 THEN
      when_booked := greatest(p_booked_at, times[d], times[c]);
      booked[i] := when_booked;
      used_by[r] := i;
      entry_ids[i] := number_of[r];
      IF when_booked > p_booked_at THEN
        entry_ids[i] := number_of[r] - base + ledger_first_id(when_booked);
        moved := true;
      END IF;
      IF seqs[d] IS NOT NULL THEN
        funds[d] := funds[d] - amount; seqs[d] := seqs[d] + 1; times[d] := when_booked;
        debit_seq[i] := seqs[d]; debit_after[i] := funds[d];
      END IF;
      IF seqs[c] IS NOT NULL THEN
        funds[c] := funds[c] + amount; seqs[c] := seqs[c] + 1; times[c] := when_booked;
        credit_seq[i] := seqs[c]; credit_after[i] := funds[c];
      END IF;
      CONTINUE;
    END IF;
    IF code = 1 THEN
      -- Used before, by an item of this batch or by an entry that was there: the same content is a replay.
      first_use := used_by[r];
      IF first_use > 0 THEN
        same := (debit_of[first_use], credit_of[first_use], p_amounts[first_use], p_kinds[first_use],
                 p_descriptions[first_use], p_source_kinds[first_use], p_source_ids[first_use])
                = (d, c, amount, p_kinds[i], p_descriptions[i], p_source_kinds[i], p_source_ids[i]);
        entry_ids[i] := CASE WHEN same THEN entry_ids[first_use] END;
      ELSE
        same := old_same[i];
        entry_ids[i] := CASE WHEN same THEN old_entry[i] END;
      END IF;
      code := CASE WHEN same THEN 1 ELSE 1007 END;
    END IF;
    results[i] := code;
    refused := refused + (code <> 1)::integer;
  END LOOP;

  IF refused > 0 THEN
    IF p_whole THEN
      RAISE EXCEPTION 'batch refused' USING ERRCODE = 'BK022', DETAIL = json_build_object('results', results);
    END IF;
    -- Nothing was written under these references, so they are free again.
    DELETE FROM ledger_entryreference k USING unnest(refs, number_of, used_by) u(ref, number, item)
     WHERE u.item = 0 AND u.number IS NOT NULL AND k.external_ref = u.ref;
  END IF;
  IF moved THEN
    UPDATE ledger_entryreference k SET entry_id = u.id FROM unnest(p_refs, entry_ids, results) u(ref, id, result)
     WHERE u.result = 0 AND k.external_ref = u.ref AND k.entry_id <> u.id;
  END IF;
  UPDATE ledger_balance b SET posted = u.posted, seq = u.seq, booked_at = u.at
    FROM unnest(account_ids, funds, seqs, times) u(id, posted, seq, at)
   WHERE b.account_id = u.id AND b.seq <> u.seq;
  WITH entry AS (
    INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id)
    SELECT u.id, u.ref, u.kind, u.description, u.booked_at, coalesce(u.value_date, (p_booked_at AT TIME ZONE 'UTC')::date),
           u.source_kind, u.source_id
      FROM unnest(results, entry_ids, p_refs, p_kinds, p_descriptions, booked, p_value_dates, p_source_kinds, p_source_ids)
             u(result, id, ref, kind, description, booked_at, value_date, source_kind, source_id)
     WHERE u.result = 0
  )
  INSERT INTO ledger_posting (entry_id, no, account_id, amount, currency, booked_at, account_seq, balance_after, xid)
  SELECT u.id, leg.no, leg.account, leg.amount, currencies[u.place], u.booked_at, leg.seq, leg.after,
         CASE WHEN leg.seq IS NULL THEN pg_current_xact_id() END
    FROM unnest(results, entry_ids, booked, p_debits, p_credits, p_amounts, debit_of, debit_seq, debit_after, credit_seq, credit_after)
           u(result, id, booked_at, debit, credit, amount, place, debit_seq, debit_after, credit_seq, credit_after)
   CROSS JOIN LATERAL (VALUES (1, u.debit, -u.amount, u.debit_seq, u.debit_after),
                              (2, u.credit, u.amount, u.credit_seq, u.credit_after)) leg(no, account, amount, seq, after)
   WHERE u.result = 0;
END $$;
