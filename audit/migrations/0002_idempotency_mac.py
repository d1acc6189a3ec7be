from django.db import migrations


class Migration(migrations.Migration):
    """Answers kept under the old digest match no request any more; they expire within a day."""

    dependencies = [
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.RenameField(model_name="idempotencyrecord", old_name="body_sha256", new_name="body_mac"),
    ]
