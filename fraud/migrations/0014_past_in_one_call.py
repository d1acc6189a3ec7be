"""What features need to know of the past is asked in one call of a function, which takes the customer's lock as well."""

from django.db import migrations

from fraud import sql


class Migration(migrations.Migration):
    dependencies = [("fraud", "0013_webhooks")]

    operations = [
        migrations.RunSQL(
            # A list passes the text to the server whole; splitting at semicolons would cut function bodies.
            sql=[sql.text("known")],
            reverse_sql=["DROP FUNCTION fraud_known"],
        )
    ]
