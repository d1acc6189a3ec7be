"""Outside statements, their lines, and what was matched with what. A match that was undone stays on record."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from common.money import Money
from reconciliation.rules.outside import Source


class Rule(models.TextChoices):
    REFERENCE = "REFERENCE", "By reference"
    AMOUNT = "AMOUNT", "By amount and date"
    SUM = "SUM", "By sum"
    MANUAL = "MANUAL", "By hand"


class OutsideStatement(models.Model):
    """A file of the bank where we hold an account, read once: the same file again is the same statement."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ledger_account = models.ForeignKey("ledger.LedgerAccount", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    source = models.CharField("format", max_length=7, choices=[(source.value, source.value) for source in Source])
    file_name = models.CharField(max_length=100)
    sha256 = models.CharField("SHA-256", max_length=64)
    first_date = models.DateField()
    last_date = models.DateField()
    line_count = models.PositiveIntegerField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name = "outside statement"
        constraints = [
            models.UniqueConstraint(
                fields=["ledger_account", "sha256"], name="reconciliation_outsidestatement_file_once"
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.first_date} to {self.last_date})"


class Line(models.Model):
    """One booking of the other bank; a positive amount came in there. Minor units of the statement's currency."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    statement = models.ForeignKey(OutsideStatement, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    booked_date = models.DateField()
    amount_minor = models.BigIntegerField("amount (minor units)")
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=140, blank=True)
    description = models.CharField(max_length=500, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = "statement line"
        constraints = [
            models.UniqueConstraint(fields=["statement", "number"], name="reconciliation_line_number"),
        ]
        triggers = [pgtrigger.Protect(name="never_changed", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"Line {self.number} of {str(self.statement_id)[:8]}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Match(models.Model):
    """Lines and postings with the same sum. `made_by` is empty where a rule found it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ledger_account = models.ForeignKey("ledger.LedgerAccount", on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=9, choices=Rule)
    amount_minor = models.BigIntegerField("amount (minor units)")
    currency = models.CharField(max_length=3)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    reason = models.TextField(blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "matches"
        constraints = [
            models.CheckConstraint(
                name="reconciliation_match_undone",
                condition=Q(undone_at=None, undone_by=None, undo_reason="")
                | (Q(undone_at__isnull=False, undone_by__isnull=False) & ~Q(undo_reason="")),
            ),
            models.CheckConstraint(
                name="reconciliation_match_by_hand",
                condition=(Q(rule="MANUAL", made_by__isnull=False) & ~Q(reason=""))
                | (Q(made_by=None) & ~Q(rule="MANUAL")),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="facts_fixed",
                fields=["id", "ledger_account", "rule", "amount_minor", "currency", "made_by", "made_at", "reason"],
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Match {self.pk}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class MatchedLine(models.Model):
    """A line in a match; in one that stands it is at most once."""

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="matches")
    stands = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["line"], condition=Q(stands=True), name="reconciliation_matchedline_once"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} in {self.match_id}"


class MatchedPosting(models.Model):
    """A posting of the ledger in a match, by entry and place; in one that stands it is at most once."""

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="postings")
    entry_id = models.BigIntegerField()
    no = models.SmallIntegerField()
    stands = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["entry_id", "no"], condition=Q(stands=True), name="reconciliation_matchedposting_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}/{self.no} in {self.match_id}"
