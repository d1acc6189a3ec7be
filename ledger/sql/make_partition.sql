-- One partition of ledger_entry or ledger_posting, with the guards that a parent does not hand down: its statement triggers
-- do not fire for a statement on the partition itself, and a unique index of the parent would have to contain the entry.
-- Without bounds: the default partition. Not granted to anyone.
CREATE OR REPLACE FUNCTION ledger_make_partition(p_parent regclass, p_name text, p_from bigint, p_to bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  bounds text := CASE WHEN p_from IS NULL THEN 'DEFAULT' ELSE format('FOR VALUES FROM (%s) TO (%s)', p_from, p_to) END;
  check_function text := CASE p_parent::text WHEN 'ledger_entry' THEN 'ledger_check_entries' ELSE 'ledger_check_postings' END;
  new_rows text := CASE p_parent::text WHEN 'ledger_entry' THEN 'new_entries' ELSE 'new_postings' END;
BEGIN
  -- First a table, then a partition: attaching lets readers and writers of the parent go on.
  EXECUTE format('CREATE TABLE public.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', p_name, p_parent);
  IF p_parent = 'ledger_posting'::regclass THEN
    EXECUTE format('CREATE UNIQUE INDEX %I ON public.%I (account_id, account_seq) WHERE account_seq IS NOT NULL',
                   p_name || '_account_seq', p_name);
  END IF;
  EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON public.%I REFERENCING NEW TABLE AS %I FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                 p_parent::text || '_check', p_name, new_rows, check_function);
  EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()',
                 p_parent::text || '_append_only', p_name);
  EXECUTE format('ALTER TABLE %s ATTACH PARTITION public.%I %s', p_parent, p_name, bounds);
END $$;
