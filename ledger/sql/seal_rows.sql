-- What a seal covers: the entries whose transaction id lies in [p_from, p_until), in order of transaction and number, each as
-- one text with all its postings. Everything that was written is in it, so a change of anything changes the text.
-- The time zone is fixed because the text must not depend on who asks; the cast makes the narrow index answer.
CREATE OR REPLACE FUNCTION ledger_seal_rows(p_from xid8, p_until xid8)
RETURNS TABLE (entry_id bigint, entry_xid xid8, content text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
  RETURN QUERY
  SELECT e.id, e.xid,
         json_build_array(
           e.id, e.external_ref, e.kind, e.description, e.booked_at, e.value_date, e.source_kind, e.source_id, e.reverses_id,
           e.created_at, e.xid::text,
           (SELECT json_agg(json_build_array(p.no, p.account_id, p.amount, p.currency, p.booked_at, p.account_seq,
                                             p.balance_after, p.xid::text) ORDER BY p.no)
              FROM ledger_posting p WHERE p.entry_id = e.id))::text
    FROM ledger_entry e
   WHERE (e.xid::text)::bigint >= (p_from::text)::bigint AND (e.xid::text)::bigint < (p_until::text)::bigint
   ORDER BY e.xid, e.id;
END $$;
