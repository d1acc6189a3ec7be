-- Append-only tables: no UPDATE, DELETE or TRUNCATE, whoever asks. Statement level, so that it costs an INSERT nothing.
CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is not allowed: the ledger is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'BK090';
END $$;
