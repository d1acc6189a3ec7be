"""Files of payments: the check, the confirmation, and both ways of paying."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account, Product
from accounts.rules.fees import Band, Operation, Tariff
from audit.models import AuditEvent
from common.errors import DomainError
from fraud import services as fraud
from fraud.models import Case, Decision
from fraud.rules.facts import Outcome
from identity import services as identity
from identity.models import User
from identity.permissions import Role
from ledger import queries as ledger_queries
from ledger import services as ledger
from notifications.models import OutboxEvent
from payments import queries, services
from payments.models import BulkFile, BulkRow, Channel, Limit, Payment, Status
from payments.services import bulk, many, orders
from tests.accounts.factories import open_test_account, set_test_fee
from tests.conftest import make_user
from tests.payments.bulk import checked, checks, confirmed, outcomes, paid, payments_of, to
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, give_pin, held, posted, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm(alice: User) -> Account:
    """Alice's business account with 1,000.00."""
    give_pin(alice)
    return open_test_account(alice, "BUS-EUR", "1000.00")


@pytest.fixture
def staff(firm: Account) -> list[Account]:
    """Three people to pay."""
    people = [("Dora Dean", "dora"), ("Emil Eder", "emil"), ("Fred Frost", "fred")]
    return [
        open_test_account(make_user(f"{mail}@example.com", Role.CUSTOMER, name=name), amount="10.00")
        for name, mail in people
    ]


def salaries(staff: list[Account]) -> list[Any]:
    return [to(account, f"{100 + index}.00", "November") for index, account in enumerate(staff)]


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


def test_pays_each_row_and_tells_payees_and_the_customer_once(firm: Account, staff: list[Account]) -> None:
    file = paid(checked(firm, salaries(staff)))
    assert (file.status, outcomes(file)) == ("DONE", ["COMPLETED"] * 3)
    assert posted(firm) == 1000_00 - 303_00
    assert [posted(account) for account in staff] == [110_00, 111_00, 112_00]
    told = OutboxEvent.objects.filter(user=firm.owner, kind__in=["transfer_completed", "bulk_file_done"])
    assert [event.kind for event in told] == ["bulk_file_done"]
    assert told[0].data["reason"] == "3 of 3 payments were made."
    assert OutboxEvent.objects.filter(kind="money_received").count() == 3
    trail = AuditEvent.objects.filter(subject_kind="bulk_file").order_by("pk").values_list("action", flat=True)
    assert list(trail) == ["bulk_file.checked", "bulk_file.confirmed", "bulk_file.finished"]
    payment = payments_of(file)[0]
    assert (payment.channel, payment.payee_match, payment.description) == (Channel.BULK, "MATCH", "November")
    line = ledger_queries.recent_lines(staff[0].ledger_account_id, limit=1)[0]
    assert (line.source_id, line.description) == (str(payment.pk), "Alice Archer to Dora Dean. November")


def test_one_failure_never_takes_neighbours_along(firm: Account, staff: list[Account], officer: User) -> None:
    file = confirmed(checked(firm, salaries(staff)))
    accounts.freeze_account(actor=officer, account_id=staff[1].pk, reason="For the test", now=timezone.now())
    assert not services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert outcomes(file) == ["COMPLETED", "payee_account_not_usable", "COMPLETED"]
    assert posted(firm) == 1000_00 - 202_00


def test_what_the_ledger_alone_refuses_leaves_no_decision(firm: Account, staff: list[Account]) -> None:
    """The payee's account is frozen in the ledger only: the batch function finds it."""
    file = confirmed(checked(firm, salaries(staff)))
    ledger.set_status(account_id=staff[1].ledger_account_id, status="FROZEN")
    services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert outcomes(file) == ["COMPLETED", "payee_account_not_usable", "COMPLETED"]
    payments = {payment.pk for payment in payments_of(file)}
    assert set(Decision.objects.values_list("subject_id", flat=True)) == payments
    assert posted(firm) == 1000_00 - 202_00


def test_all_or_nothing_pays_nothing_when_one_row_fails(firm: Account, staff: list[Account], officer: User) -> None:
    file = confirmed(checked(firm, salaries(staff), mode="WHOLE"))
    accounts.freeze_account(actor=officer, account_id=staff[1].pk, reason="For the test", now=timezone.now())
    services.pay_next_rows(file_id=file.pk, now=timezone.now())
    file.refresh_from_db()
    assert (file.status, outcomes(file)) == (
        "REFUSED",
        ["whole_refused", "payee_account_not_usable", "whole_refused"],
    )
    assert (posted(firm), Payment.objects.count(), Decision.objects.count()) == (1000_00, 0, 0)
    assert OutboxEvent.objects.filter(user=firm.owner, kind="bulk_file_refused").count() == 1


def test_all_or_nothing_pays_nothing_when_the_ledger_refuses_one(firm: Account, staff: list[Account]) -> None:
    file = confirmed(checked(firm, salaries(staff), mode="WHOLE"))
    ledger.set_status(account_id=staff[1].ledger_account_id, status="FROZEN")
    services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert outcomes(file) == ["whole_refused", "payee_account_not_usable", "whole_refused"]
    assert (posted(firm), Payment.objects.count(), Decision.objects.count()) == (1000_00, 0, 0)


def test_all_or_nothing_pays_all(firm: Account, staff: list[Account]) -> None:
    file = paid(checked(firm, salaries(staff), mode="WHOLE"))
    assert (file.status, outcomes(file)) == ("DONE", ["COMPLETED"] * 3)
    assert posted(firm) == 1000_00 - 303_00


@pytest.mark.parametrize("mode", ["EACH", "WHOLE"])
def test_a_flagged_row_is_held_with_its_case(firm: Account, staff: list[Account], mode: str) -> None:
    file = checked(firm, salaries(staff), mode=mode)
    with verdict(Outcome.FLAGGED):
        paid(file)
    assert outcomes(file) == ["HELD"] * 3
    assert (posted(firm), held(firm)) == (1000_00, 303_00)
    assert Case.objects.filter(subject_id__in=[payment.pk for payment in payments_of(file)]).count() == 3
    assert not OutboxEvent.objects.filter(user=firm.owner, kind="transfer_held").exists()
    payment = payments_of(file)[0]
    services.cancel_held(actor=firm.owner, payment_id=payment.pk, now=timezone.now())
    assert queries.bulk_sums(file).in_words == "0 of 3 payments were made, 2 are under review, 1 was not made."


def test_a_blocked_row_is_refused_and_its_neighbours_are_paid(
    firm: Account, staff: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = checked(firm, salaries(staff))
    blocked = staff[1]
    with monkeypatch.context() as patch:
        _block(patch, blocked)
        paid(file)
    assert outcomes(file) == ["COMPLETED", "REFUSED", "COMPLETED"]
    assert posted(firm) == 1000_00 - 202_00


def test_all_or_nothing_keeps_the_evidence_of_a_blocked_row(
    firm: Account, staff: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = checked(firm, salaries(staff), mode="WHOLE")
    with monkeypatch.context() as patch:
        _block(patch, staff[1])
        paid(file)
    assert (file.status, outcomes(file)) == ("REFUSED", ["whole_refused", "REFUSED", "whole_refused"])
    (payment,) = payments_of(file)
    assert Decision.objects.get().pk == payment.decision_id
    assert Case.objects.get(subject_id=payment.pk).outcome == "BLOCKED"
    assert (posted(firm), held(firm)) == (1000_00, 0)


def _block(patch: pytest.MonkeyPatch, account: Account) -> None:
    original = orders.screen

    def screen(order: orders.Order, *, now: Any) -> Any:
        if order.credit is None or order.credit.pk != account.pk:
            return original(order, now=now)
        with verdict(Outcome.BLOCKED):
            return original(order, now=now)

    patch.setattr(orders, "screen", screen)


def test_a_scorer_that_fails_holds_every_row(
    firm: Account, staff: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> Any:
        raise RuntimeError("no model")

    file = checked(firm, salaries(staff))
    monkeypatch.setattr(fraud, "screen", broken)
    paid(file)
    assert {payment.hold_cause for payment in payments_of(file)} == {"UNSCREENED"}
    assert held(firm) == 303_00


def test_a_file_is_no_burst(firm: Account, bank: Bank) -> None:
    """The live velocity rule would hold the seventh of single transfers."""
    rows = [to(bank.bobs, "1.00", f"Invoice {number}") for number in range(12)]
    assert outcomes(paid(checked(firm, rows))) == ["COMPLETED"] * 12


def flat(minor: int) -> Tariff:
    return Tariff(bands=(Band(0, minor, Decimal(0)),))


def test_the_fee_is_shown_taken_and_not_changed_in_between(firm: Account, staff: list[Account]) -> None:
    set_test_fee("BUS-EUR", Operation.TRANSFER, flat(50))
    file = checked(firm, [*salaries(staff), ("Landlord", "DE89370400440532013000", "10.00", "Rent")])
    assert queries.bulk_sums(file).fees_minor == 150
    other = checked(firm, [to(staff[0], "5.00", "Later")])
    paid(file)
    assert outcomes(file) == ["COMPLETED"] * 4
    assert posted(firm) == 1000_00 - 313_00 - 150
    set_test_fee("BUS-EUR", Operation.TRANSFER, flat(75))
    assert outcomes(paid(other)) == ["fee_changed"]


def test_all_or_nothing_takes_fees_too_or_none(firm: Account, staff: list[Account]) -> None:
    set_test_fee("BUS-EUR", Operation.TRANSFER, flat(50))
    refused = confirmed(checked(firm, salaries(staff), mode="WHOLE"))
    ledger.set_status(account_id=staff[2].ledger_account_id, status="FROZEN")
    services.pay_next_rows(file_id=refused.pk, now=timezone.now())
    assert posted(firm) == 1000_00
    ledger.set_status(account_id=staff[2].ledger_account_id, status="ACTIVE")
    assert outcomes(paid(checked(firm, salaries(staff), mode="WHOLE"))) == ["COMPLETED"] * 3
    assert posted(firm) == 1000_00 - 303_00 - 150


def test_rows_go_on_until_the_money_is_used_up(firm: Account, staff: list[Account]) -> None:
    """Money left the account between the check and the payment."""
    file = confirmed(checked(firm, salaries(staff)))
    services.withdraw(
        actor=firm.owner,
        debit_account_id=firm.pk,
        iban="DE89370400440532013000",
        amount="799.00",
        client_id=uuid4(),
        channel=Channel.PORTAL,
        now=timezone.now(),
    )
    services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert outcomes(file) == ["COMPLETED", "COMPLETED", "insufficient_funds"]
    assert posted(firm) == 0


def test_goes_on_in_turns(firm: Account, staff: list[Account], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 2)
    file = confirmed(checked(firm, salaries(staff)))
    assert services.pay_next_rows(file_id=file.pk, now=timezone.now())
    file.refresh_from_db()
    assert (file.status, outcomes(file)) == ("RUNNING", ["COMPLETED", "COMPLETED", "WAITING"])
    with pytest.raises(services.BulkFileStarted):
        services.cancel_bulk_file(actor=firm.owner, file_id=file.pk, now=timezone.now())
    assert not services.pay_next_rows(file_id=file.pk, now=timezone.now())
    assert outcomes(file) == ["COMPLETED"] * 3
    assert not services.pay_next_rows(file_id=file.pk, now=timezone.now()), "it is over"


def test_a_frozen_account_or_a_closed_login_pays_nothing(firm: Account, staff: list[Account], officer: User) -> None:
    first, second = (confirmed(checked(firm, salaries(staff))) for _ in range(2))
    accounts.freeze_account(actor=officer, account_id=firm.pk, reason="For the test", now=timezone.now())
    services.pay_next_rows(file_id=first.pk, now=timezone.now())
    assert outcomes(first) == ["account_frozen"] * 3
    User.objects.filter(pk=firm.owner_id).update(is_active=False)
    services.pay_next_rows(file_id=second.pk, now=timezone.now())
    assert outcomes(second) == ["account_not_usable"] * 3
    assert posted(firm) == 1000_00


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


def test_the_database_keeps_what_was_checked_and_what_was_paid(firm: Account, staff: list[Account]) -> None:
    file = paid(checked(firm, salaries(staff)))
    row = file.rows.order_by("number")[0]
    for change in (
        lambda: BulkRow.objects.filter(pk=row.pk).update(amount_minor=1),
        lambda: BulkRow.objects.filter(pk=row.pk).update(status="WAITING", payment=None),
        lambda: BulkRow.objects.filter(pk=row.pk).delete(),
        lambda: BulkFile.objects.filter(pk=file.pk).update(sha256="0" * 64),
        lambda: BulkFile.objects.filter(pk=file.pk).update(status="RUNNING", finished_at=None),
        lambda: BulkRow.objects.create(
            file=file,
            number=99,
            payee_name="x",
            payee_number="x",
            amount_minor=1,
            check_code="DUPLICATE",
            status="WAITING",
        ),
        lambda: file.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_same_content_paid_before_is_known(firm: Account, staff: list[Account]) -> None:
    first = paid(checked(firm, salaries(staff)))
    again = checked(firm, salaries(staff))
    assert queries.paid_before(again) == first
    assert queries.paid_before(first) is None


def test_a_locked_pin_confirms_nothing(firm: Account, staff: list[Account]) -> None:
    file = checked(firm, salaries(staff))
    for _ in range(5):
        with pytest.raises(DomainError):
            confirmed(file, pin="0000")
    with pytest.raises(identity.PinLocked):
        confirmed(file, pin=PIN)
    file.refresh_from_db()
    assert file.status == "CHECKED"


def test_an_empty_list_makes_nothing(firm: Account) -> None:
    with transaction.atomic():
        assert many.carry_out_each([], now=timezone.now()) == []
        assert many.carry_out_all([], now=timezone.now()) == []


def test_statuses_of_rows_follow_their_payments(firm: Account, staff: list[Account], officer: User) -> None:
    file = paid(checked(firm, salaries(staff)))
    payment = payments_of(file)[0]
    services.reverse_payment(actor=officer, payment_id=payment.pk, reason="For the test", now=timezone.now())
    assert outcomes(file).count(Status.REVERSED) == 1


def test_the_paying_account_does_not_close_before_the_file_is_paid(firm: Account, staff: list[Account]) -> None:
    rest = open_test_account(firm.owner, "CUR-EUR", "10.00")
    file = confirmed(checked(firm, salaries(staff)))

    def close() -> Account:
        return accounts.close_account(
            actor=firm.owner, account_id=firm.pk, payout_account_id=rest.pk, now=timezone.now()
        )

    with pytest.raises(accounts.AccountInUse, match="A file of payments is being paid from this account"):
        close()
    while services.pay_next_rows(file_id=file.pk, now=timezone.now()):
        pass
    assert not close().is_active
