"""The parts of a loan that are paid out after the first one."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.money import Money
from loans.models.loan import Loan, LoanEvent


class Tranche(models.Model):
    """One later part: agreed with the loan, asked for by one officer, paid out by another one's word.

    The first part is paid out with the loan and has no row. Amounts: minor units of the loan's currency.
    """

    class Status(models.TextChoices):
        PLANNED = "PLANNED", "Planned"
        ASKED = "ASKED", "Waits for a second officer"
        PAID = "PAID", "Paid out"
        CANCELLED = "CANCELLED", "Not paid out"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="tranches")
    # The first part is number 1.
    number = models.PositiveSmallIntegerField()
    amount_minor = models.BigIntegerField()
    planned_date = models.DateField()
    status = models.CharField(max_length=9, choices=Status, default=Status.PLANNED)
    reason = models.CharField(max_length=2000, blank=True)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(null=True)
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=2000, blank=True)
    paid_date = models.DateField(null=True)
    event = models.OneToOneField(LoanEvent, null=True, on_delete=models.PROTECT, related_name="tranche")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["loan", "number"], name="loans_tranche_once"),
            models.UniqueConstraint(fields=["loan"], condition=Q(status="ASKED"), name="loans_tranche_one_asked"),
            models.CheckConstraint(name="loans_tranche_amount", condition=Q(amount_minor__gt=0, number__gte=2)),
            models.CheckConstraint(
                name="loans_tranche_four_eyes", condition=Q(checker__isnull=True) | ~Q(checker=F("maker"))
            ),
            models.CheckConstraint(
                name="loans_tranche_asked",
                condition=~Q(status="ASKED") | (Q(maker__isnull=False, made_at__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="loans_tranche_paid",
                condition=Q(
                    status="PAID",
                    maker__isnull=False,
                    checker__isnull=False,
                    checked_at__isnull=False,
                    paid_date__isnull=False,
                    event__isnull=False,
                )
                | (~Q(status="PAID") & Q(paid_date__isnull=True, event__isnull=True)),
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="tranche_moves",
                field="status",
                transitions=[
                    ("PLANNED", "ASKED"),
                    ("PLANNED", "CANCELLED"),
                    ("ASKED", "PLANNED"),
                    ("ASKED", "PAID"),
                    ("ASKED", "CANCELLED"),
                ],
            ),
            pgtrigger.ReadOnly(name="tranche_stays", fields=["loan", "number", "amount_minor", "planned_date"]),
            pgtrigger.Protect(name="tranche_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.loan_id}"

    @property
    def is_open(self) -> bool:
        """Whether it may still be paid out."""
        return self.status in OPEN_TRANCHES

    def amount(self, currency: str) -> Money:
        return Money(self.amount_minor, currency)


OPEN_TRANCHES = (Tranche.Status.PLANNED, Tranche.Status.ASKED)
