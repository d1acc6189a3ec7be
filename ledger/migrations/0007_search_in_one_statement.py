"""The place of a moment among an account's postings is searched by one statement."""

from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_plans_for_empty_months")]

    # A list passes the text to the server whole; splitting at semicolons would cut function bodies.
    operations = [migrations.RunSQL(sql=[sql.all_functions()], reverse_sql=migrations.RunSQL.noop)]
