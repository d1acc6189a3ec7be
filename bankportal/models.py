"""The end of the day is the bank's, not one app's: its runs and steps are the only tables here.

Django sends post_migrate only to apps that have this module, and our reference step hangs on it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class EndOfDayRun(models.Model):
    """The end of one day. `seal`: the ledger's newest seal when it was sealed; the next run's checks begin there."""

    day = models.DateField(unique=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    seal = models.BigIntegerField("newest seal", null=True)

    class Meta:
        default_permissions = ()
        verbose_name = "end of day"
        verbose_name_plural = "ends of day"

    def __str__(self) -> str:
        return f"End of {self.day}"


class EndOfDayStep(models.Model):
    """One step of a run. `note` says what it did, or what stopped it when it is not finished."""

    run = models.ForeignKey(EndOfDayRun, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=20)
    tries = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="bankportal_endofdaystep_once"),
            models.CheckConstraint(
                name="bankportal_endofdaystep_tried", condition=Q(finished_at__isnull=True) | Q(tries__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.name
