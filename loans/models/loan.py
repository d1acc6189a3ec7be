"""The running loan: its frozen terms, what happened to it, what that came to, and the subledger under the loan accounts."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.money import Money
from loans.models.application import Application
from loans.models.product import LoanProduct
from loans.rules.collecting import Collecting
from loans.rules.events import EventType

_APPEND_ONLY = pgtrigger.Update | pgtrigger.Delete


class Loan(models.Model):
    """Money lent. `terms` never change; events do what happens to them. Amounts: minor units of `currency`.

    `principal_minor` is what was agreed, `disbursed_minor` what of it is paid out. The four balances are what is booked as
    owed, the sums of its movements. `accruals` holds the interest earned and unpaid on each day from `accruals_from` on if
    nothing happens, so that most days need no computing.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        CLOSED = "CLOSED", "Closed"
        CANCELLED = "CANCELLED", "Cancelled"
        WRITTEN_OFF = "WRITTEN_OFF", "Written off"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="loan")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="loans")
    product = models.ForeignKey(LoanProduct, on_delete=models.PROTECT, related_name="loans")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    principal_minor = models.BigIntegerField()
    annual_rate = models.DecimalField(max_digits=5, decimal_places=2)
    apr = models.DecimalField("APR", max_digits=9, decimal_places=2, null=True)
    terms = models.JSONField()
    # How it is collected: in part, and how often again after how many days.
    takes_partial = models.BooleanField()
    retries = models.PositiveSmallIntegerField(default=10)
    retry_days = models.PositiveSmallIntegerField(default=1)
    cooling_off_until = models.DateField()
    status = models.CharField(max_length=11, choices=Status, default=Status.ACTIVE)
    start_date = models.DateField()
    maturity_date = models.DateField()
    disbursed_at = models.DateTimeField()
    disbursed_minor = models.BigIntegerField()
    closed_at = models.DateTimeField(null=True)

    principal_balance_minor = models.BigIntegerField(default=0)
    interest_balance_minor = models.BigIntegerField(default=0)
    fee_balance_minor = models.BigIntegerField(default=0)
    penalty_balance_minor = models.BigIntegerField(default=0)
    # Part of the interest balance that is not income yet, because the loan is non-performing.
    suspended_minor = models.BigIntegerField(default=0)
    allowance_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)
    recovered_minor = models.BigIntegerField(default=0)

    events_count = models.PositiveIntegerField(default=0)
    last_event_date = models.DateField()
    accrued_to = models.DateField()
    accruals_from = models.DateField()
    accruals = models.JSONField()
    # The earliest due date of which something is unpaid; empty when nothing is to come.
    next_due_date = models.DateField(null=True)
    days_past_due = models.PositiveIntegerField(default=0)
    worst_days_past_due = models.PositiveIntegerField(default=0)
    non_performing_since = models.DateField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="loans_loan_amounts",
                condition=Q(
                    principal_minor__gt=0,
                    disbursed_minor__gt=0,
                    disbursed_minor__lte=F("principal_minor"),
                    principal_balance_minor__lte=F("disbursed_minor"),
                    principal_balance_minor__gte=0,
                    interest_balance_minor__gte=0,
                    fee_balance_minor__gte=0,
                    penalty_balance_minor__gte=0,
                    suspended_minor__gte=0,
                    suspended_minor__lte=F("interest_balance_minor"),
                    allowance_minor__gte=0,
                    written_off_minor__gte=0,
                    recovered_minor__gte=0,
                    recovered_minor__lte=F("written_off_minor"),
                ),
            ),
            models.CheckConstraint(
                name="loans_loan_ended_owes_nothing",
                condition=Q(status="ACTIVE", closed_at__isnull=True)
                | Q(
                    closed_at__isnull=False,
                    principal_balance_minor=0,
                    interest_balance_minor=0,
                    fee_balance_minor=0,
                    penalty_balance_minor=0,
                    allowance_minor=0,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["next_due_date"], condition=Q(status="ACTIVE"), name="loans_loan_due"),
            models.Index(fields=["accrued_to", "id"], condition=Q(status="ACTIVE"), name="loans_loan_accrue"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="loan_moves",
                field="status",
                transitions=[("ACTIVE", "CLOSED"), ("ACTIVE", "CANCELLED"), ("ACTIVE", "WRITTEN_OFF")],
            ),
            pgtrigger.ReadOnly(
                name="loan_terms_stay",
                fields=[
                    "application",
                    "customer",
                    "product",
                    "account",
                    "currency",
                    "principal_minor",
                    "annual_rate",
                    "apr",
                    "terms",
                    "takes_partial",
                    "retries",
                    "retry_days",
                    "cooling_off_until",
                    "start_date",
                    "disbursed_at",
                ],
            ),
            pgtrigger.Protect(name="loan_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Loan {self.pk}"

    @property
    def principal(self) -> Money:
        return Money(self.principal_minor, self.currency)

    @property
    def disbursed(self) -> Money:
        """What is paid out of it so far."""
        return Money(self.disbursed_minor, self.currency)

    @property
    def collecting(self) -> Collecting:
        return Collecting(partial=self.takes_partial, retries=self.retries, retry_days=self.retry_days)

    @property
    def owed_minor(self) -> int:
        """Everything booked as owed today, by whatever part."""
        return (
            self.principal_balance_minor
            + self.interest_balance_minor
            + self.fee_balance_minor
            + self.penalty_balance_minor
        )


class LoanEvent(models.Model):
    """Something that happened to a loan, in order; the schedule engine replays them. Never changed.

    `client_id` names the wish behind it, so that one that comes twice happens once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    day = models.DateField()
    type = models.CharField(max_length=12, choices=[(each.value, each.value.capitalize()) for each in EventType])
    # The event's own fields, as `rules.events` reads them.
    fields = models.JSONField(default=dict)
    client_id = models.UUIDField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    principal_minor = models.BigIntegerField(default=0)
    interest_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    penalty_minor = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["loan", "number"], name="loans_event_order"),
            models.UniqueConstraint(fields=["loan", "client_id"], name="loans_event_once"),
        ]
        triggers = [pgtrigger.Protect(name="event_stays", operation=_APPEND_ONLY)]

    def __str__(self) -> str:
        return f"{self.type} {self.number} of {self.loan_id}"

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor


class Movement(models.Model):
    """One change of what a loan owes or of what is set aside for it, and the ledger entry that booked it. Never changed.

    Positive: more is owed. Sums over all movements equal the loan accounts of the ledger, to the cent.
    """

    class Kind(models.TextChoices):
        DISBURSEMENT = "DISBURSEMENT", "Paid out"
        ACCRUAL = "ACCRUAL", "Accrued"
        REPAYMENT = "REPAYMENT", "Repaid"
        CANCELLATION = "CANCELLATION", "Cancelled"
        SUSPENSION = "SUSPENSION", "Interest suspended"
        PROVISION = "PROVISION", "Set aside"
        WRITE_OFF = "WRITE_OFF", "Written off"
        RECOVERY = "RECOVERY", "Recovered"

    id = models.BigAutoField(primary_key=True)
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=12, choices=Kind)
    # The day for a daily kind, the event for the others: what makes it happen once.
    period = models.CharField(max_length=40)
    day = models.DateField()
    principal_minor = models.BigIntegerField(default=0)
    interest_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    penalty_minor = models.BigIntegerField(default=0)
    suspended_minor = models.BigIntegerField(default=0)
    allowance_minor = models.BigIntegerField(default=0)
    entry_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["loan", "kind", "period"], name="loans_movement_once")]
        indexes = [models.Index(fields=["entry_id"], name="loans_movement_entry")]
        triggers = [pgtrigger.Protect(name="movement_stays", operation=_APPEND_ONLY)]

    def __str__(self) -> str:
        return f"{self.kind} {self.period} of {self.loan_id}"


class Instalment(models.Model):
    """A row of the loan's schedule as it stands after its last event. Amounts in minor units."""

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="instalments")
    number = models.PositiveSmallIntegerField()
    from_date = models.DateField()
    due_date = models.DateField()
    principal_minor = models.BigIntegerField()
    interest_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    penalty_minor = models.BigIntegerField()
    paid_principal_minor = models.BigIntegerField()
    paid_interest_minor = models.BigIntegerField()
    paid_fee_minor = models.BigIntegerField()
    paid_penalty_minor = models.BigIntegerField()
    outstanding_minor = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["loan", "number"], name="loans_instalment_once"),
            models.CheckConstraint(
                name="loans_instalment_paid_within_due",
                condition=Q(
                    paid_principal_minor__gte=0,
                    paid_principal_minor__lte=F("principal_minor"),
                    paid_interest_minor__gte=0,
                    paid_interest_minor__lte=F("interest_minor"),
                    paid_fee_minor__gte=0,
                    paid_fee_minor__lte=F("fee_minor"),
                    paid_penalty_minor__gte=0,
                    paid_penalty_minor__lte=F("penalty_minor"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"Instalment {self.number} of {self.loan_id}"

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.fee_minor + self.penalty_minor

    @property
    def paid_minor(self) -> int:
        return self.paid_principal_minor + self.paid_interest_minor + self.paid_fee_minor + self.paid_penalty_minor

    @property
    def unpaid_minor(self) -> int:
        return self.total_minor - self.paid_minor


class Collection(models.Model):
    """One try a day to collect what is due from the customer's account, and what came of it. Never changed."""

    class Outcome(models.TextChoices):
        COLLECTED = "COLLECTED", "Collected"
        PARTIAL = "PARTIAL", "Collected in part"
        FAILED = "FAILED", "Not collected"

    id = models.BigAutoField(primary_key=True)
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="collections")
    day = models.DateField()
    outcome = models.CharField(max_length=9, choices=Outcome)
    due_minor = models.BigIntegerField()
    collected_minor = models.BigIntegerField()
    reason = models.CharField(max_length=40, blank=True)
    event = models.OneToOneField(LoanEvent, null=True, on_delete=models.PROTECT, related_name="collection")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["loan", "day"], name="loans_collection_once_a_day"),
            models.CheckConstraint(
                name="loans_collection_facts",
                condition=Q(outcome="COLLECTED", event__isnull=False, collected_minor=F("due_minor"))
                | Q(outcome="PARTIAL", event__isnull=False, collected_minor__gt=0, collected_minor__lt=F("due_minor"))
                | (Q(outcome="FAILED", event__isnull=True, collected_minor=0) & ~Q(reason="")),
            ),
        ]
        triggers = [pgtrigger.Protect(name="collection_stays", operation=_APPEND_ONLY)]

    def __str__(self) -> str:
        return f"Collection of {self.loan_id} on {self.day}"


class Notice(models.Model):
    """A customer was told of something about a loan; once for each kind and period."""

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=12)
    period = models.CharField(max_length=40)
    day = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["loan", "kind", "period"], name="loans_notice_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.period} of {self.loan_id}"
