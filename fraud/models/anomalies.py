"""The forest that says how unusual a payment looks, and what it said."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q

from fraud.models.deciding import Decision
from fraud.models.guards import append_only


class AnomalyModel(models.Model):
    """A fitted Isolation Forest as plain arrays (no pickle), with what it was fitted on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fitted_at = models.DateTimeField(db_index=True)
    window_from_at = models.DateTimeField()
    window_to_at = models.DateTimeField()
    row_count = models.PositiveIntegerField()
    schema_hash = models.CharField(max_length=64)
    arrays = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        triggers = [pgtrigger.Protect(name="anomaly_model_fixed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"Isolation Forest {str(self.pk)[:8]}"


class AnomalyScore(models.Model):
    """How unusual a payment looked beside the last 90 days: 0.99 means more unusual than 99 of 100. Decides nothing."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, primary_key=True, related_name="anomaly")
    # What it was measured by; not a foreign key, because old models are thrown away.
    model_id = models.UUIDField()
    model_rows = models.PositiveIntegerField()
    model_window_to_at = models.DateTimeField()
    percentile = models.FloatField()
    deviations = models.JSONField(default=list)
    scored_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(percentile__gte=0.0, percentile__lte=1.0), name="fraud_anomalyscore_range"
            )
        ]
        triggers = append_only("anomaly_score")

    def __str__(self) -> str:
        return f"Anomaly score {self.pk}"
