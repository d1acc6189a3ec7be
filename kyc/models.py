"""Applications, their documents, and the files in the store. Status changes are guarded here and in the services."""

from __future__ import annotations

import uuid
from functools import reduce
from operator import or_
from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from kyc.rules import personal

PERSONAL_FIELDS = tuple(name for name in personal.FIELDS if name != "document_number")
FINAL_ONCE_SENT = (*PERSONAL_FIELDS, "number_sealed", "number_digest", "number_masked", "user", "submitted_at")


def _any_change(fields: tuple[str, ...]) -> pgtrigger.Q:
    changes = [pgtrigger.Q(**{f"old__{field}__df": pgtrigger.F(f"new__{field}")}) for field in fields]
    return reduce(or_, changes)


class State(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    PENDING = "PENDING", "Being checked"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
    EXPIRED = "EXPIRED", "Expired"


class RejectionKind(models.TextChoices):
    RETRY = "RETRY", "May try again"
    FINAL = "FINAL", "Final"


class ApplicationQuerySet(models.QuerySet["Application"]):
    def open(self) -> Self:
        """Drafts and those waiting for a decision: a user has at most one."""
        return self.filter(state__in=[State.DRAFT, State.PENDING])

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class Application(models.Model):
    """One attempt of a person to prove who they are."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="kyc_applications")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)

    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    date_of_birth = models.DateField(null=True)
    nationality = models.CharField(max_length=2, blank=True)
    document_kind = models.CharField(max_length=20, blank=True, choices=list(personal.DOCUMENT_KINDS.items()))
    document_country = models.CharField(max_length=2, blank=True, verbose_name="issuing country")
    document_expiry = models.DateField(null=True)
    # The number itself is sealed; the digest finds the same number elsewhere, the tail is shown.
    number_sealed = models.BinaryField(default=b"", editable=False)
    number_digest = models.CharField(max_length=64, blank=True, editable=False)
    number_masked = models.CharField("document number", max_length=16, blank=True, editable=False)
    address = models.CharField(max_length=160, blank=True)
    city = models.CharField(max_length=80, blank=True)
    postcode = models.CharField(max_length=16, blank=True)
    home_country = models.CharField("country", max_length=2, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    occupation = models.CharField(max_length=20, blank=True, choices=list(personal.OCCUPATIONS.items()))
    source_of_funds = models.CharField(max_length=20, blank=True, choices=list(personal.FUNDS.items()))
    expected_monthly = models.CharField(max_length=12, blank=True, choices=list(personal.MONTHLY_AMOUNTS.items()))

    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="kyc_decisions"
    )
    rejection_kind = models.CharField(max_length=5, blank=True, choices=RejectionKind.choices)
    public_reason = models.TextField(blank=True)
    internal_comment = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(state__in=["DRAFT", "PENDING"]),
                name="kyc_application_one_open_per_user",
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="APPROVED"), name="kyc_application_one_approved_per_user"
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values)
                & (Q(rejection_kind="") | Q(rejection_kind__in=RejectionKind.values)),
                name="kyc_application_state_known",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("user")), name="kyc_application_not_own_judge"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["APPROVED", "REJECTED"])
                | Q(submitted_at__isnull=False, decided_at__isnull=False, decided_by__isnull=False),
                name="kyc_application_decision_complete",
            ),
            models.CheckConstraint(
                condition=~Q(state="PENDING") | Q(submitted_at__isnull=False, decided_at=None),
                name="kyc_application_pending_submitted",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["DRAFT", "APPROVED"]) | Q(expires_at__isnull=False),
                name="kyc_application_end_known",
            ),
            models.CheckConstraint(
                condition=Q(state="REJECTED", public_reason__gt="", rejection_kind__gt="")
                | ~Q(state="REJECTED") & Q(rejection_kind=""),
                name="kyc_application_rejection_explained",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="kyc_application_user"),
            models.Index(fields=["submitted_at"], condition=Q(state="PENDING"), name="kyc_application_queue"),
            models.Index(
                fields=["expires_at"], condition=Q(state__in=["DRAFT", "APPROVED"]), name="kyc_application_due"
            ),
            models.Index(fields=["number_digest"], condition=~Q(number_digest=""), name="kyc_application_number"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="state_machine",
                field="state",
                transitions=[
                    ("DRAFT", "PENDING"),
                    ("DRAFT", "EXPIRED"),
                    ("PENDING", "APPROVED"),
                    ("PENDING", "REJECTED"),
                    ("APPROVED", "EXPIRED"),
                ],
            ),
            pgtrigger.Protect(
                name="details_final",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="DRAFT") & _any_change(FINAL_ONCE_SENT),
            ),
        ]

    def __str__(self) -> str:
        return f"Application {str(self.pk)[:8]}"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class StoredFile(models.Model):
    """A file in the private store. The row is written first and deleted last, so that a sweep finds orphans."""

    name = models.CharField(primary_key=True, max_length=80, editable=False)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    """One uploaded document, as we wrote it anew."""

    class Kind(models.TextChoices):
        IDENTITY = "IDENTITY", "Identity document"
        ADDRESS = "ADDRESS", "Proof of address"
        SELFIE = "SELFIE", "Photo of yourself"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    stored = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="document")
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField(help_text="Bytes.")
    pages = models.PositiveSmallIntegerField()
    sha256 = models.CharField(max_length=64, help_text="Of the stored file.")
    source_sha256 = models.CharField(max_length=64, help_text="Of the file as it was sent.")
    original_name = models.CharField(max_length=100)
    uploaded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["application", "kind", "source_sha256"], name="kyc_document_once_per_application"
            ),
            models.CheckConstraint(
                condition=Q(content_type__in=["application/pdf", "image/jpeg", "image/png"]),
                name="kyc_document_content_type",
            ),
            models.CheckConstraint(condition=Q(size__gt=0, pages__gt=0), name="kyc_document_size_positive"),
        ]
        indexes = [models.Index(fields=["source_sha256"], name="kyc_document_source")]
        triggers = [
            pgtrigger.Protect(name="unchangeable", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="only_in_draft",
                operation=pgtrigger.Insert | pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    IF (
                        SELECT state FROM kyc_application
                        WHERE id = CASE TG_OP WHEN 'INSERT' THEN NEW.application_id ELSE OLD.application_id END
                    ) IN ('PENDING', 'APPROVED') THEN
                        RAISE EXCEPTION 'kyc: documents of a submitted application are final'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    IF TG_OP = 'INSERT' THEN
                        RETURN NEW;
                    END IF;
                    RETURN OLD;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Document {self.pk}"
