"""What cannot be is refused by a trigger instead of a CHECK, which every decision read from its text."""

from django.db import migrations

from fraud import sql

_TRIGGER = """
CREATE TRIGGER fraud_decision_possible BEFORE INSERT ON fraud_decision
FOR EACH ROW EXECUTE FUNCTION fraud_possible();
"""
_WITHOUT = """
DROP TRIGGER fraud_decision_possible ON fraud_decision;
DROP FUNCTION fraud_possible();
"""


class Migration(migrations.Migration):
    dependencies = [("fraud", "0022_drift_references")]

    operations = [
        migrations.RemoveConstraint(model_name="activity", name="fraud_activity_number_positive"),
        migrations.RemoveConstraint(model_name="decision", name="fraud_decision_possible"),
        # A list passes the text to the server whole; splitting at semicolons would cut the function's body.
        migrations.RunSQL(sql=[sql.text("possible"), _TRIGGER], reverse_sql=_WITHOUT),
    ]
