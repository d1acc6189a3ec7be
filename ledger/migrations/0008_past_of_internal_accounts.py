"""A look at an internal account's past opens the stretch around the moment, and those that were booked out of turn."""

from django.db import migrations, models
from django.db.models import Q

from ledger import sql

# Snapshots from before do not know whether they are late: their postings do.
FIND_LATE = """
ALTER TABLE ledger_balancesnapshot DISABLE TRIGGER USER;
UPDATE ledger_balancesnapshot t SET is_late = true
  FROM (SELECT b.id, b.account_id, b.cut, lag(b.cut) OVER w AS cut_before, lag(b.last_booked_at) OVER w AS last_before
          FROM ledger_balancesnapshot b WINDOW w AS (PARTITION BY b.account_id ORDER BY b.cut)) s
 WHERE s.id = t.id
   AND EXISTS (SELECT FROM ledger_posting p
                WHERE p.account_id = s.account_id AND p.account_seq IS NULL AND p.xid >= s.cut_before AND p.xid < s.cut
                  AND p.booked_at < s.last_before - interval '1 minute');
ALTER TABLE ledger_balancesnapshot ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_search_in_one_statement")]

    operations = [
        migrations.AddField("balancesnapshot", "is_late", models.BooleanField(db_default=False)),
        migrations.RunSQL(sql=FIND_LATE, reverse_sql=migrations.RunSQL.noop),
        migrations.AddIndex(
            "balancesnapshot",
            models.Index(fields=["account", "last_booked_at", "cut"], name="ledger_balancesnapshot_time"),
        ),
        migrations.AddIndex(
            "balancesnapshot",
            models.Index(fields=["account", "cut"], condition=Q(is_late=True), name="ledger_balancesnapshot_late"),
        ),
        # A list passes the text to the server whole; splitting at semicolons would cut function bodies.
        migrations.RunSQL(sql=[sql.all_functions()], reverse_sql=migrations.RunSQL.noop),
    ]
