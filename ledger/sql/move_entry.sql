-- An account that this entry touches was booked at a later time before. The entry takes that time, with all its legs, and
-- when that is another month, a number of that month. The accounts are locked. Not granted to anyone.
CREATE OR REPLACE FUNCTION ledger_move_entry(
  p_external_ref uuid, p_entry bigint, p_accounts bigint[], p_asked_at timestamptz, p_booked_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  number bigint := p_entry - ledger_first_id(p_asked_at) + ledger_first_id(p_booked_at);
BEGIN
  UPDATE ledger_balance b SET booked_at = p_booked_at WHERE b.account_id = ANY (p_accounts) AND b.booked_at < p_booked_at;
  IF number <> p_entry THEN
    UPDATE ledger_entryreference r SET entry_id = number WHERE r.external_ref = p_external_ref;
  END IF;
  RETURN number;
END $$;
