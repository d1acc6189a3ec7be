"""Monthly statements and their files."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models.account import Account
from common.money import Money


class StatementFile(models.Model):
    """A file in the private store. The row is written before the file, so that no file is ever nameless."""

    name = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class MonthlyStatement(models.Model):
    """The statement of one account for one calendar month, issued once. Nothing about it ever changes.

    `number` counts an account's statements from 1. Each goes on at the posting where the one before ended, so a posting
    is on exactly one of them, however late it was booked. Amounts: minor units of the account's currency.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="monthly_statements")
    month = models.DateField(help_text="Its first day.")
    number = models.PositiveIntegerField()
    after_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    opening_minor = models.BigIntegerField("opening balance (minor units)")
    paid_in_minor = models.BigIntegerField("paid in (minor units)")
    paid_out_minor = models.BigIntegerField("paid out (minor units)")
    closing_minor = models.BigIntegerField("closing balance (minor units)")
    file = models.OneToOneField(StatementFile, on_delete=models.PROTECT, related_name="statement")
    form = models.CharField("format", max_length=7)
    size = models.BigIntegerField("size (bytes)")
    sha256 = models.CharField("SHA-256", max_length=64)
    issued_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "month"], name="accounts_monthlystatement_once"),
            models.UniqueConstraint(fields=["account", "number"], name="accounts_monthlystatement_number"),
            models.CheckConstraint(name="accounts_monthlystatement_first_day", condition=Q(month__day=1)),
            models.CheckConstraint(name="accounts_monthlystatement_number_positive", condition=Q(number__gt=0)),
            models.CheckConstraint(
                name="accounts_monthlystatement_adds_up",
                condition=Q(closing_minor=F("opening_minor") + F("paid_in_minor") - F("paid_out_minor")),
            ),
            models.CheckConstraint(
                name="accounts_monthlystatement_stretch", condition=Q(after_seq__gte=0, last_seq__gte=F("after_seq"))
            ),
            models.CheckConstraint(name="accounts_monthlystatement_form", condition=Q(form__in=["pdf", "csv"])),
            models.CheckConstraint(
                name="accounts_monthlystatement_sha256", condition=Q(sha256__regex="^[0-9a-f]{64}$")
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Statement {self.number} of account {self.account_id}"

    @property
    def closing(self) -> Money:
        """Needs the account loaded."""
        return Money(self.closing_minor, self.account.currency)
