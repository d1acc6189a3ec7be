"""What is looked at beside live decisions: rules tried on the past, challengers in shadow, drift."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from fraud.models.deciding import Decision, Rule
from fraud.models.guards import append_only
from fraud.models.registry import ModelVersion


class BacktestKind(models.TextChoices):
    RULE = "RULE", "A rule"
    THRESHOLDS = "THRESHOLDS", "Thresholds"
    ENGINE = "ENGINE", "The engine as it is now"


class Backtest(models.Model):
    """Something tried on stored decisions of `[from_at, to_at)`. Empty `finished_at`: still to do.

    A rule's condition (as it stood when somebody asked), thresholds, or the whole engine after something changed. An
    `error` says why there is no result. `alive_at` is when a worker last wrote how far it is.
    """

    Kind = BacktestKind

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=BacktestKind, default=BacktestKind.RULE)
    rule = models.ForeignKey(Rule, null=True, on_delete=models.PROTECT, related_name="backtests")
    condition = models.JSONField(null=True)
    flag_at = models.FloatField(null=True)
    block_at = models.FloatField(null=True)
    # Of the engine that was tried: its rules, lists, model and switches.
    ruleset_token = models.UUIDField(null=True)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: the clock."
    )
    requested_at = models.DateTimeField()
    decisions_total = models.PositiveIntegerField(default=0)
    decisions_done = models.PositiveIntegerField(default=0)
    alive_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    error = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["requested_at"], name="fraud_backtest_open", condition=Q(finished_at__isnull=True))
        ]
        constraints = [
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="fraud_backtest_period"),
            models.CheckConstraint(
                condition=Q(kind="RULE", rule__isnull=False, condition__isnull=False)
                | Q(kind="THRESHOLDS", flag_at__gt=0.0, block_at__gt=F("flag_at"), block_at__lte=1.0)
                | Q(kind="ENGINE", ruleset_token__isnull=False),
                name="fraud_backtest_kind_complete",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="backtest_question_fixed",
                operation=pgtrigger.UpdateOf(
                    "kind",
                    "rule_id",
                    "condition",
                    "flag_at",
                    "block_at",
                    "ruleset_token",
                    "from_at",
                    "to_at",
                    "requested_by_id",
                    "requested_at",
                ),
            ),
            pgtrigger.Protect(
                name="backtest_result_fixed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            ),
            pgtrigger.Protect(name="backtest_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Backtest {str(self.pk)[:8]}"


class SilentWhy(models.TextChoices):
    SHADOW = "SHADOW", "In shadow"
    SNOOZED = "SNOOZED", "Snoozed"
    ALLOWED = "ALLOWED", "On an allow list"


class SilentHit(models.Model):
    """A version of a rule hit a payment and decided nothing: it was in shadow, snoozed, or silenced by an allow list.

    `by` is the snooze's or the entry's key, empty for shadow.
    """

    Why = SilentWhy

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="silent_hits", db_index=False)
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="silent_hits", db_index=False)
    why = models.CharField(max_length=7, choices=SilentWhy)
    by = models.UUIDField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["rule", "-id"], name="fraud_silenthit_rule")]
        constraints = [models.UniqueConstraint(fields=["decision", "rule"], name="fraud_silenthit_once")]
        triggers = append_only("silent_hit")

    def __str__(self) -> str:
        return f"Silent hit {self.pk}"


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


class DriftPart(models.TextChoices):
    FEATURES = "FEATURES", "Features"
    SCORE = "SCORE", "Score"


class DriftReference(models.Model):
    """What later weeks are compared with while a model is in charge: fixed once, kept with the model's version.

    The payments of `(from_at, to_at]`, by the bins of `fraud.rules.drift`. Without `version`: no model was in charge.
    """

    Part = DriftPart

    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    part = models.CharField(max_length=8, choices=DriftPart)
    schema_hash = models.CharField(max_length=64)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    bins = models.JSONField()
    frozen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "part", "schema_hash"], nulls_distinct=False, name="fraud_driftreference_once"
            ),
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at"), rows__gt=0), name="fraud_driftreference_period"),
        ]
        triggers = append_only("drift_reference")

    def __str__(self) -> str:
        return f"Drift reference {self.pk}"


class DriftReport(models.Model):
    """The stability index of each feature and of the score, of the week before `day` beside what each refers to.

    Reports without references compared with the 30 days before that week. `score` is empty while a model has not been in
    charge for long enough.
    """

    day = models.DateField(unique=True)
    rows = models.PositiveIntegerField()
    features = models.JSONField()
    score = models.FloatField(null=True)
    features_reference = models.ForeignKey(DriftReference, null=True, on_delete=models.PROTECT, related_name="+")
    score_reference = models.ForeignKey(DriftReference, null=True, on_delete=models.PROTECT, related_name="+")
    alert_share = models.FloatField()
    label_delay_hours = models.FloatField(null=True)
    drifted = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        triggers = append_only("drift_report")

    def __str__(self) -> str:
        return f"Drift of {self.day:%-d %B %Y}"
