"""Accounts keep the fee and the rate they were opened with; those that exist get what their product says today."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="interest_rate",
            field=models.DecimalField(
                decimal_places=2, default=0, max_digits=5, verbose_name="interest rate (% a year)"
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="transfer_fee_minor",
            field=models.BigIntegerField(default=0, verbose_name="fee for a transfer to others (minor units)"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("interest_rate__gte", 0), ("transfer_fee_minor__gte", 0)),
                name="accounts_account_terms_not_negative",
            ),
        ),
        migrations.RunSQL(
            """
            UPDATE accounts_account
               SET transfer_fee_minor = product.transfer_fee_minor, interest_rate = product.interest_rate
              FROM accounts_product AS product
             WHERE product.code = accounts_account.product_id
            """,
            migrations.RunSQL.noop,
        ),
    ]
