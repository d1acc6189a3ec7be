"""Vectors are written as lists: those of before stay objects, and are read as they are."""

import fraud.models.vectors
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('fraud', '0015_step_without_look_up'),
    ]

    operations = [
        migrations.AlterField(
            model_name='decision',
            name='features',
            field=fraud.models.vectors.VectorField(),
        ),
    ]
