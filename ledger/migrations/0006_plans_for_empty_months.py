"""Plans that were made while a month's partition was empty must not scan it when it has filled."""

from django.db import migrations

from ledger import sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_check_in_one_statement")]

    # A list passes the text to the server whole; splitting at semicolons would cut function bodies.
    operations = [migrations.RunSQL(sql=[sql.all_functions()], reverse_sql=migrations.RunSQL.noop)]
