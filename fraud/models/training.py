"""Trainings that people ask for, and how far each is."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from fraud.models.registry import ModelVersion


class Training(models.Model):
    """A challenger to be trained by a worker on the decisions of the last `days`. Empty `finished_at`: still to do.

    `said` are the lines of its progress, `alive_at` is when a worker last wrote one. An `error` says why there is no
    `version`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    days = models.PositiveSmallIntegerField()
    trials = models.PositiveSmallIntegerField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    steps_total = models.PositiveSmallIntegerField(default=0)
    said = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    alive_at = models.DateTimeField(null=True)
    version = models.OneToOneField(ModelVersion, null=True, on_delete=models.PROTECT, related_name="training")
    error = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["requested_at"], name="fraud_training_open", condition=Q(finished_at__isnull=True))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, version__isnull=True, error="")
                | Q(finished_at__isnull=False, version__isnull=False, error="")
                | Q(finished_at__isnull=False, version__isnull=True) & ~Q(error=""),
                name="fraud_training_ends_with_one",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="training_question_fixed",
                operation=pgtrigger.UpdateOf("days", "trials", "requested_by_id", "requested_at"),
            ),
            pgtrigger.Protect(
                name="training_result_fixed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            ),
            pgtrigger.Protect(name="training_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Training {str(self.pk)[:8]}"
