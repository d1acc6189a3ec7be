"""A posting moves both balances with one statement, and the checks on one entry do without aggregates."""

from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_past_of_internal_accounts")]

    # A list passes the text to the server whole; splitting at semicolons would cut function bodies.
    operations = [migrations.RunSQL(sql=[sql.all_functions()], reverse_sql=migrations.RunSQL.noop)]
