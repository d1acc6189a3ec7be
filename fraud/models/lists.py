"""What people wrote down beside the rules: block and allow lists, and rules made quiet for one customer or account."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from fraud.rules.lists import Listing, ListKind


class EntryState(models.TextChoices):
    PENDING = "PENDING", "Waiting for approval"
    ACTIVE = "ACTIVE", "In force"
    ENDED = "ENDED", "Ended"


class ListEntry(models.Model):
    """A payee, device, network or country that is blocked at once, or for which some soft rules are quiet.

    `key` and `shape` are how payments are looked up by it. An ALLOW entry needs a second person and an end; ending a
    BLOCK entry needs somebody else than its author. What it says never changes.
    """

    State = EntryState

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listing = models.CharField("list", max_length=5, choices=[(Listing.BLOCK, "Block"), (Listing.ALLOW, "Allow")])
    kind = models.CharField(
        max_length=7,
        choices=[
            (ListKind.PAYEE, "Payee"),
            (ListKind.DEVICE, "Device"),
            (ListKind.NETWORK, "Address or network"),
            (ListKind.COUNTRY, "Country of the request"),
        ],
    )
    value = models.CharField(max_length=200)
    label = models.CharField(max_length=120, blank=True)
    shape = models.CharField(max_length=12)
    key = models.BigIntegerField()
    rules = models.JSONField(default=list)
    reason = models.TextField(max_length=2000)
    state = models.CharField(max_length=7, choices=EntryState, default=EntryState.PENDING)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    checker = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    active_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name = "entry of a list"
        verbose_name_plural = "block and allow lists"
        indexes = [
            models.Index(fields=["key"], name="fraud_listentry_key", condition=Q(state="ACTIVE")),
            models.Index(fields=["shape"], name="fraud_listentry_shape", condition=Q(state="ACTIVE")),
            models.Index(fields=["-created_at", "id"], name="fraud_listentry_latest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(listing="BLOCK", rules=[]) | Q(listing="ALLOW", ends_at__isnull=False) & ~Q(rules=[]),
                name="fraud_listentry_allow_is_bounded",
            ),
            models.CheckConstraint(
                condition=~Q(listing="ALLOW") | Q(active_at__isnull=True) | Q(checker__isnull=False),
                name="fraud_listentry_allow_was_checked",
            ),
            models.CheckConstraint(
                condition=Q(checker__isnull=True) | ~Q(checker=F("maker")), name="fraud_listentry_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(listing="BLOCK") | Q(ended_by__isnull=True) | ~Q(ended_by=F("maker")),
                name="fraud_listentry_block_ended_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state="PENDING", active_at__isnull=True, ended_at__isnull=True)
                | Q(state="ACTIVE", active_at__isnull=False, ended_at__isnull=True)
                | Q(state="ENDED", ended_at__isnull=False, ended_by__isnull=False),
                name="fraud_listentry_state_complete",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="listentry_state_moves",
                field="state",
                transitions=[("PENDING", "ACTIVE"), ("PENDING", "ENDED"), ("ACTIVE", "ENDED")],
            ),
            pgtrigger.Protect(
                name="listentry_text_fixed",
                operation=pgtrigger.UpdateOf(
                    "listing",
                    "kind",
                    "value",
                    "label",
                    "shape",
                    "key",
                    "rules",
                    "reason",
                    "maker_id",
                    "created_at",
                    "ends_at",
                ),
            ),
            pgtrigger.Protect(
                name="listentry_ended_stays", operation=pgtrigger.Update, condition=pgtrigger.Q(old__state="ENDED")
            ),
            pgtrigger.Protect(name="listentry_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.get_listing_display()} {self.label or self.value}"


class SnoozeHolder(models.TextChoices):
    CUSTOMER = "CUSTOMER", "Customer"
    ACCOUNT = "ACCOUNT", "Account"


class Snooze(models.Model):
    """A soft rule that is quiet for one customer or account until `ends_at`, or until somebody ends it before."""

    Holder = SnoozeHolder

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule_code = models.CharField("rule", max_length=40)
    holder = models.CharField(max_length=8, choices=SnoozeHolder)
    holder_id = models.UUIDField()
    label = models.CharField(max_length=120)
    reason = models.TextField(max_length=2000)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["holder_id"], name="fraud_snooze_holder", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["rule_code", "from_at"], name="fraud_snooze_rule"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("from_at")), name="fraud_snooze_period"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="fraud_snooze_end_complete",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="snooze_text_fixed",
                operation=pgtrigger.UpdateOf(
                    "rule_code", "holder", "holder_id", "label", "reason", "maker_id", "from_at", "ends_at"
                ),
            ),
            pgtrigger.Protect(
                name="snooze_ended_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            pgtrigger.Protect(name="snooze_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.rule_code} for {self.label}"
