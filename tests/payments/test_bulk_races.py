"""Files of payments under failures and parallel workers: every row is paid once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models import Account
from identity.permissions import Role
from ledger import services as ledger
from notifications import services as notifications
from payments import services, tasks
from payments.models import BulkFile, BulkRow, Channel, Limit, Payment
from payments.services import bulk, limits, many, orders, parties
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.patience import meeting
from tests.payments.bulk import checked, confirmed, outcomes, to
from tests.payments.factories import posted
from tests.payments.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 12


@pytest.fixture
def payee() -> Account:
    return open_test_account(make_user("dora@example.com", Role.CUSTOMER, name="Dora Dean"), amount="10.00")


@pytest.fixture
def file(firm: Account, payee: Account, monkeypatch: pytest.MonkeyPatch) -> BulkFile:
    """Twelve rows of 1.00, paid four at a time."""
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 4)
    return confirmed(checked(firm, [to(payee, "1.00", f"Invoice {number}") for number in range(ROWS)]))


def all_paid_once(file: BulkFile, firm: Account, payee: Account) -> None:
    file.refresh_from_db()
    assert (file.status, outcomes(file)) == ("DONE", ["COMPLETED"] * ROWS)
    assert (posted(firm), posted(payee)) == (1000_00 - ROWS * 100, 10_00 + ROWS * 100)
    assert Payment.objects.filter(channel=Channel.BULK).count() == ROWS


def _die_on_call(number: int, original: Callable[..., Any]) -> Callable[..., Any]:
    """Does its work, and takes the process down on the given call."""
    calls = iter(range(1, 1000))

    def work(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        if next(calls) == number:
            raise SystemExit("killed")
        return answer

    return work


@pytest.mark.parametrize(
    ("module", "name", "call"),
    [
        (ledger, "post_batch", 1),
        (ledger, "post_batch", 2),
        (ledger, "post_batch", 3),
        (orders, "screen", 6),
        (many, "insert", 7),
        (notifications, "event", 9),
        (bulk, "_write", 2),
        (bulk, "_finish", 1),
    ],
)
def test_a_worker_killed_anywhere_goes_on_where_it_stopped(
    file: BulkFile, firm: Account, payee: Account, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, call: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, name, _die_on_call(call, getattr(module, name)))
        with pytest.raises(SystemExit):
            tasks.pay_bulk_files()
    done = BulkRow.objects.filter(file=file, status="DONE").count()
    assert done % 4 == 0, "a turn is written whole or not at all"
    assert done < ROWS or name == "_finish"
    assert posted(payee) == 10_00 + done * 100
    tasks.pay_bulk_files()
    all_paid_once(file, firm, payee)


def test_an_unforeseen_error_is_tried_again_and_keeps_no_other_file_waiting(
    file: BulkFile, firm: Account, payee: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = confirmed(checked(firm, [to(payee, "1.00", "Other")]))
    original = bulk.pay_next_rows

    def broken(*, file_id: Any, now: Any) -> bool:
        if file_id == file.pk:
            raise RuntimeError("a bug")
        return original(file_id=file_id, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(services, "pay_next_rows", broken)
        tasks.pay_bulk_files()
    other.refresh_from_db()
    assert other.status == "DONE"
    tasks.pay_bulk_files()
    file.refresh_from_db()
    assert file.status == "DONE"


def slow_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a gap between choosing the rows and paying them."""
    original = bulk._paid

    def paid(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.2)
        return original(*args, **kwargs)

    monkeypatch.setattr(bulk, "_paid", paid)


def _work(file: BulkFile) -> Callable[[int], Any]:
    def work(_: int) -> str:
        try:
            while services.pay_next_rows(file_id=file.pk, now=timezone.now()):
                pass
        except IntegrityError:
            return "collided"
        return "ended"

    return work


def test_workers_at_once_pay_each_row_once(
    file: BulkFile, firm: Account, payee: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_turns(monkeypatch)
    assert at_once(_work(file), 4) == ["ended"] * 4
    all_paid_once(file, firm, payee)


def test_control_without_the_lock_workers_collide_and_the_database_still_pays_once(
    file: BulkFile, firm: Account, payee: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim(file_id: Any) -> BulkFile | None:
        return BulkFile.objects.select_related("customer").filter(pk=file_id, status__in=bulk._WAITING).first()

    # Started already, or the row of the file itself would be what they wait for.
    services.pay_next_rows(file_id=file.pk, now=timezone.now())
    # All four have the same rows before any of them pays.
    monkeypatch.setattr(bulk, "_paid", meeting(bulk._paid, of=4))
    monkeypatch.setattr(bulk, "_claim", claim)
    assert "collided" in at_once(_work(file), 4)
    monkeypatch.undo()
    while services.pay_next_rows(file_id=file.pk, now=timezone.now()):
        pass
    all_paid_once(file, firm, payee)


def limit_a_day(firm: Account, minor: int) -> None:
    Limit.objects.create(
        customer=firm.owner, channel="BULK", set_by="BANK", daily_minor=minor, changed_at=timezone.now()
    )


def test_files_at_once_never_pass_the_limit(firm: Account, payee: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    limit_a_day(firm, 10_00)
    files = _three_files(firm, payee)
    slow_screening(monkeypatch)
    at_once(lambda index: services.pay_next_rows(file_id=files[index].pk, now=timezone.now()), 3)
    assert sum(outcomes(file).count("COMPLETED") for file in files) == 10
    assert sum(outcomes(file).count("limit_exceeded") for file in files) == 2


def test_control_without_the_lock_the_limit_is_passed(
    firm: Account, payee: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_a_day(firm, 10_00)
    files = _three_files(firm, payee)
    # All three have counted what was paid before, nothing, before any of them pays.
    monkeypatch.setattr(limits.Tally, "require", meeting(limits.Tally.require, of=3))
    monkeypatch.setattr(parties, "lock_debit_side", parties.accounts_of)
    at_once(lambda index: services.pay_next_rows(file_id=files[index].pk, now=timezone.now()), 3)
    assert sum(outcomes(file).count("COMPLETED") for file in files) > 10


def slow_screening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a gap between counting and writing."""
    original = bulk.many.carry_out_each

    def carry_out(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        time.sleep(0.5)
        return answer

    monkeypatch.setattr(bulk.many, "carry_out_each", carry_out)


def _three_files(firm: Account, payee: Account) -> list[BulkFile]:
    """Four payments of 1.00 each; any two of the files keep the limit of 10.00."""
    rows = [[to(payee, "1.00", f"{file}-{number}") for number in range(4)] for file in range(3)]
    return [confirmed(checked(firm, each)) for each in rows]


def test_a_double_click_confirms_once(firm: Account, payee: Account) -> None:
    made = checked(firm, [to(payee, "1.00")])
    results = at_once(lambda _: confirmed(made), 4)
    assert {result.pk for result in results} == {made.pk}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_auditevent WHERE action = 'bulk_file.confirmed'")
        assert cursor.fetchone() == (1,)


def test_cancel_and_start_at_once_end_in_one_of_both(firm: Account, payee: Account) -> None:
    for number in range(3):
        made = confirmed(checked(firm, [to(payee, "1.00", str(number))]))
        before = posted(payee)

        def work(index: int, made: BulkFile = made) -> Any:
            if index:
                return services.cancel_bulk_file(actor=firm.owner, file_id=made.pk, now=timezone.now())
            return services.pay_next_rows(file_id=made.pk, now=timezone.now())

        at_once(work, 2)
        services.pay_next_rows(file_id=made.pk, now=timezone.now())
        made.refresh_from_db()
        assert posted(payee) - before == (100 if made.status == "DONE" else 0)
        assert made.status in ("DONE", "CANCELLED")
