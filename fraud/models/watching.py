"""What is looked at beside live decisions: rules tried on the past, challengers in shadow, drift."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from fraud.models.deciding import Decision, Rule
from fraud.models.guards import append_only
from fraud.models.registry import ModelVersion


class Backtest(models.Model):
    """A rule's condition asked about stored decisions of `[from_at, to_at)`. Empty `finished_at`: still to do."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="backtests")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decisions_total = models.PositiveIntegerField(default=0)
    decisions_done = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["requested_at"], name="fraud_backtest_open", condition=Q(finished_at__isnull=True))
        ]
        constraints = [models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="fraud_backtest_period")]

    def __str__(self) -> str:
        return f"Backtest {str(self.pk)[:8]}"


class ShadowScore(models.Model):
    """What a challenger would have said about a decision, from the vector that the decision kept."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=8)
    score = models.FloatField()
    layers = models.JSONField()
    scored_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["decision", "version"], name="fraud_shadowscore_once"),
            models.CheckConstraint(condition=Q(score__gte=0.0, score__lte=1.0), name="fraud_shadowscore_range"),
        ]
        triggers = append_only("shadow_score")

    def __str__(self) -> str:
        return f"Shadow score {self.pk}"


class DriftReport(models.Model):
    """The stability index of each feature and of the score, of the week before `day` beside the 30 days before that."""

    day = models.DateField(unique=True)
    rows = models.PositiveIntegerField()
    features = models.JSONField()
    score = models.FloatField()
    alert_share = models.FloatField()
    label_delay_hours = models.FloatField(null=True)
    drifted = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        triggers = append_only("drift_report")

    def __str__(self) -> str:
        return f"Drift of {self.day}"
