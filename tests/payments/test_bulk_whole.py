"""Files of payments that are paid as a whole or not at all."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Account
from accounts.rules.fees import Operation
from fraud.models import Case, Decision
from identity.models import User
from ledger import services as ledger
from notifications.models import OutboxEvent
from payments import services
from payments.models import Payment
from tests.accounts.factories import set_test_fee
from tests.payments.bulk import (
    FLAT_50,
    block,
    checked,
    confirmed,
    outcomes,
    paid,
    payments_of,
    salaries,
)
from tests.payments.factories import held, posted

pytestmark = pytest.mark.django_db


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


def test_all_or_nothing_keeps_the_evidence_of_a_blocked_row(
    firm: Account, staff: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = checked(firm, salaries(staff), mode="WHOLE")
    with monkeypatch.context() as patch:
        block(patch, staff[1])
        paid(file)
    assert (file.status, outcomes(file)) == ("REFUSED", ["whole_refused", "REFUSED", "whole_refused"])
    (payment,) = payments_of(file)
    assert Decision.objects.get().pk == payment.decision_id
    assert Case.objects.get(subject_id=payment.pk).outcome == "BLOCKED"
    assert (posted(firm), held(firm)) == (1000_00, 0)


def test_all_or_nothing_takes_fees_too_or_none(firm: Account, staff: list[Account]) -> None:
    set_test_fee("BUS-EUR", Operation.TRANSFER, FLAT_50)
    refused = confirmed(checked(firm, salaries(staff), mode="WHOLE"))
    ledger.set_status(account_id=staff[2].ledger_account_id, status="FROZEN")
    services.pay_next_rows(file_id=refused.pk, now=timezone.now())
    assert posted(firm) == 1000_00
    ledger.set_status(account_id=staff[2].ledger_account_id, status="ACTIVE")
    assert outcomes(paid(checked(firm, salaries(staff), mode="WHOLE"))) == ["COMPLETED"] * 3
    assert posted(firm) == 1000_00 - 303_00 - 150
