"""Model versions as sealed arrays, and what people switched on and off while the engine runs."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from fraud.models.guards import append_only
from fraud.rules.learning.layers import LayerName


class ModelState(models.TextChoices):
    CHALLENGER = "CHALLENGER", "Challenger"
    NOMINATED = "NOMINATED", "Waiting for approval"
    CHAMPION = "CHAMPION", "Champion"
    RETIRED = "RETIRED", "Retired"


class ModelVersion(models.Model):
    """One training's result. `manifest` is the text that `signature` covers; it names every file with its SHA-256."""

    State = ModelState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=ModelState, default=ModelState.CHALLENGER)
    manifest = models.TextField()
    signature = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    trained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: the clock."
    )
    nominated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    nominated_at = models.DateTimeField(null=True)
    promoted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    promoted_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="CHAMPION"), name="fraud_model_one_champion"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="NOMINATED"), name="fraud_model_one_nominated"),
            models.CheckConstraint(
                condition=Q(promoted_by__isnull=True)
                | Q(nominated_by__isnull=False) & ~Q(promoted_by=F("nominated_by")),
                name="fraud_model_promoted_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state="CHAMPION") | Q(promoted_by__isnull=False, promoted_at__isnull=False),
                name="fraud_model_champion_was_promoted",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="model_state_moves",
                field="state",
                transitions=[
                    ("CHALLENGER", "NOMINATED"),
                    ("CHALLENGER", "RETIRED"),
                    ("NOMINATED", "CHALLENGER"),
                    ("NOMINATED", "CHAMPION"),
                    ("CHAMPION", "RETIRED"),
                    ("RETIRED", "CHAMPION"),
                ],
            ),
            pgtrigger.Protect(
                name="model_content_fixed",
                operation=pgtrigger.UpdateOf("number", "manifest", "signature", "created_at", "trained_by_id"),
            ),
            pgtrigger.Protect(name="model_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Model {self.number}"


class ModelComparison(models.Model):
    """A challenger beside the champion of then, on matured labels of payments that neither learnt from.

    `low` and `high` bound what the challenger's average precision is above the champion's, in 95 of 100 resamples; empty
    while labels are too few.
    """

    challenger = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="comparisons")
    champion = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    compared_at = models.DateTimeField()
    frauds = models.PositiveIntegerField()
    others = models.PositiveIntegerField()
    champion_precision = models.FloatField(null=True)
    challenger_precision = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(low__isnull=True, high__isnull=True) | Q(low__lte=F("high")),
                name="fraud_modelcomparison_interval",
            )
        ]
        triggers = append_only("model_comparison")

    def __str__(self) -> str:
        return f"Comparison {self.pk}"


class ModelFile(models.Model):
    """The arrays of one layer, as NumPy writes them without pickle."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=40)
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["version", "name"], name="fraud_modelfile_name_unique")]
        triggers = append_only("model_file")

    def __str__(self) -> str:
        return f"{self.name} of {self.version_id}"


class ConfigChange(models.Model):
    """A switch as somebody left it. The latest row counts; the earlier ones say how it came to that."""

    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    reason = models.TextField(max_length=2000)

    class Meta:
        abstract = True
        default_permissions = ()


class FeaturesConfig(ConfigChange):
    """Whether a feature is computed; one that is switched off is unknown to every rule and layer."""

    name = models.CharField(max_length=60)
    enabled = models.BooleanField()

    class Meta(ConfigChange.Meta):
        verbose_name = "switch of the engine"
        verbose_name_plural = "switches of the engine"
        indexes = [models.Index(fields=["name", "-id"], name="fraud_featuresconfig_latest")]
        triggers = append_only("features_config")

    def __str__(self) -> str:
        return f"{self.name} {'on' if self.enabled else 'off'}"


class ModelVersionConfig(ConfigChange):
    """Whether a layer of the champion takes part in decisions."""

    layer = models.CharField(max_length=20, choices=[(name.value, name.value) for name in LayerName])
    enabled = models.BooleanField()

    class Meta(ConfigChange.Meta):
        indexes = [models.Index(fields=["layer", "-id"], name="fraud_modelconfig_latest")]
        triggers = append_only("model_version_config")

    def __str__(self) -> str:
        return f"{self.layer} {'on' if self.enabled else 'off'}"


class ThresholdConfig(ConfigChange):
    """From which score on a model's word flags a payment, and from which it blocks one."""

    changed_by = models.ForeignKey(  # type: ignore[assignment]  # empty here only
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: the weekly recalibration.",
    )
    flag_at = models.FloatField()
    block_at = models.FloatField()

    class Meta(ConfigChange.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(flag_at__gt=0.0, block_at__gt=F("flag_at"), block_at__lte=1.0),
                name="fraud_thresholdconfig_order",
            )
        ]
        triggers = append_only("threshold_config")

    def __str__(self) -> str:
        return f"flag at {self.flag_at}, block at {self.block_at}"


class AlertBudgetConfig(ConfigChange):
    """The shares of traffic that models may have held for review and refused; the thresholds follow them weekly."""

    flagged_share = models.FloatField()
    blocked_share = models.FloatField()

    class Meta(ConfigChange.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(blocked_share__gt=0.0, flagged_share__gt=F("blocked_share"), flagged_share__lte=0.2),
                name="fraud_alertbudgetconfig_order",
            )
        ]
        triggers = append_only("alert_budget_config")

    def __str__(self) -> str:
        return f"hold {self.flagged_share:.2%}, refuse {self.blocked_share:.2%}"
