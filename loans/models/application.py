"""Asking for a loan, and what was decided with which inputs."""

from __future__ import annotations

import functools
import operator
import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.money import Money
from loans.models.product import LoanProduct

_FIGURES = (
    "customer",
    "product",
    "account",
    "amount_minor",
    "currency",
    "instalments",
    "tranches",
    "purpose",
    "employment",
    "income_minor",
    "obligations_minor",
)


def _changed(*names: str) -> pgtrigger.Q:
    """The trigger's condition that one of these fields is another than before."""
    return functools.reduce(
        operator.or_, (pgtrigger.Q(**{f"old__{name}__df": pgtrigger.F(f"new__{name}")}) for name in names)
    )


class Application(models.Model):
    """One wish for a loan. Its own figures stay once it is submitted; the offer is written when it is approved.

    Amounts: minor units of `currency`; income and obligations are per month, as the customer says.
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        SUBMITTED = "SUBMITTED", "Submitted"
        REFERRED = "REFERRED", "Referred"
        APPROVED = "APPROVED", "Approved"
        DECLINED = "DECLINED", "Declined"
        ACCEPTED = "ACCEPTED", "Accepted"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        EXPIRED = "EXPIRED", "Expired"

    class Employment(models.TextChoices):
        EMPLOYED = "EMPLOYED", "Employed"
        SELF_EMPLOYED = "SELF_EMPLOYED", "Self-employed"
        RETIRED = "RETIRED", "Retired"
        STUDENT = "STUDENT", "Student"
        OTHER = "OTHER", "Something else"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="loan_applications")
    product = models.ForeignKey(LoanProduct, on_delete=models.PROTECT, related_name="applications")
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    instalments = models.PositiveSmallIntegerField()
    # What of the amount is paid out later, in order, as {"after_months", "amount"}; the rest comes at once.
    tranches = models.JSONField(default=list)
    purpose = models.CharField(max_length=140, blank=True)
    employment = models.CharField(max_length=13, choices=Employment, blank=True)
    income_minor = models.BigIntegerField(null=True)
    obligations_minor = models.BigIntegerField(null=True)
    offered_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    # The offer, as `rules.parsing` reads it, but for the day it starts on.
    offered_terms = models.JSONField(null=True)
    offer_until = models.DateField(null=True)
    first_approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    second_approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="loans_application_amount", condition=Q(amount_minor__gt=0, instalments__gt=0)),
            models.CheckConstraint(
                name="loans_application_figures",
                condition=(Q(income_minor__isnull=True) | Q(income_minor__gte=0))
                & (Q(obligations_minor__isnull=True) | Q(obligations_minor__gte=0)),
            ),
            models.CheckConstraint(
                name="loans_application_complete",
                condition=Q(status__in=["DRAFT", "WITHDRAWN"])
                | (
                    Q(
                        account__isnull=False,
                        income_minor__isnull=False,
                        obligations_minor__isnull=False,
                        submitted_at__isnull=False,
                    )
                    & ~Q(employment="")
                ),
            ),
            models.CheckConstraint(
                name="loans_application_offer",
                condition=~Q(status__in=["APPROVED", "ACCEPTED"])
                | Q(offered_rate__isnull=False, offered_terms__isnull=False, offer_until__isnull=False),
            ),
            models.CheckConstraint(
                name="loans_application_not_own",
                condition=(Q(first_approver__isnull=True) | ~Q(first_approver=F("customer")))
                & (Q(second_approver__isnull=True) | ~Q(second_approver=F("customer"))),
            ),
            models.CheckConstraint(
                name="loans_application_four_eyes",
                condition=Q(second_approver__isnull=True)
                | (Q(first_approver__isnull=False) & ~Q(second_approver=F("first_approver"))),
            ),
            # The wizard resumes the one draft there is, and nobody has two wishes decided at a time.
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(status__in=["DRAFT", "SUBMITTED", "REFERRED", "APPROVED"]),
                name="loans_application_one_open",
            ),
        ]
        indexes = [
            models.Index(fields=["submitted_at"], condition=Q(status="REFERRED"), name="loans_application_queue"),
            models.Index(fields=["offer_until"], condition=Q(status="APPROVED"), name="loans_application_offers"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="application_moves",
                field="status",
                transitions=[
                    ("DRAFT", "SUBMITTED"),
                    ("DRAFT", "WITHDRAWN"),
                    ("SUBMITTED", "REFERRED"),
                    ("SUBMITTED", "APPROVED"),
                    ("SUBMITTED", "DECLINED"),
                    ("SUBMITTED", "WITHDRAWN"),
                    ("REFERRED", "APPROVED"),
                    ("REFERRED", "DECLINED"),
                    ("REFERRED", "WITHDRAWN"),
                    ("APPROVED", "ACCEPTED"),
                    ("APPROVED", "WITHDRAWN"),
                    ("APPROVED", "EXPIRED"),
                ],
            ),
            pgtrigger.Protect(
                name="application_figures_stay",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="DRAFT") & _changed(*_FIGURES),
            ),
            pgtrigger.Protect(name="application_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"Application {self.pk}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


# Sent and not yet ended: the account that was named would get the money.
IN_DECISION = (Application.Status.SUBMITTED, Application.Status.REFERRED, Application.Status.APPROVED)
OPEN_STATES = (Application.Status.DRAFT, *IN_DECISION)


class Decision(models.Model):
    """What the policy or an officer said about an application, with everything it was based on. Never changed."""

    class Outcome(models.TextChoices):
        APPROVE = "APPROVE", "Approve"
        RECOMMEND = "RECOMMEND", "Recommend to a second officer"
        REFER = "REFER", "Refer"
        DECLINE = "DECLINE", "Decline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=9, choices=Outcome)
    # Empty: the policy decided.
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=2000, blank=True)
    # What the customer reads, as [code, text] pairs; the full file is in `inputs`.
    reasons = models.JSONField(default=list)
    score = models.SmallIntegerField()
    score_version = models.CharField(max_length=12)
    policy = models.ForeignKey("loans.Policy", on_delete=models.PROTECT, related_name="+")
    inputs = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="loans_decision_by_whom",
                condition=Q(officer__isnull=True, reason="")
                | (Q(officer__isnull=False) & ~Q(reason="") & ~Q(outcome="REFER")),
            ),
        ]
        triggers = [pgtrigger.Protect(name="decision_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.outcome} of {self.application_id}"
