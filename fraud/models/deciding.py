"""Rules and their versions, decisions as they were made, cases for people, and what people found out."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from fraud.models.guards import append_only
from fraud.models.vectors import VectorField
from fraud.rules.facts import Outcome
from fraud.rules.fraud_kinds import WORDS


class RuleState(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    BACKTEST = "BACKTEST", "Tried on the past"
    SHADOW = "SHADOW", "In shadow"
    LIVE = "LIVE", "Live"
    RETIRED = "RETIRED", "Retired"


class RuleAction(models.TextChoices):
    FLAG = "FLAG", "Hold for review"
    BLOCK = "BLOCK", "Refuse"


class Rule(models.Model):
    """One version of one rule. What it says is fixed once it leaves DRAFT; a change is a new version.

    DRAFT, then BACKTEST (tried on stored payments), then SHADOW (asked about every payment, decides nothing), then
    LIVE by another person's approval, then RETIRED.
    """

    State = RuleState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=80)
    condition = models.JSONField()
    action = models.CharField(max_length=5, choices=RuleAction)
    customer_text = models.CharField("what the customer reads", max_length=200)
    state = models.CharField(max_length=8, choices=RuleState, default=RuleState.DRAFT)
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: shipped."
    )
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    shadow_at = models.DateTimeField(null=True)
    live_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="fraud_rule_code_version_unique"),
            models.UniqueConstraint(fields=["code"], condition=Q(state="LIVE"), name="fraud_rule_one_live"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(state__in=["DRAFT", "BACKTEST", "SHADOW"]), name="fraud_rule_one_candidate"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="fraud_rule_version_positive"),
            models.CheckConstraint(
                condition=Q(maker__isnull=True) | Q(checker__isnull=True) | ~Q(maker=F("checker")),
                name="fraud_rule_maker_is_not_checker",
            ),
            # What people wrote goes live only with a second name; what was shipped may start live.
            models.CheckConstraint(
                condition=Q(live_at__isnull=True) | Q(maker__isnull=True) | Q(checker__isnull=False),
                name="fraud_rule_live_was_checked",
            ),
            models.CheckConstraint(
                condition=~Q(state="LIVE") | Q(live_at__isnull=False), name="fraud_rule_live_has_moment"
            ),
            models.CheckConstraint(
                condition=~Q(state="SHADOW") | Q(shadow_at__isnull=False), name="fraud_rule_shadow_has_moment"
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="rule_state_moves",
                field="state",
                transitions=[
                    ("DRAFT", "BACKTEST"),
                    ("DRAFT", "RETIRED"),
                    ("BACKTEST", "DRAFT"),
                    ("BACKTEST", "SHADOW"),
                    ("BACKTEST", "RETIRED"),
                    ("SHADOW", "DRAFT"),
                    ("SHADOW", "LIVE"),
                    ("SHADOW", "RETIRED"),
                    ("LIVE", "RETIRED"),
                ],
            ),
            pgtrigger.Trigger(
                name="rule_shadow_after_backtest",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Q(new__state="SHADOW") & ~pgtrigger.Q(old__state="SHADOW"),
                func="""
                    IF NOT EXISTS (SELECT FROM fraud_backtest AS tried WHERE tried.rule_id = NEW.id
                                      AND tried.condition = NEW.condition AND tried.finished_at IS NOT NULL
                                      AND tried.error = '') THEN
                        RAISE EXCEPTION 'rule % v% was not tried on the past as it stands', NEW.code, NEW.version;
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="rule_text_fixed",
                operation=pgtrigger.UpdateOf(
                    "code", "version", "name", "condition", "action", "customer_text", "maker_id"
                ),
                condition=~pgtrigger.Q(old__state="DRAFT"),
            ),
            pgtrigger.Protect(name="rule_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class Ruleset(models.Model):
    """One row whose token changes with what is live, so that each process knows at once that its copy is old.

    A token and not a number: after a rollback a number would come again and mean something else.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token = models.UUIDField(default=uuid.uuid4)
    changed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="fraud_ruleset_single_row")]

    def __str__(self) -> str:
        return f"ruleset {self.token}"


class Decision(models.Model):
    """What was known about a payment, what was decided and why. Written once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    customer_id = models.UUIDField()
    account_ref = models.UUIDField()
    account_label = models.CharField(max_length=80, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    amount_base_minor = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    transfer_type = models.CharField(max_length=12)
    channel = models.CharField(max_length=8)
    beneficiary_ref = models.CharField(max_length=64, blank=True)
    beneficiary_label = models.CharField(max_length=120, blank=True)
    ip = models.GenericIPAddressField(null=True)
    country = models.CharField(max_length=2, blank=True)
    home_country = models.CharField(max_length=2, blank=True)
    device = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=8, choices=[(outcome.value, outcome.title()) for outcome in Outcome])
    score = models.FloatField()
    # What each layer said, from 0 to 1, and how much they agreed; empty for decisions without models.
    layers = models.JSONField(default=dict)
    primary_method = models.CharField(max_length=20, blank=True)
    confidence = models.CharField(max_length=6, blank=True)
    agreement_percent = models.SmallIntegerField(null=True)
    # Which model took part; not a foreign key, because it costs a look-up in every payment.
    model_id = models.UUIDField(null=True)
    reasons = models.JSONField(default=list)
    rule_versions = models.JSONField(default=dict)
    features = VectorField()
    schema_hash = models.CharField(max_length=64, blank=True)
    latency_ms = models.FloatField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["customer_id", "at"], name="fraud_decision_customer"),
            models.Index(fields=["subject_kind", "subject_id"], name="fraud_decision_subject"),
            models.Index(fields=["at", "id"], name="fraud_decision_at"),
        ]
        # What cannot be is refused by `fraud/sql/possible.sql`.
        triggers = append_only("decision")

    def __str__(self) -> str:
        return f"Decision {str(self.pk)[:8]}"


class CaseStatus(models.TextChoices):
    OPEN = "OPEN", "Open"
    RELEASED = "RELEASED", "Released"
    DECLINED = "DECLINED", "Declined"
    EXPIRED = "EXPIRED", "Expired"
    CANCELLED = "CANCELLED", "Cancelled"


class CaseQuerySet(models.QuerySet["Case"]):
    def open_first(self) -> CaseQuerySet:
        """The queue: open cases, the most urgent and then the soonest due first; then the rest, latest first."""
        return self.annotate(is_closed=~Q(status=CaseStatus.OPEN)).order_by(
            "is_closed",
            F("decided_at").desc(nulls_first=True),
            F("dossier__urgency").desc(),
            "dossier__due_at",
            "opened_at",
            "id",
        )

    def leading(self) -> CaseQuerySet:
        """One row for each open dossier, its oldest open case; closed cases each on their own."""
        earlier = Case.objects.filter(dossier=OuterRef("dossier"), status=CaseStatus.OPEN).filter(
            Q(opened_at__lt=OuterRef("opened_at")) | Q(opened_at=OuterRef("opened_at"), id__lt=OuterRef("id"))
        )
        return self.exclude(Q(status=CaseStatus.OPEN) & Exists(earlier))


class Case(models.Model):
    """One payment that a person looks at, and what was decided about it. It lies in a `Dossier` with others.

    A flagged payment waits for the decision. A blocked one is only judged, and so is an approved one that was drawn
    by lot: no money waits for them.
    """

    Status = CaseStatus

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="case")
    dossier = models.ForeignKey("fraud.Dossier", on_delete=models.PROTECT, related_name="cases")
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    customer_id = models.UUIDField()
    beneficiary_ref = models.CharField(max_length=64, blank=True)
    transfer_type = models.CharField(max_length=12)
    amount_base_minor = models.BigIntegerField(null=True)
    outcome = models.CharField(
        max_length=8, choices=[("FLAGGED", "Held"), ("BLOCKED", "Refused"), ("SAMPLED", "Sample")]
    )
    status = models.CharField(max_length=9, choices=CaseStatus, default=CaseStatus.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["opened_at", "id"], name="fraud_case_queue", condition=Q(status="OPEN")),
            models.Index(fields=["customer_id", "opened_at"], name="fraud_case_customer"),
            models.Index(fields=["subject_kind", "subject_id"], name="fraud_case_subject"),
            models.Index(
                fields=["dossier", "opened_at", "id"], name="fraud_case_of_dossier", condition=Q(status="OPEN")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="OPEN", decided_at__isnull=True, decided_by__isnull=True)
                | Q(status__in=["RELEASED", "DECLINED"], decided_at__isnull=False, decided_by__isnull=False)
                & ~Q(reason="")
                | Q(status__in=["EXPIRED", "CANCELLED"], decided_at__isnull=False),
                name="fraud_case_decision_complete",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="case_status_moves",
                field="status",
                transitions=[("OPEN", "RELEASED"), ("OPEN", "DECLINED"), ("OPEN", "EXPIRED"), ("OPEN", "CANCELLED")],
            ),
            pgtrigger.Protect(
                name="case_closed_stays",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="OPEN"),
            ),
            pgtrigger.Protect(name="case_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Case {str(self.pk)[:8]}"


class CaseNote(models.Model):
    """What an analyst wrote down on the way. Written once."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        triggers = append_only("note")

    def __str__(self) -> str:
        return f"Note {self.pk}"


class Label(models.Model):
    """Whether a decision turned out to be fraud, and since when that is known: the material of learning."""

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="label")
    is_fraud = models.BooleanField()
    kind = models.CharField(
        "kind of fraud",
        max_length=12,
        blank=True,
        choices=[(str(kind), words) for kind, words in WORDS.items()],
        help_text="Empty: not fraud, or of a kind that nobody gave.",
    )
    labelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    labelled_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(is_fraud=True) | Q(kind=""), name="fraud_label_kind_of_fraud"),
        ]
        triggers = append_only("label")

    def __str__(self) -> str:
        return f"Label {self.pk}"
