"""The fraud desk: what an officer works on, what was checked, what the customer says, and what the desk goes by."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from fraud.models.deciding import Case
from fraud.models.guards import append_only
from fraud.models.registry import ConfigChange
from fraud.rules.desk import Urgency


class Dossier(models.Model):
    """What one officer works on: all open cases of one customer about one rule. A new hit joins the open dossier.

    A `Case` stays one payment and its decision. The dossier is closed when the last of its cases is. Lock order:
    customer (advisory), dossier, case, payment.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer_id = models.UUIDField()
    rule = models.CharField(max_length=40, blank=True)
    urgency = models.PositiveSmallIntegerField(choices=[(level.value, level.name.title()) for level in Urgency])
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                F("urgency").desc(),
                "due_at",
                "id",
                name="fraud_dossier_queue",
                condition=Q(closed_at__isnull=True, assigned_to__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "rule"], condition=Q(closed_at__isnull=True), name="fraud_dossier_one_open"
            ),
            models.CheckConstraint(
                condition=Q(assigned_to__isnull=True, assigned_at__isnull=True)
                | Q(assigned_to__isnull=False, assigned_at__isnull=False),
                name="fraud_dossier_assigned_at_a_moment",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="dossier_about_fixed",
                operation=pgtrigger.UpdateOf("customer_id", "rule", "opened_at"),
                condition=pgtrigger.AnyChange("customer_id", "rule", "opened_at"),
            ),
            pgtrigger.Protect(
                name="dossier_closed_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
            pgtrigger.Protect(name="dossier_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Dossier {str(self.pk)[:8]}"


class CaseCheck(models.Model):
    """One item of the checklist of a dossier, done. Written once."""

    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="checks")
    item = models.CharField(max_length=20)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["dossier", "item"], name="fraud_casecheck_once")]
        triggers = append_only("case_check")

    def __str__(self) -> str:
        return f"{self.item} of {self.dossier_id}"


class CustomerAnswer(models.Model):
    """Whether the customer says that a payment under review was theirs. One answer; it decides nothing."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="answer")
    is_mine = models.BooleanField()
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        default_permissions = ()
        triggers = append_only("customer_answer")

    def __str__(self) -> str:
        return f"Answer {self.pk}"


class DeskConfig(ConfigChange):
    """When cases are due, and how much of what was approved is looked at anyway."""

    critical_hours = models.PositiveSmallIntegerField()
    suspicious_hours = models.PositiveSmallIntegerField()
    sample_hours = models.PositiveSmallIntegerField()
    sample_share = models.FloatField()

    class Meta(ConfigChange.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(critical_hours__gte=1, suspicious_hours__gte=1, sample_hours__gte=1),
                name="fraud_deskconfig_hours",
            ),
            models.CheckConstraint(
                condition=Q(sample_share__gte=0.0, sample_share__lte=0.1), name="fraud_deskconfig_share"
            ),
        ]
        triggers = append_only("desk_config")

    def __str__(self) -> str:
        return f"desk: {self.critical_hours}/{self.suspicious_hours}/{self.sample_hours} h, {self.sample_share}"
