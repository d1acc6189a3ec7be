-- The digest of one seal, byte for byte what common.seals.chained makes: each value with its kind and its length.
CREATE OR REPLACE FUNCTION ledger_seal_digest(
  p_previous text, p_number bigint, p_start xid8, p_cut xid8, p_entries bigint, p_rows text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN (
    SELECT encode(sha256(string_agg(convert_to(v.kind, 'UTF8') || int8send(octet_length(v.value)) || convert_to(v.value, 'UTF8'),
                                    ''::bytea ORDER BY v.no)), 'hex')
      FROM (VALUES (1, 's', p_previous), (2, 'i', p_number::text), (3, 'i', p_start::text), (4, 'i', p_cut::text),
                   (5, 'i', p_entries::text), (6, 's', p_rows)) v(no, kind, value));
END $$;
