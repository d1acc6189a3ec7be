"""Reading files of payments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from common.money import Money
from identity.models import User
from payments.errors import BulkFileNotFound
from payments.models import BulkFile, BulkRow, Status
from payments.rules import bulk_results
from payments.rules.bulk_checks import WARNINGS, Check
from payments.rules.bulk_results import ResultRow


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSums:
    """How many rows stand where, and what they come to in minor units. `held` wait for a person; `failed` were not paid."""

    rows: int
    skipped: int
    warned: int
    waiting: int
    done: int
    held: int
    refused: int
    failed: int
    payable_minor: int
    fees_minor: int
    paid_minor: int
    held_minor: int

    @property
    def payable(self) -> int:
        """Rows that the check found payable."""
        return self.rows - self.skipped

    @property
    def not_paid(self) -> int:
        """Rows of a finished file that no money moved for, those the check left out included."""
        return self.skipped + self.failed + self.refused

    @property
    def percent(self) -> int:
        """How many of the payable rows are through, 0 to 100."""
        return 100 if not self.payable else (self.payable - self.waiting) * 100 // self.payable

    @property
    def counts(self) -> dict[str, int]:
        return {"rows": self.rows, "paid": self.done, "held": self.held, "not_paid": self.not_paid}

    @property
    def in_words(self) -> str:
        """`98 of 100 payments were made, 1 is under review, 1 was not made.`"""
        parts = [f"{self.done} of {self.rows} {'payments were' if self.rows != 1 else 'payment was'} made"]
        if self.held:
            parts.append(f"{self.held} {'are' if self.held != 1 else 'is'} under review")
        if self.not_paid:
            parts.append(f"{self.not_paid} {'were' if self.not_paid != 1 else 'was'} not made")
        return ", ".join(parts) + "."


def bulk_files_for(actor: User) -> QuerySet[BulkFile]:
    """The actor's files, newest first, with their account."""
    files = BulkFile.objects.filter(customer=actor).select_related("debit_account__product")
    return files.order_by("-created_at", "pk")


def get_bulk_file_for(*, actor: User, file_id: UUID) -> BulkFile:
    """Raises BulkFileNotFound, also when it is somebody else's."""
    file = bulk_files_for(actor).filter(pk=file_id).first()
    if file is None:
        raise BulkFileNotFound
    return file


def bulk_rows(file: BulkFile) -> QuerySet[BulkRow]:
    """The file's rows with their payments, in its order."""
    return file.rows.select_related("payment").order_by("number")


def bulk_problems(rows: QuerySet[BulkRow]) -> QuerySet[BulkRow]:
    """Only the rows that somebody should look at: not payable, a doubtful name, held, refused or not paid."""
    return rows.filter(
        Q(status__in=[BulkRow.Status.SKIPPED, BulkRow.Status.FAILED])
        | Q(status=BulkRow.Status.WAITING, check_code__in=[each.value for each in WARNINGS])
        | Q(status=BulkRow.Status.DONE) & ~Q(payment__status=Status.COMPLETED)
    )


def bulk_sums(file: BulkFile) -> BulkSums:
    """Where the file's rows stand, in one query."""
    payable = ~Q(status=BulkRow.Status.SKIPPED)
    settled = Q(payment__status__in=[Status.COMPLETED, Status.REVERSED])
    held = Q(payment__status=Status.HELD)
    found = file.rows.aggregate(
        rows=Count("pk"),
        skipped=Count("pk", filter=~payable),
        warned=Count("pk", filter=payable & Q(check_code__in=[each.value for each in WARNINGS])),
        waiting=Count("pk", filter=Q(status=BulkRow.Status.WAITING)),
        done=Count("pk", filter=settled),
        held=Count("pk", filter=held),
        refused=Count("pk", filter=Q(payment__status__in=[Status.REFUSED, Status.CANCELLED])),
        failed=Count("pk", filter=Q(status=BulkRow.Status.FAILED)),
        payable_minor=Sum("amount_minor", filter=payable, default=0),
        fees_minor=Sum("fee_minor", filter=payable, default=0),
        paid_minor=Sum("amount_minor", filter=settled, default=0),
        held_minor=Sum("amount_minor", filter=held, default=0),
    )
    # The database adds up 64-bit numbers as decimals.
    return BulkSums(**{name: int(value) for name, value in found.items()})


def paid_before(file: BulkFile) -> BulkFile | None:
    """Another file of this customer with the same content that was confirmed, the newest."""
    same = BulkFile.objects.filter(
        customer_id=file.customer_id, debit_account_id=file.debit_account_id, sha256=file.sha256
    )
    return same.exclude(pk=file.pk).exclude(confirmed_at=None).order_by("-confirmed_at").first()


def bulk_outcome(row: BulkRow, file: BulkFile) -> tuple[str, str, str]:
    """How a row stands: a state for its badge, a word, and an explanation."""
    if row.status == BulkRow.Status.SKIPPED:
        return "refused", Check(row.check_code).label, row.check_text
    if row.status == BulkRow.Status.FAILED:
        return "failed", "Not paid", row.failure_text
    if row.payment is not None:
        return row.payment.status, row.payment.get_status_display(), row.payment.refusal_text
    if file.status == BulkFile.Status.CANCELLED:
        return "cancelled", "Cancelled", ""
    if file.status == BulkFile.Status.CHECKED:
        check = Check(row.check_code)
        return ("pending" if check in WARNINGS else "success"), check.label, row.check_text
    return "waiting", "Waiting", ""


def total_of(sums: BulkSums, currency: str) -> Money:
    """What leaves the account when every payable row is paid, fees included."""
    return Money(sums.payable_minor + sums.fees_minor, currency)


def bulk_result(file: BulkFile) -> Iterator[bytes]:
    """The result file: every row with its outcome and its payment, as CSV."""
    return bulk_results.write(_result_row(row, file) for row in bulk_rows(file).iterator(chunk_size=500))


def _result_row(row: BulkRow, file: BulkFile) -> ResultRow:
    _, outcome, explanation = bulk_outcome(row, file)
    return ResultRow(
        number=row.number,
        name=row.payee_name,
        account=row.payee_number,
        amount=row.amount(file.currency).plain,
        currency=file.currency,
        reference=row.reference,
        name_check=row.get_name_match_display(),
        outcome=outcome,
        explanation=explanation,
        fee=Money(row.payment.fee_minor, file.currency).plain if row.payment else "",
        payment_id=str(row.payment.pk) if row.payment else "",
    )


def what_needs_account(account_id: UUID) -> list[str]:
    """Files whose rows are still to be paid from the account, for whoever closes it."""
    open_states = [BulkFile.Status.CONFIRMED, BulkFile.Status.RUNNING]
    if BulkFile.objects.filter(debit_account_id=account_id, status__in=open_states).exists():
        return ["A file of payments is being paid from this account. Wait until it is done."]
    return []
