"""Files of payments for the tests."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from accounts.rules.fees import Band, Tariff
from fraud.rules.facts import Outcome
from payments import services
from payments.models import BulkFile, BulkRow, Payment
from payments.services import orders
from tests.payments.factories import PIN, verdict

Row = tuple[str, str, str, str]
FLAT_50, FLAT_75 = (Tariff(bands=(Band(0, minor, Decimal(0)),)) for minor in (50, 75))


def csv_of(rows: Iterable[Row]) -> bytes:
    """A file with name, account, amount and reference."""
    return ("name,account,amount,reference\n" + "".join(",".join(row) + "\n" for row in rows)).encode()


def to(account: Account, amount: str, reference: str = "") -> Row:
    """A row that pays an account under its owner's right name."""
    return (account.owner.full_name, account.number, amount, reference)


def checked(debit: Account, rows: Iterable[Row], **overrides: Any) -> BulkFile:
    facts: dict[str, Any] = {
        "actor": debit.owner,
        "debit_account_id": debit.pk,
        "data": csv_of(rows),
        "name": "salaries.csv",
        "mode": "EACH",
        "now": timezone.now(),
    }
    return services.check_bulk_file(**{**facts, **overrides})


def confirmed(file: BulkFile, **overrides: Any) -> BulkFile:
    facts: dict[str, Any] = {
        "actor": file.customer,
        "file_id": file.pk,
        "sha256": file.sha256,
        "pin": PIN,
        "now": timezone.now(),
    }
    return services.confirm_bulk_file(**{**facts, **overrides})


def paid(file: BulkFile) -> BulkFile:
    """Confirm a checked file and pay it to its end."""
    confirmed(file)
    while services.pay_next_rows(file_id=file.pk, now=timezone.now()):
        pass
    file.refresh_from_db()
    return file


def checks(file: BulkFile) -> list[str]:
    return list(file.rows.order_by("number").values_list("check_code", flat=True))


def outcomes(file: BulkFile) -> list[str]:
    """Each row's payment status, its failure code, or its own status."""
    rows = file.rows.select_related("payment").order_by("number")
    return [row.payment.status if row.payment else row.failure_code or row.status for row in rows]


def payments_of(file: BulkFile) -> list[Payment]:
    return [row.payment for row in BulkRow.objects.filter(file=file).exclude(payment=None).select_related("payment")]  # type: ignore[misc]


def salaries(staff: list[Account]) -> list[Row]:
    """100.00 and a bit for each."""
    return [to(account, f"{100 + index}.00", "November") for index, account in enumerate(staff)]


def block(patch: pytest.MonkeyPatch, account: Account) -> None:
    """Every payment to this account is stopped by the checks."""
    original = orders.screen

    def screen(order: orders.Order, *, now: Any) -> Any:
        if order.credit is None or order.credit.pk != account.pk:
            return original(order, now=now)
        with verdict(Outcome.BLOCKED):
            return original(order, now=now)

    patch.setattr(orders, "screen", screen)
