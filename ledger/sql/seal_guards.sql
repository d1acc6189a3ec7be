-- The guards on the tables of this room that triggers.sql does not know, and the index that finds what is not sealed yet:
-- a few bytes for every 32 pages, because transaction ids grow in the order in which entries are stored.
CREATE OR REPLACE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE INDEX IF NOT EXISTS ledger_entry_xid_brin ON ledger_entry USING brin (((xid::text)::bigint))
  WITH (autosummarize = on, pages_per_range = 32);
