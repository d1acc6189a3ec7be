-- Daily balances are added to and never thrown away; the function that makes them is the only one who writes them.
CREATE OR REPLACE TRIGGER ledger_dailybalance_stays BEFORE DELETE OR TRUNCATE ON ledger_dailybalance
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_dailymark_stays BEFORE DELETE OR TRUNCATE ON ledger_dailymark
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
