"""Interest that was posted."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models.account import Account


class InterestPosting(models.Model):
    """The interest of one account up to the end of one month (or its closing), posted once. Nothing about it ever changes.

    It covers [since, until), going on where the one before ended. Amounts: minor units of the account's currency.
    `unpaid_minor` is overdraft interest that the account could not cover; the next posting asks for it again.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="interest_postings")
    period = models.DateField(help_text="The first day of its month; of a closing, of the month of closing.")
    since = models.DateField()
    until = models.DateField()
    earned_minor = models.BigIntegerField("paid to the customer (minor units)")
    charged_minor = models.BigIntegerField("overdraft interest charged (minor units)")
    unpaid_minor = models.BigIntegerField("overdraft interest carried over (minor units)")
    entry_id = models.BigIntegerField("ledger entry", null=True, unique=True)
    posted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "period"], name="accounts_interestposting_once"),
            models.CheckConstraint(name="accounts_interestposting_first_day", condition=Q(period__day=1)),
            models.CheckConstraint(name="accounts_interestposting_stretch", condition=Q(since__lte=F("until"))),
            models.CheckConstraint(
                name="accounts_interestposting_not_negative",
                condition=Q(earned_minor__gte=0, charged_minor__gte=0, unpaid_minor__gte=0),
            ),
            models.CheckConstraint(
                name="accounts_interestposting_entry",
                condition=Q(earned_minor=0, charged_minor=0, entry_id__isnull=True)
                | (~Q(earned_minor=0, charged_minor=0) & Q(entry_id__isnull=False)),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Interest of account {self.account_id} for {self.period:%Y-%m}"
