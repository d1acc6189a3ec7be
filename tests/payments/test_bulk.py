"""Files of payments whose rows are paid one by one: what becomes of each, and of its neighbours."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account
from accounts.rules.fees import Operation
from audit.models import AuditEvent
from fraud import services as fraud
from fraud.models import Case, Decision
from fraud.rules.facts import Outcome
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger
from notifications.models import OutboxEvent
from payments import queries, services
from payments.models import BulkFile, BulkRow, Channel, Status
from payments.services import bulk, many
from tests.accounts.factories import open_test_account, set_test_fee
from tests.payments.bulk import (
    FLAT_50,
    FLAT_75,
    block,
    checked,
    confirmed,
    outcomes,
    paid,
    payments_of,
    salaries,
    to,
)
from tests.payments.conftest import Bank
from tests.payments.factories import held, posted, verdict

pytestmark = pytest.mark.django_db


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
        block(patch, blocked)
        paid(file)
    assert outcomes(file) == ["COMPLETED", "REFUSED", "COMPLETED"]
    assert posted(firm) == 1000_00 - 202_00


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


def test_the_fee_is_shown_taken_and_not_changed_in_between(firm: Account, staff: list[Account]) -> None:
    set_test_fee("BUS-EUR", Operation.TRANSFER, FLAT_50)
    file = checked(firm, [*salaries(staff), ("Landlord", "DE89370400440532013000", "10.00", "Rent")])
    assert queries.bulk_sums(file).fees_minor == 150
    other = checked(firm, [to(staff[0], "5.00", "Later")])
    paid(file)
    assert outcomes(file) == ["COMPLETED"] * 4
    assert posted(firm) == 1000_00 - 313_00 - 150
    set_test_fee("BUS-EUR", Operation.TRANSFER, FLAT_75)
    assert outcomes(paid(other)) == ["fee_changed"]


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
