"""Load the functions and triggers of `ledger/sql`. A later change of a file gets a migration of its own that loads it again."""

from django.db import migrations

from ledger import sql

DROP = """
ALTER TABLE ledger_balance DROP CONSTRAINT IF EXISTS ledger_balance_follows_account;
DO $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t
     WHERE t.tgrelid::regclass::text LIKE 'ledger\\_%' AND NOT t.tgisinternal AND t.tgname LIKE 'ledger\\_%'
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.relation);
  END LOOP;
  FOR found IN
    SELECT p.oid::regprocedure AS signature FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'ledger\\_%'
  LOOP
    EXECUTE format('DROP FUNCTION %s', found.signature);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    # RunSQL with a list passes each text to the server whole; splitting at semicolons would cut function bodies.
    operations = [
        migrations.RunSQL(
            sql=[sql.all_functions(), sql.text("triggers")],
            reverse_sql=[DROP],
        ),
    ]
