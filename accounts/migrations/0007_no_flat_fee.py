from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0006_fees"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='account',
            name='accounts_account_terms_not_negative',
        ),
        migrations.RemoveConstraint(
            model_name='product',
            name='accounts_product_terms_not_negative',
        ),
        migrations.RemoveField(
            model_name='account',
            name='transfer_fee_minor',
        ),
        migrations.RemoveField(
            model_name='product',
            name='transfer_fee_minor',
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('interest_rate__gte', 0), ('overdraft_rate__gte', 0)), name='accounts_account_terms_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('min_balance_minor__gte', 0), ('overdraft_minor__gte', 0), ('interest_rate__gte', 0), ('min_opening_minor__gt', 0), ('overdraft_rate__gte', 0)), name='accounts_product_terms_not_negative'),
        ),
    ]
