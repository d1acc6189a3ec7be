"""What features are made of: each customer's steps with running totals, and what is known of payees and devices."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from fraud.models.deciding import Decision, Label
from fraud.models.guards import append_only


class Activity(models.Model):
    """One step of a customer's history, with running totals: a window is the difference between two rows.

    So an account with 20,000 payments a month costs what any other does: a window reads one row at each of its ends.
    A payment asked for is a step (`requested`), also settled when it was approved; one released later settles by a
    step of its own. Steps of a customer are written under the customer's lock, numbered without gaps, and their time
    never goes back. Totals count this step too; `settled_*` only those to others, of a known amount.
    """

    # What windows are searched by is the key: an index of numbers beside it would be written with every payment and read by none.
    pk = models.CompositePrimaryKey("customer_id", "at", "number")
    # Without a constraint of the database: written with its decision by one statement, and neither can be taken away
    # again, so that looking the decision up in every payment finds nothing new.
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    customer_id = models.UUIDField()
    number = models.IntegerField()
    at = models.DateTimeField()
    requested = models.BooleanField()
    # Minor units of the base currency; empty unless the step settled an amount to others.
    settled_minor = models.BigIntegerField(null=True)
    account_ref = models.UUIDField()
    # The first 64 bits of a hash; device and address are empty when nobody told.
    payee_key = models.BigIntegerField()
    device_key = models.BigIntegerField(null=True)
    ip_key = models.BigIntegerField(null=True)
    first_at = models.DateTimeField()
    last_request_at = models.DateTimeField(null=True)
    transfers = models.BigIntegerField()
    requests = models.BigIntegerField()
    sent_total_minor = models.BigIntegerField()
    settled = models.BigIntegerField()
    settled_total_minor = models.BigIntegerField()
    squares_high = models.BigIntegerField()
    squares_low = models.BigIntegerField()
    abroad = models.BigIntegerField()
    risky = models.BigIntegerField()
    own = models.BigIntegerField()
    account_changes = models.BigIntegerField()
    payee_settled = models.BigIntegerField()
    # The largest settled amount of 90 days and 1,000 steps, and the step that it was; longer ago than that once neither is
    # looked at again. Empty without one, and in steps that were written before this was kept.
    largest_minor = models.BigIntegerField(null=True)
    largest_number = models.IntegerField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["customer_id", "payee_key", "at", "number"], name="fraud_activity_pair"),
            models.Index(fields=["payee_key", "at"], name="fraud_activity_payee", condition=Q(requested=True)),
            models.Index(
                fields=["device_key", "at"],
                name="fraud_activity_device",
                condition=Q(requested=True, device_key__isnull=False),
            ),
            models.Index(
                fields=["ip_key", "at"], name="fraud_activity_ip", condition=Q(requested=True, ip_key__isnull=False)
            ),
        ]
        # No CHECK: the number is that of the row before plus one, and reading its text took longer than finding that row.
        triggers = append_only("activity")

    def __str__(self) -> str:
        return f"Step {self.number} of {str(self.customer_id)[:8]}"


class EntityReport(models.Model):
    """What a label says about the payee, the device or the address of a payment, from the moment it was known."""

    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="+", db_index=False)
    entity = models.CharField(max_length=11)
    key = models.BigIntegerField()
    is_fraud = models.BooleanField()
    known_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["key", "known_at"], name="fraud_report_known", condition=Q(is_fraud=True))]
        constraints = [models.UniqueConstraint(fields=["label", "entity"], name="fraud_report_label_entity_unique")]
        triggers = append_only("entity_report")

    def __str__(self) -> str:
        return f"Report {self.pk}"
