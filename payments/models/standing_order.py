"""Payments that are made by themselves on their day, and each of those days."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.money import Money
from payments.models.payment import MATCHES, Kind
from payments.rules.calendar import Plan, Unit


class StandingOrder(models.Model):
    """A payment on one day (a scheduled transfer) or on many. `next_index` counts the due dates dealt with.

    `next_date` is the due date of that number, empty when none is left. Terms never change: cancel and make a new one.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        PAUSED = "PAUSED", "Paused"
        CANCELLED = "CANCELLED", "Cancelled"
        ENDED = "ENDED", "Ended"

    KINDS: tuple[Kind, ...] = (Kind.TRANSFER, Kind.OWN_TRANSFER, Kind.WITHDRAWAL)
    UNITS = [(Unit.ONCE.value, "Once"), (Unit.WEEK.value, "Weeks"), (Unit.MONTH.value, "Months")]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="standing_orders")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.label) for kind in KINDS])
    debit_account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    credit_account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    iban = models.CharField("IBAN", max_length=34, blank=True)
    payee_name = models.CharField(max_length=140, blank=True)
    payee_match = models.CharField("name check", max_length=8, blank=True, choices=MATCHES)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=140, blank=True)
    unit = models.CharField(max_length=5, choices=UNITS)
    every = models.PositiveSmallIntegerField(default=1)
    first_date = models.DateField()
    last_date = models.DateField(null=True)
    next_index = models.PositiveIntegerField(default=0)
    next_date = models.DateField(null=True)
    status = models.CharField(max_length=9, choices=Status)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="payments_standing_amount", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="payments_standing_every", condition=Q(every__gte=1, every__lte=52)),
            models.CheckConstraint(
                name="payments_standing_dates", condition=Q(last_date__isnull=True) | Q(last_date__gte=F("first_date"))
            ),
            models.CheckConstraint(
                name="payments_standing_target",
                condition=(Q(kind=Kind.WITHDRAWAL, credit_account__isnull=True) & ~Q(iban=""))
                | (
                    Q(kind__in=[Kind.TRANSFER, Kind.OWN_TRANSFER], credit_account__isnull=False, iban="")
                    & ~Q(debit_account=F("credit_account"))
                ),
            ),
            models.CheckConstraint(
                name="payments_standing_open_has_a_date",
                condition=Q(status__in=["CANCELLED", "ENDED"], next_date__isnull=True)
                | Q(status__in=["ACTIVE", "PAUSED"], next_date__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["next_date"], condition=Q(status="ACTIVE"), name="payments_standing_due"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="terms_stay",
                fields=[
                    "id",
                    "customer",
                    "kind",
                    "debit_account",
                    "credit_account",
                    "iban",
                    "payee_name",
                    "payee_match",
                    "amount_minor",
                    "currency",
                    "description",
                    "unit",
                    "every",
                    "first_date",
                    "last_date",
                    "created_at",
                ],
            ),
            pgtrigger.FSM(
                name="standing_moves",
                field="status",
                transitions=[
                    ("ACTIVE", "PAUSED"),
                    ("PAUSED", "ACTIVE"),
                    ("ACTIVE", "CANCELLED"),
                    ("PAUSED", "CANCELLED"),
                    ("ACTIVE", "ENDED"),
                    ("PAUSED", "ENDED"),
                ],
            ),
            pgtrigger.Protect(name="standing_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Standing order {self.pk}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def plan(self) -> Plan:
        return Plan(first=self.first_date, unit=Unit(self.unit), every=self.every, last=self.last_date)


class StandingRun(models.Model):
    """One due date of a standing order, and what became of it: at most one payment, however often the task runs."""

    class Status(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"
        SKIPPED = "SKIPPED", "Skipped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(StandingOrder, on_delete=models.PROTECT, related_name="runs")
    due_date = models.DateField()
    status = models.CharField(max_length=7, choices=Status)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    payment = models.OneToOneField("payments.Payment", null=True, on_delete=models.PROTECT, related_name="standing_run")
    failure_code = models.CharField(max_length=40, blank=True)
    failure_text = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["order", "due_date"], name="payments_run_once"),
            models.CheckConstraint(
                name="payments_run_facts",
                condition=Q(status="WAITING", next_attempt_at__isnull=False, payment__isnull=True)
                | Q(status="DONE", next_attempt_at__isnull=True, payment__isnull=False)
                | (Q(status="FAILED", next_attempt_at__isnull=True, payment__isnull=True) & ~Q(failure_code=""))
                | Q(status="SKIPPED", next_attempt_at__isnull=True, payment__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status="WAITING"), name="payments_run_waiting"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="run_stays", fields=["id", "order", "due_date"]),
            pgtrigger.FSM(
                name="run_moves",
                field="status",
                transitions=[("WAITING", "DONE"), ("WAITING", "FAILED"), ("WAITING", "SKIPPED")],
            ),
            pgtrigger.Protect(name="run_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} on {self.due_date}"
