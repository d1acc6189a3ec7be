"""The order in which a payment is spent was one of three names; it becomes the list of the twelve that the name stood for."""

import json

import django.db.models.lookups
import loans.models.product
import loans.rules.spending
from django.db import migrations, models

_WHENS = ["PAST_DUE", "DUE", "IN_ADVANCE"]
_PARTS = {
    "CHARGES_FIRST": ["PENALTY", "FEE", "INTEREST", "PRINCIPAL"],
    "INTEREST_FIRST": ["INTEREST", "PRINCIPAL", "FEE", "PENALTY"],
    "PRINCIPAL_FIRST": ["PRINCIPAL", "INTEREST", "FEE", "PENALTY"],
}
_LISTS = {name: [f"{when}:{part}" for when in _WHENS for part in parts] for name, parts in _PARTS.items()}


def spell_out(apps, schema_editor):
    for product in apps.get_model("loans", "LoanProduct").objects.all():
        product.allocation = json.dumps(_LISTS[product.allocation])
        product.save()


def name_again(apps, schema_editor):
    """An order that has no name becomes the first one."""
    names = {tuple(order): name for name, order in _LISTS.items()}
    for product in apps.get_model("loans", "LoanProduct").objects.all():
        product.allocation = names.get(tuple(json.loads(product.allocation)), "CHARGES_FIRST")
        product.save()


class Migration(migrations.Migration):

    dependencies = [
        ('loans', '0005_rhythm'),
    ]

    operations = [
        migrations.AlterField(
            model_name='loanproduct',
            name='allocation',
            field=models.TextField(default="CHARGES_FIRST"),
        ),
        migrations.RunPython(spell_out, name_again),
        migrations.AlterField(
            model_name='loanproduct',
            name='allocation',
            field=models.JSONField(default=loans.rules.spending.default_order, validators=[loans.models.product.require_order], verbose_name='a payment is spent on'),
        ),
        migrations.AddConstraint(
            model_name='loanproduct',
            constraint=models.CheckConstraint(condition=models.Q(('allocation__contains', ['PAST_DUE:PENALTY', 'PAST_DUE:FEE', 'PAST_DUE:INTEREST', 'PAST_DUE:PRINCIPAL', 'DUE:PENALTY', 'DUE:FEE', 'DUE:INTEREST', 'DUE:PRINCIPAL', 'IN_ADVANCE:PENALTY', 'IN_ADVANCE:FEE', 'IN_ADVANCE:INTEREST', 'IN_ADVANCE:PRINCIPAL']), django.db.models.lookups.Exact(models.Func('allocation', function='jsonb_array_length', output_field=models.IntegerField()), 12)), name='loans_product_allocation'),
        ),
    ]
