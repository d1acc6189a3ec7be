-- The guards on the tables. They hold for every role, the owner included. Partitions get theirs from ledger_make_partition.
ALTER TABLE ledger_balance DROP CONSTRAINT IF EXISTS ledger_balance_follows_account;
ALTER TABLE ledger_balance ADD CONSTRAINT ledger_balance_follows_account
  FOREIGN KEY (account_id, currency, status) REFERENCES ledger_ledgeraccount (id, currency, status) ON UPDATE CASCADE;
-- Updates of a balance stay on their page (HOT): nothing that changes is indexed, and there is room.
ALTER TABLE ledger_balance SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

CREATE OR REPLACE TRIGGER ledger_posting_check AFTER INSERT ON ledger_posting
  REFERENCING NEW TABLE AS new_postings FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_postings();
CREATE OR REPLACE TRIGGER ledger_entry_check AFTER INSERT ON ledger_entry
  REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();
CREATE OR REPLACE TRIGGER ledger_entryreference_guard BEFORE UPDATE OR DELETE ON ledger_entryreference
  FOR EACH ROW EXECUTE FUNCTION ledger_guard_reference();
CREATE OR REPLACE TRIGGER ledger_balance_guard BEFORE INSERT ON ledger_balance
  FOR EACH ROW EXECUTE FUNCTION ledger_guard_balance();
CREATE OR REPLACE TRIGGER ledger_ledgeraccount_guard BEFORE UPDATE ON ledger_ledgeraccount
  FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();

CREATE OR REPLACE TRIGGER ledger_entryreference_stays BEFORE TRUNCATE ON ledger_entryreference
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_posting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_posting
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_hold_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_hold
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_holdevent_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_holdevent
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_statuschange_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_statuschange
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_balancesnapshot_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_balancesnapshot
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_balance_stays BEFORE DELETE OR TRUNCATE ON ledger_balance
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_ledgeraccount_stays BEFORE DELETE OR TRUNCATE ON ledger_ledgeraccount
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- verify_ledger asks for the references of a span of numbers, and those were written about in that order.
CREATE INDEX IF NOT EXISTS ledger_entryreference_entry_brin ON ledger_entryreference USING brin (entry_id)
  WITH (autosummarize = on, pages_per_range = 32);
