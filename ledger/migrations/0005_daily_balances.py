import django.db.models.deletion
import ledger.models
from django.db import migrations, models

from ledger import sql

DROP = "DROP FUNCTION ledger_take_daily_balances, ledger_booked_on, ledger_valued_on;"


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0004_seals'),
    ]

    operations = [
        migrations.CreateModel(
            name='DailyMark',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='daily_mark', serialize=False, to='ledger.ledgeraccount')),
                ('seq', models.BigIntegerField()),
                ('cut', ledger.models.Xid8Field()),
            ],
            options={
                'verbose_name': 'mark of daily balances',
            },
        ),
        migrations.CreateModel(
            name='DailyBalance',
            fields=[
                ('pk', models.CompositePrimaryKey('account', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('booked', models.BigIntegerField()),
                ('valued', models.BigIntegerField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='daily_balances', to='ledger.ledgeraccount')),
            ],
            options={
                'verbose_name': 'daily balance',
            },
        ),
        # A list passes each text to the server whole; splitting at semicolons would cut function bodies.
        migrations.RunSQL(
            sql=[sql.text(stem) for stem in ("booked_on", "valued_on", "take_daily_balances", "daily_guards")],
            reverse_sql=[DROP],
        ),
    ]
