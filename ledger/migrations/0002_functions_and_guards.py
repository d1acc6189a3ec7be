"""Functions and triggers were loaded here before the tables were divided by month. The newest migration loads all of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations: list[migrations.operations.base.Operation] = []
