"""Files of payments: checked, confirmed once with the PIN, and paid by the clock.

`check_bulk_file` moves nothing: it writes what would become of each row. `confirm_bulk_file` takes that very file, once.
`pay_next_rows` pays some rows in one transaction that also writes what became of them: killed anywhere, the next call
goes on with the rows that wait. One worker at a time holds a file; behind that, a row's id is its payment's client id.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.urls import reverse

from accounts.models import Account
from audit import services as audit
from common import nudges
from common.db import require_transaction, use_case
from common.errors import DomainError
from common.money import Money, display
from identity import services as identity
from identity.models import User
from notifications import services as notifications
from payments import queries
from payments.errors import (
    AccountNotUsable,
    BulkFileDiffers,
    BulkFileExpired,
    BulkFileNotFound,
    BulkFileNotPayable,
    BulkFileOver,
    BulkFileStarted,
    BulkNotAllowed,
    FeeChanged,
    TooManyBulkFiles,
    WholeRefused,
)
from payments.models import BulkFile, BulkRow, Channel, Payment
from payments.rules import bulk_checks, bulk_files
from payments.rules.bulk_checks import Check
from payments.rules.bulk_files import FileRow
from payments.services import many, parties
from payments.services.many import Wanted
from payments.services.orders import Order

logger = logging.getLogger(__name__)

CHECK_LASTS = timedelta(hours=1)
MOST_WAITING = 10
# So many rows share a transaction: about a second under the customer's lock.
ROWS_AT_ONCE = 100
_WAITING = (BulkFile.Status.CONFIRMED, BulkFile.Status.RUNNING)
_OVER = (BulkFile.Status.DONE, BulkFile.Status.REFUSED)
_DOUBLE_CLICK = timedelta(seconds=10)


def check_bulk_file(
    *, actor: User, debit_account_id: UUID, data: bytes, name: str, mode: str, now: datetime
) -> BulkFile:
    """Read a file, write down what would become of each row, and keep that for an hour. Nothing moves.

    Raises AccountNotFound, AccountNotUsable, BulkNotAllowed, BulkFileUnreadable (beside `file`), TooManyBulkFiles.
    """
    debit = parties.pick(parties.accounts_of(owner_id=actor.pk), debit_account_id, field="debit_account")
    _require_allowed(debit)
    rows = bulk_files.read(data, currency=debit.currency)
    checked = _checked(actor, debit, rows, now=now)
    with use_case():
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        waiting = BulkFile.objects.filter(customer=actor, status=BulkFile.Status.CHECKED, expires_at__gt=now)
        if waiting.count() >= MOST_WAITING:
            raise TooManyBulkFiles
        file = BulkFile.objects.create(
            customer=actor,
            debit_account=debit,
            name=parties.clean_description(name[:100]) or "payments.csv",
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            mode=BulkFile.Mode(mode),
            currency=debit.currency,
            status=BulkFile.Status.CHECKED,
            created_at=now,
            expires_at=now + CHECK_LASTS,
        )
        for row in checked:
            row.file = file
        BulkRow.objects.bulk_create(checked, batch_size=500)
        _audit(file, actor, "checked", rows=len(checked), sha256=file.sha256)
    return file


def confirm_bulk_file(
    *, actor: User, file_id: UUID, sha256: str, pin: str, now: datetime, country: str = ""
) -> BulkFile:
    """Have a checked file paid: the PIN first, then once. `sha256` is the digest of the file that the customer saw.

    A second confirmation within ten seconds returns the file. Raises WrongPin, PinLocked, PinNotSet, BulkFileNotFound,
    BulkFileOver, BulkFileExpired, BulkFileDiffers, BulkFileNotPayable, BulkNotAllowed, AccountNotUsable.
    """
    identity.verify_pin(actor=actor, pin=pin, now=now)
    with use_case():
        return confirm_bulk_file_within(actor=actor, file_id=file_id, sha256=sha256, now=now, country=country)


def confirm_bulk_file_within(*, actor: User, file_id: UUID, sha256: str, now: datetime, country: str = "") -> BulkFile:
    """`confirm_bulk_file` inside the caller's transaction, the PIN checked before."""
    require_transaction()
    file = _locked(actor, file_id)
    if _is_double_click(file, sha256, now=now):
        return file
    if file.status != BulkFile.Status.CHECKED:
        raise BulkFileOver
    if file.expires_at <= now:
        raise BulkFileExpired
    if file.sha256 != sha256:
        raise BulkFileDiffers
    _require_allowed(file.debit_account)
    _require_payable(file)
    file.status, file.confirmed_at, file.country = BulkFile.Status.CONFIRMED, now, country
    file.save(update_fields=["status", "confirmed_at", "country"])
    _audit(file, actor, "confirmed", sha256=file.sha256)
    nudges.after_commit("payments.tasks.pay_bulk_files")
    return file


def cancel_bulk_file(*, actor: User, file_id: UUID, now: datetime) -> BulkFile:
    """Drop a file before its payments start. Raises BulkFileNotFound, BulkFileStarted, BulkFileOver."""
    with use_case():
        file = _locked(actor, file_id)
        if file.status in (BulkFile.Status.RUNNING, *_OVER):
            raise BulkFileStarted
        if file.status == BulkFile.Status.CANCELLED:
            raise BulkFileOver
        file.status, file.finished_at = BulkFile.Status.CANCELLED, now
        file.save(update_fields=["status", "finished_at"])
        _audit(file, actor, "cancelled")
        return file


def bulk_files_to_pay() -> list[UUID]:
    """The files that wait for `pay_next_rows`, oldest first."""
    return list(
        BulkFile.objects.filter(status__in=_WAITING).order_by("confirmed_at", "pk").values_list("pk", flat=True)
    )


def pay_next_rows(*, file_id: UUID, now: datetime) -> bool:
    """Pay the next rows of a file, or all of an all-or-nothing one. True while rows are left for another call.

    False also when another worker has the file. What fails unforeseen leaves nothing behind and propagates.
    """
    with use_case():
        file = _claim(file_id)
        if file is None:
            return False
        if file.status == BulkFile.Status.CONFIRMED:
            file.status, file.started_at = BulkFile.Status.RUNNING, now
            file.save(update_fields=["status", "started_at"])
        most = None if file.mode == BulkFile.Mode.WHOLE else ROWS_AT_ONCE
        rows = list(file.rows.filter(status=BulkRow.Status.WAITING).order_by("number")[:most])
        outcomes = _paid(file, rows, now=now)
        _write(rows, outcomes)
        if file.rows.filter(status=BulkRow.Status.WAITING).exists():
            return True
        refused = file.mode == BulkFile.Mode.WHOLE and many.nothing_made(outcomes)
        _finish(file, BulkFile.Status.REFUSED if refused else BulkFile.Status.DONE, now=now)
        return False


def purge_bulk_files(*, now: datetime) -> int:
    """Forget files that nobody confirmed, a day after their check expired: they hold other people's names."""
    stale = BulkFile.objects.filter(confirmed_at=None, expires_at__lt=now - timedelta(days=1))
    return sum(deleted for deleted in (file.delete()[1].get("payments.BulkFile", 0) for file in list(stale)))


def _claim(file_id: UUID) -> BulkFile | None:
    """The file, locked; None when it is over or another worker has it."""
    files = BulkFile.objects.select_for_update(skip_locked=True, of=("self",)).select_related("customer")
    return files.filter(pk=file_id, status__in=_WAITING).first()


def _checked(actor: User, debit: Account, rows: Sequence[FileRow], *, now: datetime) -> list[BulkRow]:
    """The rows with what would become of each, counted one after the other as they will be paid."""
    found = many.orders_for(
        actor=actor,
        debit=debit,
        wanted=[
            Wanted(
                client_id=uuid4(),
                payee_name=row.name,
                payee_number=row.account,
                amount=row.amount,
                currency=row.currency,
                description=row.reference,
            )
            for row in rows
        ],
        channel=Channel.BULK,
        country="",
        now=now,
    )
    orders = [order for order in found if isinstance(order, Order)]
    purse, tally = many.Purse(debit), many.tally_for(orders, debit=debit, channel=Channel.BULK, now=now)
    seen: dict[tuple[str, int, str], int] = {}
    checked = []
    for row, order in zip(rows, found, strict=True):
        first = seen.setdefault((row.account, row.amount.amount_minor, row.reference.casefold()), row.number)
        kept = _row(row, order)
        if isinstance(order, DomainError):
            kept.check_code, kept.check_text = bulk_checks.of_refusal(order.error_code), order.text
        elif first != row.number:
            kept.check_code = Check.DUPLICATE
            kept.check_text = f"It repeats row {first}. Give it another reference if both should be paid."
        else:
            try:
                purse.require(order)
                tally.require(amount_base_minor=order.amount_base_minor, payee=order.target)
            except DomainError as refusal:
                kept.check_code, kept.check_text = bulk_checks.of_refusal(refusal.error_code), refusal.text
            else:
                purse.take(order)
                tally.count(amount_base_minor=order.amount_base_minor or 0, payee=order.target)
        kept.status = BulkRow.Status.WAITING if kept.is_payable else BulkRow.Status.SKIPPED
        checked.append(kept)
    return checked


def _row(row: FileRow, order: Order | DomainError) -> BulkRow:
    made = isinstance(order, Order)
    return BulkRow(
        id=order.client_id if isinstance(order, Order) else uuid4(),
        number=row.number,
        payee_name=row.name,
        payee_number=row.account,
        amount_minor=row.amount.amount_minor,
        fee_minor=order.cost.fee.amount_minor if isinstance(order, Order) else 0,
        reference=row.reference,
        name_match=order.payee_match if isinstance(order, Order) else "",
        check_code=bulk_checks.of_name(order.payee_match) if isinstance(order, Order) else "",
        status=BulkRow.Status.WAITING if made else BulkRow.Status.SKIPPED,
    )


def _paid(file: BulkFile, rows: Sequence[BulkRow], *, now: datetime) -> list[many.Outcome]:
    """What became of these rows, in their order."""
    try:
        debit = _usable_account(file)
    except DomainError as refusal:
        return [refusal] * len(rows)
    found = many.orders_for(
        actor=file.customer,
        debit=debit,
        wanted=[
            Wanted(
                client_id=row.pk,
                payee_name=row.payee_name,
                payee_number=row.payee_number,
                amount=row.amount(file.currency),
                description=row.reference,
            )
            for row in rows
        ],
        channel=Channel.BULK,
        country=file.country,
        now=now,
    )
    checked = [_with_the_fee_shown(row, order) for row, order in zip(rows, found, strict=True)]
    carry_out = _whole if file.mode == BulkFile.Mode.WHOLE else many.carry_out_each
    return _carried(checked, carry_out, now=now)


def _carried(
    checked: Sequence[Order | DomainError], carry_out: Callable[..., list[many.Outcome]], *, now: datetime
) -> list[many.Outcome]:
    """Carry out those that are orders, and put the outcomes among the refusals, in the order of the rows."""
    good = [order for order in checked if isinstance(order, Order)]
    if carry_out is _whole and len(good) < len(checked):
        return [each if isinstance(each, DomainError) else WholeRefused() for each in checked]
    made = iter(carry_out(good, now=now))
    return [each if isinstance(each, DomainError) else next(made) for each in checked]


def _whole(listed: Sequence[Order], *, now: datetime) -> list[many.Outcome]:
    return many.carry_out_all(listed, now=now)


def _usable_account(file: BulkFile) -> Account:
    """The account that pays, its debit side locked. Raises AccountNotUsable, BulkNotAllowed."""
    own = parties.lock_debit_side(owner_id=file.customer_id)
    if not file.customer.is_active:
        raise AccountNotUsable("The customer's login is closed.")
    debit = own[file.debit_account_id]
    _require_allowed(debit)
    return debit


def _with_the_fee_shown(row: BulkRow, order: Order | DomainError) -> Order | DomainError:
    if isinstance(order, Order) and order.cost.fee.amount_minor != row.fee_minor:
        return FeeChanged()
    return order


def _write(rows: Sequence[BulkRow], outcomes: Sequence[many.Outcome]) -> None:
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, Payment):
            row.status, row.payment = BulkRow.Status.DONE, outcome
        else:
            row.status = BulkRow.Status.FAILED
            row.failure_code, row.failure_text = outcome.error_code[:40], outcome.text[:300]
    BulkRow.objects.bulk_update(rows, ["status", "payment", "failure_code", "failure_text"], batch_size=500)


def _finish(file: BulkFile, status: BulkFile.Status, *, now: datetime) -> None:
    file.status, file.finished_at = status, now
    file.save(update_fields=["status", "finished_at"])
    sums = queries.bulk_sums(file)
    _audit(file, None, "finished" if status == BulkFile.Status.DONE else "refused", **sums.counts)
    notifications.notify(
        user_id=file.customer_id,
        kind="bulk_file_done" if status == BulkFile.Status.DONE else "bulk_file_refused",
        data={
            "file": file.name,
            "amount": display(Money(sums.paid_minor, file.currency)),
            "reason": sums.in_words,
            "url": reverse("payments:bulk_file", args=[file.pk]),
        },
    )


def _locked(actor: User, file_id: UUID) -> BulkFile:
    files = BulkFile.objects.select_for_update(of=("self",)).select_related("debit_account__product")
    file = files.filter(pk=file_id, customer=actor).first()
    if file is None:
        raise BulkFileNotFound
    return file


def _is_double_click(file: BulkFile, sha256: str, *, now: datetime) -> bool:
    if file.confirmed_at is None or file.status == BulkFile.Status.CANCELLED:
        return False
    return now - file.confirmed_at <= _DOUBLE_CLICK and file.sha256 == sha256


def _require_allowed(account: Account) -> None:
    parties.require_usable(account, field="debit_account")
    if not account.product.allows_bulk:
        raise BulkNotAllowed(field="debit_account")


def _require_payable(file: BulkFile) -> None:
    waiting = file.rows.filter(status=BulkRow.Status.WAITING).exists()
    skipped = file.rows.filter(status=BulkRow.Status.SKIPPED).exists()
    if not waiting:
        raise BulkFileNotPayable
    if skipped and file.mode == BulkFile.Mode.WHOLE:
        raise BulkFileNotPayable("All or nothing: every row has to be payable. Mend the file and upload it again.")


def _audit(file: BulkFile, actor: User | None, done: str, **facts: object) -> None:
    data = {"file": file.name, "mode": file.mode, "debit_account": str(file.debit_account_id), **facts}
    audit.record(actor=actor, action=f"bulk_file.{done}", subject_kind="bulk_file", subject_id=file.pk, data=data)
