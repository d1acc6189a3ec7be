"""Money that arrived, as a worker scored it, and what a person made of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from fraud.models.guards import append_only


class CreditScore(models.Model):
    """One credit of a customer's account. The subject is the payment in its owner's tables; amounts are minor units."""

    subject_kind = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    customer_id = models.UUIDField()
    account_ref = models.UUIDField()
    account_label = models.CharField(max_length=120, blank=True)
    payer_ref = models.CharField(max_length=64)
    payer_label = models.CharField(max_length=120, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    amount_base_minor = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    score = models.FloatField()
    reasons = models.JSONField(default=list)
    scored_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name = "credit"
        indexes = [
            models.Index(fields=["account_ref", "at"], name="fraud_creditscore_account"),
            models.Index(fields=["-at", "-id"], name="fraud_creditscore_newest"),
            models.Index(fields=["at"], condition=Q(score__gte=0.5), name="fraud_creditscore_suspicious"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["subject_kind", "subject_id"], name="fraud_creditscore_once"),
            models.CheckConstraint(condition=Q(score__gte=0.0, score__lte=1.0), name="fraud_creditscore_range"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="fraud_creditscore_amount_positive"),
        ]
        triggers = append_only("credit_score")

    def __str__(self) -> str:
        return f"Credit {self.pk}"


class CreditReview(models.Model):
    """A person's word about a credit, said once."""

    credit = models.OneToOneField(CreditScore, on_delete=models.PROTECT, related_name="review")
    is_fraud = models.BooleanField()
    reason = models.TextField(max_length=2000)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = append_only("credit_review")

    def __str__(self) -> str:
        return f"Review {self.pk}"
