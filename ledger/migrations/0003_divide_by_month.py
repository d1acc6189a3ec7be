"""Divide entries and postings by month, and give entries numbers that begin with their month.

Rows that exist are copied. An old number stays as the end of the new one: entry 42 of November 2026 becomes 2611000000000042.
"""

import django.db.models.deletion
from django.db import migrations, models

import ledger.models
from ledger import sql

# Guards rest while the tables are rebuilt; all of it is one transaction.
TAKE_GUARDS_OFF = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE ledger_balance DROP CONSTRAINT IF EXISTS ledger_balance_follows_account;
DO $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE t.tgrelid::regclass::text LIKE 'ledger\\_%' AND NOT t.tgisinternal AND t.tgname LIKE 'ledger\\_%'
       AND t.tgparentid = 0
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.relation);
  END LOOP;
END $$;
"""

# One entry, one time: the latest that any of its accounts had seen. Moving a leg may move those after it, until all rests.
SETTLE_TIMES = """
DO $$
DECLARE
  moved bigint;
BEGIN
  LOOP
    UPDATE ledger_entry e SET booked_at = p.latest
      FROM (SELECT entry_id, max(booked_at) AS latest FROM ledger_posting GROUP BY entry_id) p
     WHERE p.entry_id = e.id AND p.latest > e.booked_at;
    UPDATE ledger_posting p SET booked_at = e.booked_at
      FROM ledger_entry e WHERE e.id = p.entry_id AND p.booked_at <> e.booked_at;
    WITH running AS (
      SELECT entry_id, no, max(booked_at) OVER (PARTITION BY account_id ORDER BY account_seq) AS latest
        FROM ledger_posting WHERE account_seq IS NOT NULL)
    UPDATE ledger_posting p SET booked_at = r.latest
      FROM running r WHERE (r.entry_id, r.no) = (p.entry_id, p.no) AND r.latest > p.booked_at;
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXIT WHEN moved = 0;
  END LOOP;
  UPDATE ledger_balance b SET booked_at = p.latest
    FROM (SELECT account_id, max(booked_at) AS latest FROM ledger_posting
           WHERE account_seq IS NOT NULL GROUP BY account_id) p
   WHERE p.account_id = b.account_id AND b.booked_at IS DISTINCT FROM p.latest;
END $$;
"""

# Functions of before: some changed their kind or their result, which replacing them does not allow; some are gone.
FORGET = """
DO $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT p.oid::regprocedure AS routine FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'ledger\\_%'
  LOOP
    EXECUTE format('DROP ROUTINE %s', found.routine);
  END LOOP;
END $$;
"""

DIVIDE = """
CREATE SEQUENCE ledger_entry_number MAXVALUE 999999999999 OWNED BY ledger_entryreference.entry_id;
SELECT setval('ledger_entry_number', max(id)) FROM ledger_entry HAVING max(id) IS NOT NULL;

CREATE TABLE ledger_renumbered AS SELECT id AS was, ledger_first_id(booked_at) + id AS number FROM ledger_entry;
ALTER TABLE ledger_renumbered ADD PRIMARY KEY (was);

INSERT INTO ledger_entryreference (external_ref, entry_id, reverses_id, xid)
SELECT e.external_ref, n.number, r.number, e.xid
  FROM ledger_entry e JOIN ledger_renumbered n ON n.was = e.id LEFT JOIN ledger_renumbered r ON r.was = e.reverses_id;

ALTER TABLE ledger_entry RENAME TO ledger_flat_entry;
ALTER TABLE ledger_posting RENAME TO ledger_flat_posting;
ALTER TABLE ledger_flat_entry RENAME CONSTRAINT ledger_entry_pkey TO ledger_flat_entry_pkey;
ALTER TABLE ledger_flat_posting RENAME CONSTRAINT ledger_posting_pkey TO ledger_flat_posting_pkey;
ALTER INDEX ledger_posting_internal_xid RENAME TO ledger_flat_posting_internal_xid;
CREATE TABLE ledger_entry (LIKE ledger_flat_entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id);
CREATE TABLE ledger_posting (LIKE ledger_flat_posting INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (entry_id);
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_in_its_month
  CHECK (id >= ledger_first_id(booked_at) AND id < ledger_first_id(booked_at) + 1000000000000);
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_in_its_month
  CHECK (entry_id >= ledger_first_id(booked_at) AND entry_id < ledger_first_id(booked_at) + 1000000000000);
SELECT ledger_make_partition('ledger_entry', 'ledger_entry_default', NULL, NULL);
SELECT ledger_make_partition('ledger_posting', 'ledger_posting_default', NULL, NULL);
SELECT ledger_make_months(month, month) FROM (SELECT DISTINCT date_trunc('month', booked_at, 'UTC') AS month FROM ledger_flat_entry) m;

INSERT INTO ledger_entry (id, external_ref, kind, description, booked_at, value_date, source_kind, source_id, created_at, xid, reverses_id)
SELECT n.number, e.external_ref, e.kind, e.description, e.booked_at, e.value_date, e.source_kind, e.source_id, e.created_at, e.xid, r.number
  FROM ledger_flat_entry e JOIN ledger_renumbered n ON n.was = e.id LEFT JOIN ledger_renumbered r ON r.was = e.reverses_id;
INSERT INTO ledger_posting (no, amount, currency, booked_at, account_seq, balance_after, xid, account_id, entry_id)
SELECT p.no, p.amount, p.currency, p.booked_at, p.account_seq, p.balance_after, p.xid, p.account_id, n.number
  FROM ledger_flat_posting p JOIN ledger_renumbered n ON n.was = p.entry_id;
"""

# The unique index of (account, sequence) is not here: ledger_make_partition gives each partition its own.
KEYS = """
ALTER TABLE ledger_entry ADD PRIMARY KEY (id);
ALTER TABLE ledger_posting ADD PRIMARY KEY (entry_id, no);
CREATE INDEX ledger_posting_internal_xid ON ledger_posting (account_id, xid, entry_id) INCLUDE (amount) WHERE account_seq IS NULL;
"""

# What pointed at the old numbers. Payments keeps them without a foreign key, behind triggers of its own.
FOLLOW = """
DO $$
DECLARE
  key record;
BEGIN
  FOR key IN
    SELECT c.conname, c.conrelid::regclass AS relation, a.attname AS field
      FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f' AND c.confrelid = 'ledger_flat_entry'::regclass
  LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.relation, key.conname);
    EXECUTE format('UPDATE %s t SET %I = n.number FROM ledger_renumbered n WHERE n.was = t.%I',
                   key.relation, key.field, key.field);
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES ledger_entry DEFERRABLE INITIALLY DEFERRED',
                   key.relation, key.conname, key.field);
  END LOOP;
  IF to_regclass('public.payments_payment') IS NOT NULL AND EXISTS (SELECT FROM ledger_renumbered) THEN
    ALTER TABLE payments_payment DISABLE TRIGGER USER;
    UPDATE payments_payment t SET entry_id = n.number FROM ledger_renumbered n WHERE n.was = t.entry_id;
    UPDATE payments_payment t SET reversal_entry_id = n.number FROM ledger_renumbered n WHERE n.was = t.reversal_entry_id;
    ALTER TABLE payments_payment ENABLE TRIGGER USER;
  END IF;
END $$;
DROP TABLE ledger_flat_posting, ledger_flat_entry, ledger_renumbered;
"""

# The functions stay, for an operator who only wants the tables back; without triggers nothing calls them.
FLATTEN = """
CREATE TABLE ledger_flat_entry (LIKE ledger_entry INCLUDING DEFAULTS);
CREATE TABLE ledger_flat_posting (LIKE ledger_posting INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO ledger_flat_entry SELECT * FROM ledger_entry;
INSERT INTO ledger_flat_posting SELECT * FROM ledger_posting;
DO $$
DECLARE
  key record;
BEGIN
  FOR key IN SELECT conname, conrelid::regclass AS relation FROM pg_constraint
              WHERE contype = 'f' AND confrelid = 'ledger_entry'::regclass AND conparentid = 0
  LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.relation, key.conname);
  END LOOP;
END $$;
DROP TABLE ledger_posting, ledger_entry;
DROP SEQUENCE ledger_entry_number;
ALTER TABLE ledger_flat_entry RENAME TO ledger_entry;
ALTER TABLE ledger_flat_posting RENAME TO ledger_posting;
ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_in_its_month;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_pkey PRIMARY KEY (id),
  ADD CONSTRAINT ledger_entry_external_ref_key UNIQUE (external_ref),
  ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_pkey PRIMARY KEY (entry_id, no);
CREATE UNIQUE INDEX ledger_posting_account_seq ON ledger_posting (account_id, account_seq) WHERE account_seq IS NOT NULL;
CREATE UNIQUE INDEX ledger_entry_one_reversal ON ledger_entry (reverses_id) WHERE reverses_id IS NOT NULL;
CREATE INDEX ledger_posting_internal_xid ON ledger_posting (account_id, xid, entry_id) INCLUDE (amount) WHERE account_seq IS NULL;
ALTER TABLE ledger_holdevent ADD CONSTRAINT ledger_holdevent_entry_id_fk
  FOREIGN KEY (entry_id) REFERENCES ledger_entry DEFERRABLE INITIALLY DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_functions_and_guards")]

    # RunSQL with a list passes each text to the server whole; splitting at semicolons would cut function bodies.
    operations = [
        migrations.RunSQL(sql=[TAKE_GUARDS_OFF, SETTLE_TIMES], reverse_sql=migrations.RunSQL.noop),
        migrations.CreateModel(
            name="EntryReference",
            fields=[
                ("external_ref", models.UUIDField(primary_key=True, serialize=False)),
                ("xid", ledger.models.Xid8Field(db_default=ledger.models.CurrentXid())),
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reference",
                        to="ledger.entry",
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.entry",
                    ),
                ),
            ],
            options={
                "verbose_name": "entry reference",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("reverses__isnull", False)),
                        fields=("reverses",),
                        name="ledger_entryreference_one_reversal",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            sql=[FORGET, sql.all_functions(), DIVIDE, KEYS, FOLLOW, sql.text("triggers")],
            reverse_sql=[TAKE_GUARDS_OFF, FLATTEN],
            state_operations=[
                migrations.RemoveConstraint(model_name="entry", name="ledger_entry_one_reversal"),
                migrations.AlterField(
                    model_name="entry", name="id", field=models.BigIntegerField(primary_key=True, serialize=False)
                ),
                migrations.AlterField(model_name="entry", name="external_ref", field=models.UUIDField()),
            ],
        ),
    ]
