"""Another plan for a loan in trouble."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from loans.models.loan import Loan


class Restructure(models.Model):
    """New terms for a loan in trouble: one officer proposes, another decides."""

    class Status(models.TextChoices):
        PROPOSED = "PROPOSED", "Proposed"
        APPROVED = "APPROVED", "Approved"
        REFUSED = "REFUSED", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="restructures")
    status = models.CharField(max_length=8, choices=Status, default=Status.PROPOSED)
    instalments = models.PositiveSmallIntegerField(null=True)
    annual_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    first_due_date = models.DateField(null=True)
    # So many instalments pay nothing; goes alone.
    pause_instalments = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=2000)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=2000, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="loans_restructure_four_eyes", condition=Q(checker__isnull=True) | ~Q(checker=F("maker"))
            ),
            models.CheckConstraint(
                name="loans_restructure_decided",
                condition=Q(status="PROPOSED", checker__isnull=True, checked_at__isnull=True)
                | (~Q(status="PROPOSED") & Q(checker__isnull=False, checked_at__isnull=False)),
            ),
            models.UniqueConstraint(fields=["loan"], condition=Q(status="PROPOSED"), name="loans_restructure_one_open"),
            models.CheckConstraint(
                name="loans_restructure_pause_alone",
                condition=Q(pause_instalments__isnull=True)
                | Q(instalments__isnull=True, annual_rate__isnull=True, first_due_date__isnull=True),
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="restructure_moves",
                field="status",
                transitions=[("PROPOSED", "APPROVED"), ("PROPOSED", "REFUSED")],
            ),
            pgtrigger.ReadOnly(
                name="restructure_stays",
                fields=[
                    "loan",
                    "instalments",
                    "annual_rate",
                    "first_due_date",
                    "pause_instalments",
                    "reason",
                    "maker",
                    "made_at",
                ],
            ),
            pgtrigger.Protect(name="restructure_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Restructure of {self.loan_id}"
