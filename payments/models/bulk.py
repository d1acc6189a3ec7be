"""Files of payments that a customer uploads, and each of their rows."""

from __future__ import annotations

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.money import Money
from payments.models.payment import MATCHES
from payments.rules.bulk_checks import PAYABLE, Check


class BulkFile(models.Model):
    """One uploaded file: checked, confirmed with the PIN, then paid row by row or as a whole.

    `sha256` is the digest of the bytes that were uploaded; nothing of the file or its rows changes after the check.
    """

    class Mode(models.TextChoices):
        EACH = "EACH", "Each row on its own"
        WHOLE = "WHOLE", "All or nothing"

    class Status(models.TextChoices):
        CHECKED = "CHECKED", "To be confirmed"
        CONFIRMED = "CONFIRMED", "Waiting to start"
        RUNNING = "RUNNING", "Being paid"
        DONE = "DONE", "Done"
        REFUSED = "REFUSED", "Nothing was paid"
        CANCELLED = "CANCELLED", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_files")
    debit_account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveIntegerField("size (bytes)")
    mode = models.CharField(max_length=5, choices=Mode)
    currency = models.CharField(max_length=3)
    country = models.CharField("confirmed from", max_length=2, blank=True)
    status = models.CharField(max_length=9, choices=Status)
    created_at = models.DateTimeField("uploaded at")
    expires_at = models.DateTimeField("to be confirmed before")
    confirmed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="payments_bulkfile_mode", condition=Q(mode__in=["EACH", "WHOLE"])),
            models.CheckConstraint(name="payments_bulkfile_sha256", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
            models.CheckConstraint(name="payments_bulkfile_currency", condition=Q(currency__regex=r"^[A-Z]{3}$")),
            models.CheckConstraint(name="payments_bulkfile_country", condition=Q(country__regex=r"^([A-Z]{2})?$")),
            models.CheckConstraint(name="payments_bulkfile_expires_later", condition=Q(expires_at__gt=F("created_at"))),
            models.CheckConstraint(
                name="payments_bulkfile_status_facts",
                condition=Q(
                    status="CHECKED", confirmed_at__isnull=True, started_at__isnull=True, finished_at__isnull=True
                )
                | Q(status="CONFIRMED", confirmed_at__isnull=False, started_at__isnull=True, finished_at__isnull=True)
                | Q(status="RUNNING", confirmed_at__isnull=False, started_at__isnull=False, finished_at__isnull=True)
                | Q(
                    status__in=["DONE", "REFUSED"],
                    confirmed_at__isnull=False,
                    started_at__isnull=False,
                    finished_at__isnull=False,
                )
                | Q(status="CANCELLED", started_at__isnull=True, finished_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-created_at"], name="payments_bulkfile_newest"),
            models.Index(
                fields=["confirmed_at"],
                condition=Q(status__in=["CONFIRMED", "RUNNING"]),
                name="payments_bulkfile_waiting",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="bulkfile_stays",
                fields=[
                    "id",
                    "customer",
                    "debit_account",
                    "name",
                    "sha256",
                    "size",
                    "mode",
                    "currency",
                    "created_at",
                    "expires_at",
                ],
            ),
            pgtrigger.FSM(
                name="bulkfile_moves",
                field="status",
                transitions=[
                    ("CHECKED", "CONFIRMED"),
                    ("CHECKED", "CANCELLED"),
                    ("CONFIRMED", "CANCELLED"),
                    ("CONFIRMED", "RUNNING"),
                    ("RUNNING", "DONE"),
                    ("RUNNING", "REFUSED"),
                ],
            ),
            # What was never confirmed may be forgotten: it holds other people's names.
            pgtrigger.Protect(
                name="bulkfile_is_a_record",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BulkRow(models.Model):
    """One row of a file: what the check said about it, and what became of it. Amounts: minor units of the file's currency.

    `number` is the row in the file, counted as a spreadsheet does: the heading is row 1. A row makes at most one payment,
    whose client id is the row's id. SKIPPED rows are those that the check found not payable.
    """

    class Status(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        SKIPPED = "SKIPPED", "Not payable"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Not paid"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(BulkFile, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField("row")
    payee_name = models.CharField("name", max_length=140)
    payee_number = models.CharField("account", max_length=40)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=140, blank=True)
    name_match = models.CharField("name check", max_length=8, blank=True, choices=MATCHES)
    check_code = models.CharField("check", max_length=16, choices=[(each.value, each.label) for each in Check])
    check_text = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=7, choices=Status)
    payment = models.OneToOneField("payments.Payment", null=True, on_delete=models.PROTECT, related_name="bulk_row")
    failure_code = models.CharField(max_length=40, blank=True)
    failure_text = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="payments_bulkrow_once"),
            models.CheckConstraint(name="payments_bulkrow_amount", condition=Q(amount_minor__gt=0, fee_minor__gte=0)),
            models.CheckConstraint(
                name="payments_bulkrow_facts",
                condition=(Q(status__in=["WAITING", "SKIPPED"], payment__isnull=True, failure_code=""))
                | Q(status="DONE", payment__isnull=False, failure_code="")
                | (Q(status="FAILED", payment__isnull=True) & ~Q(failure_code="")),
            ),
            models.CheckConstraint(
                name="payments_bulkrow_only_payable_rows_wait",
                condition=Q(check_code__in=[each.value for each in PAYABLE]) | Q(status="SKIPPED"),
            ),
        ]
        indexes = [
            models.Index(fields=["file", "number"], condition=Q(status="WAITING"), name="payments_bulkrow_waiting"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="bulkrow_stays",
                fields=[
                    "id",
                    "file",
                    "number",
                    "payee_name",
                    "payee_number",
                    "amount_minor",
                    "fee_minor",
                    "reference",
                    "name_match",
                    "check_code",
                    "check_text",
                ],
            ),
            pgtrigger.FSM(
                name="bulkrow_moves",
                field="status",
                transitions=[("WAITING", "DONE"), ("WAITING", "FAILED")],
            ),
            pgtrigger.Protect(
                name="bulkrow_is_a_record",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__in=["DONE", "FAILED"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Row {self.number}"

    @property
    def is_payable(self) -> bool:
        return Check(self.check_code) in PAYABLE

    def amount(self, currency: str) -> Money:
        """`currency` is the file's, which the row does not repeat."""
        return Money(self.amount_minor, currency)
