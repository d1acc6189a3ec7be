import django.db.models.functions.datetime
import ledger.models
from django.db import migrations, models

from ledger import sql

DROP = """
DROP INDEX ledger_entry_xid_brin;
DROP FUNCTION ledger_seal, ledger_seal_rows, ledger_seal_digest;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0003_divide_by_month'),
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('previous', models.CharField(max_length=64)),
                ('start', ledger.models.Xid8Field()),
                ('cut', ledger.models.Xid8Field(unique=True)),
                ('entries', models.BigIntegerField()),
                ('first_entry', models.BigIntegerField()),
                ('last_entry', models.BigIntegerField()),
                ('rows_digest', models.CharField(max_length=64)),
                ('digest', models.CharField(max_length=64)),
                ('sealed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'seal',
                'constraints': [models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='ledger_seal_number_positive'), models.CheckConstraint(condition=models.Q(('entries__gte', 1)), name='ledger_seal_entries_positive'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$'), ('rows_digest__regex', '^[0-9a-f]{64}$')), name='ledger_seal_digests'), models.UniqueConstraint(fields=('previous',), name='ledger_seal_one_successor')],
            },
        ),
        # A list passes each text to the server whole; splitting at semicolons would cut function bodies.
        migrations.RunSQL(
            sql=[sql.text(stem) for stem in ("seal_digest", "seal_rows", "seal", "seal_guards")],
            reverse_sql=[DROP],
        ),
    ]
