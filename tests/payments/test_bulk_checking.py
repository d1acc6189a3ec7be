"""Files of payments: the check that moves nothing, and the confirmation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account, Product
from audit.models import AuditEvent
from common.errors import DomainError
from fraud.models import Decision
from identity import services as identity
from identity.models import User
from payments import queries, services
from payments.models import BulkFile, Channel, Limit, Payment
from payments.services import bulk
from tests.accounts.factories import open_test_account
from tests.payments.bulk import (
    checked,
    checks,
    confirmed,
    outcomes,
    paid,
    salaries,
    to,
)
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, give_pin, posted

pytestmark = pytest.mark.django_db


def test_the_check_says_what_would_become_of_each_row_and_moves_nothing(
    firm: Account, staff: list[Account], alice: User, officer: User
) -> None:
    dollars = open_test_account(staff[0].owner, "WAL-USD", "10.00")
    frozen = open_test_account(staff[0].owner, "CUR-EUR", "10.00")
    accounts.freeze_account(actor=officer, account_id=frozen.pk, reason="For the test", now=timezone.now())
    own = open_test_account(alice, "CUR-EUR", "10.00")
    file = checked(
        firm,
        [
            to(staff[0], "100.00"),
            ("Emil Edder", staff[1].number, "1.00", ""),
            ("Quite Another", staff[2].number, "1.00", ""),
            ("Landlord", "DE89370400440532013000", "10.00", "Rent"),
            ("Nobody", "BP00000000000000", "1.00", ""),
            ("Nobody", "no number", "1.00", ""),
            to(own, "1.00"),
            to(dollars, "1.00"),
            to(frozen, "1.00"),
            to(staff[0], "100.00"),
            to(staff[0], "100.00", "Bonus"),
            to(staff[1], "9000.00"),
            to(staff[1], "787.99"),
        ],
    )
    assert checks(file) == [
        "OK", "NAME_CLOSE", "NAME_NO_MATCH", "OTHER_BANK", "UNKNOWN_PAYEE", "UNKNOWN_PAYEE", "OWN_ACCOUNT",
        "WRONG_CURRENCY", "NOT_USABLE", "DUPLICATE", "OK", "NO_MONEY", "OK",
    ]  # fmt: skip
    assert not Payment.objects.exists()
    assert not Decision.objects.exists()
    sums = queries.bulk_sums(file)
    assert (sums.rows, sums.payable, sums.skipped, sums.warned, sums.payable_minor) == (13, 6, 7, 2, 999_99)


def test_the_check_counts_the_limits_row_by_row(firm: Account, staff: list[Account]) -> None:
    Limit.objects.create(
        customer=firm.owner,
        channel=Channel.BULK,
        set_by="BANK",
        per_payment_minor=200_00,
        daily_minor=250_00,
        new_payee_minor=150_00,
        changed_at=timezone.now(),
    )
    rows = [to(staff[0], "200.01"), to(staff[0], "100.00", "a"), to(staff[0], "60.00", "b"), to(staff[1], "150.00")]
    file = checked(firm, [*rows, to(staff[2], "0.01")])
    assert checks(file) == ["OVER_LIMIT", "OK", "OVER_LIMIT", "OK", "OVER_LIMIT"]
    texts = file.rows.order_by("number").values_list("check_text", flat=True)
    assert ["a day" in text for text in texts] == [False, False, False, False, True]
    assert outcomes(paid(file)) == ["SKIPPED", "COMPLETED", "SKIPPED", "COMPLETED", "SKIPPED"]


def test_is_confirmed_once_with_the_pin_and_the_digest(firm: Account, staff: list[Account], bank: Bank) -> None:
    file, now = checked(firm, salaries(staff)), timezone.now()
    with pytest.raises(DomainError) as wrong:
        confirmed(file, pin="0000")
    assert wrong.value.error_code == "wrong_pin"
    with pytest.raises(services.BulkFileDiffers):
        confirmed(file, sha256="0" * 64)
    give_pin(bank.bob)
    with pytest.raises(services.BulkFileNotFound):
        confirmed(file, actor=bank.bob)
    assert confirmed(file, now=now).status == "CONFIRMED"
    assert confirmed(file, now=now + timedelta(seconds=5)).pk == file.pk, "a double click"
    with pytest.raises(services.BulkFileOver):
        confirmed(file, now=now + timedelta(seconds=11))
    assert AuditEvent.objects.filter(action="bulk_file.confirmed").count() == 1


def test_a_locked_pin_confirms_nothing(firm: Account, staff: list[Account]) -> None:
    file = checked(firm, salaries(staff))
    for _ in range(5):
        with pytest.raises(DomainError):
            confirmed(file, pin="0000")
    with pytest.raises(identity.PinLocked):
        confirmed(file, pin=PIN)
    file.refresh_from_db()
    assert file.status == "CHECKED"


def test_an_expired_check_and_a_cancelled_file_are_not_confirmed(firm: Account, staff: list[Account]) -> None:
    file = checked(firm, salaries(staff))
    with pytest.raises(services.BulkFileExpired):
        confirmed(file, now=file.expires_at)
    services.cancel_bulk_file(actor=firm.owner, file_id=file.pk, now=timezone.now())
    with pytest.raises(services.BulkFileOver):
        confirmed(file)
    with pytest.raises(services.BulkFileOver):
        services.cancel_bulk_file(actor=firm.owner, file_id=file.pk, now=timezone.now())


def test_a_confirmed_file_can_be_cancelled_before_it_starts(firm: Account, staff: list[Account]) -> None:
    file = confirmed(checked(firm, salaries(staff)))
    services.cancel_bulk_file(actor=firm.owner, file_id=file.pk, now=timezone.now())
    assert not services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert services.bulk_files_to_pay() == []
    assert (posted(firm), outcomes(file)) == (1000_00, ["WAITING"] * 3)


def test_nothing_payable_is_not_confirmed(firm: Account, staff: list[Account]) -> None:
    unknown = ("Nobody", "BP00000000000000", "1.00", "")
    with pytest.raises(services.BulkFileNotPayable):
        confirmed(checked(firm, [unknown]))
    with pytest.raises(services.BulkFileNotPayable) as refusal:
        confirmed(checked(firm, [unknown, *salaries(staff)], mode="WHOLE"))
    assert "every row" in refusal.value.text
    assert confirmed(checked(firm, [unknown, *salaries(staff)])).status == "CONFIRMED"


def test_only_accounts_whose_product_allows_it(bank: Bank, firm: Account, staff: list[Account]) -> None:
    with pytest.raises(services.BulkNotAllowed):
        checked(bank.current, salaries(staff))
    with pytest.raises(services.AccountNotFound):
        checked(firm, salaries(staff), actor=bank.bob)
    file = confirmed(checked(firm, salaries(staff)))
    Product.objects.filter(pk="BUS-EUR").update(allows_bulk=False)
    services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert outcomes(file) == ["bulk_not_allowed"] * 3


def test_only_so_many_files_wait(firm: Account, staff: list[Account], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_WAITING", 1)
    file = checked(firm, salaries(staff))
    with pytest.raises(services.TooManyBulkFiles):
        checked(firm, salaries(staff))
    assert checked(firm, salaries(staff), now=file.expires_at), "an expired one does not count"


def test_forgets_what_nobody_confirmed_and_nothing_else(firm: Account, staff: list[Account]) -> None:
    kept, stale = checked(firm, salaries(staff)), checked(firm, salaries(staff))
    paid(kept)
    assert services.purge_bulk_files(now=stale.expires_at) == 0
    assert services.purge_bulk_files(now=stale.expires_at + timedelta(days=1, seconds=1)) == 1
    assert list(BulkFile.objects.all()) == [kept]


def test_the_same_content_paid_before_is_known(firm: Account, staff: list[Account]) -> None:
    first = paid(checked(firm, salaries(staff)))
    again = checked(firm, salaries(staff))
    assert queries.paid_before(again) == first
    assert queries.paid_before(first) is None
