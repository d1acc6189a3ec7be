-- Refuses a decision with an amount, a score or an agreement that cannot be. A CHECK would be read from its text by every
-- statement that writes, which takes the server four times as long; a trigger of pgtrigger asks first whether it shall be ignored.
CREATE OR REPLACE FUNCTION fraud_possible() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NEW.amount_minor <= 0 OR NEW.score < 0 OR NEW.score > 1 OR NEW.agreement_percent NOT BETWEEN 0 AND 100 THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
      MESSAGE = 'an amount, a score or an agreement that cannot be';
  END IF;
  RETURN NEW;
END $$;
