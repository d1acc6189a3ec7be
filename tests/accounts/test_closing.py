"""Closing settles interest, fees and the rest in one transaction, as it was shown before the PIN."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Account, AccountFee, InterestPosting, Product, Status
from accounts.queries.closing import settlement
from accounts.rules.fees import Operation, flat
from accounts.services import account_fees, closing, interest
from audit.models import AuditEvent
from common.money import Money
from identity import services as identity
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger
from tests.accounts.factories import open_test_account, set_test_fee
from tests.patience import PATIENCE
from tests.payments.factories import PIN, give_pin

pytestmark = pytest.mark.django_db
OPENED = datetime(2026, 3, 1, 9, tzinfo=UTC)
MID_APRIL = datetime(2026, 4, 16, 10, tzinfo=UTC)
EARLY_APRIL = datetime(2026, 4, 1, 1, tzinfo=UTC)


@pytest.fixture
def target(alice: User) -> Account:
    give_pin(alice)
    return open_test_account(alice, "WAL-EUR", "1.00", OPENED)


@pytest.fixture
def savings(alice: User) -> Account:
    """10,000.00 at 10 % since the first of March, actual/365, with a minimum balance of 50.00."""
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=10, compounding="NONE")
    return open_test_account(alice, "SAV-EUR", "10000.00", OPENED)


def move(account: Account, minor: int, at: datetime) -> None:
    cash = ledger_queries.internal_account("1000", account.currency)
    ledger.post_entry(
        external_ref=uuid4(),
        legs=[ledger.Leg(account.ledger_account_id, minor), ledger.Leg(cash, -minor)],
        kind="test",
        description="Moved",
        source_kind="test",
        source_id="1",
        booked_at=at,
    )


def balance(account: Account) -> int:
    return ledger_queries.balance(account.ledger_account_id).posted


def internal(code: str) -> int:
    return ledger_queries.balance(ledger_queries.internal_account(code, "EUR")).posted


def close(account: Account, target: Account | None, now: datetime = MID_APRIL, **more: Any) -> Account:
    payout = target.pk if target is not None else None
    return services.close_account(actor=account.owner, account_id=account.pk, payout_account_id=payout, now=now, **more)


def test_savings_get_their_interest_up_to_the_day_before(savings: Account, target: Account) -> None:
    services.post_interest(month=OPENED.date(), now=EARLY_APRIL, seconds=PATIENCE)
    assert balance(savings) == 10084_93
    close(savings, target)
    # 10,084.93 x 10 % x 15 days of April / 365 = 41.4449...
    row = InterestPosting.objects.get(account=savings, period=date(2026, 4, 1))
    assert (row.since, row.until, row.earned_minor) == (date(2026, 4, 1), date(2026, 4, 16), 41_44)
    assert (balance(savings), balance(target)) == (0, 1_00 + 10126_37)
    assert internal("5100") == -84_93 - 41_44
    assert Account.objects.get(pk=savings.pk).status == Status.CLOSED
    texts = [line.description for line in ledger_queries.recent_lines(savings.ledger_account_id, limit=2)]
    assert texts == [f"Balance of closed account {savings.masked_number}", "Interest up to closing, April 2026"]


def test_months_that_were_not_posted_yet_are_part_of_it(savings: Account, target: Account) -> None:
    close(savings, target)
    # 10,000.00 x 10 % x 46 days / 365 = 126.0273...
    assert balance(target) == 1_00 + 10126_03
    assert services.post_interest(month=date(2026, 4, 1), now=datetime(2026, 5, 1, 1, tzinfo=UTC)).done == 0


def test_the_day_of_opening_earns_nothing_when_it_is_the_day_of_closing(savings: Account, target: Account) -> None:
    close(savings, target, now=OPENED)
    assert balance(target) == 10001_00
    assert not InterestPosting.objects.exists()


def test_an_overdraft_pays_its_interest_before_the_rest(alice: User, target: Account) -> None:
    Product.objects.filter(pk="CUR-EUR").update(overdraft_rate=10)
    current = open_test_account(alice, "CUR-EUR", "100.00", OPENED)
    move(current, -500_00, datetime(2026, 3, 11, 9, tzinfo=UTC))
    day = datetime(2026, 3, 21, 9, tzinfo=UTC)
    with pytest.raises(services.AccountOwes) as refusal:
        close(current, target, now=day)
    # 400.00 x 10 % x 10 days / 365 = 1.0958...
    assert refusal.value.data == {"missing_minor": 401_10}
    assert "€401.10" in refusal.value.text
    move(current, 450_00, day)
    close(current, target, now=day)
    assert (balance(current), balance(target), internal("4200")) == (0, 1_00 + 48_90, 1_10)


def test_interest_that_could_not_be_charged_before_is_charged_now(alice: User, target: Account) -> None:
    Product.objects.filter(pk="CUR-EUR").update(overdraft_rate=10)
    current = open_test_account(alice, "CUR-EUR", "100.00", OPENED)
    move(current, -599_00, datetime(2026, 3, 2, tzinfo=UTC))
    services.post_interest(month=OPENED.date(), now=EARLY_APRIL, seconds=PATIENCE)
    assert InterestPosting.objects.get().unpaid_minor == 3_10
    move(current, 503_10, EARLY_APRIL)
    # On the very day up to which interest was posted: nothing new accrued.
    close(current, None, now=EARLY_APRIL)
    row = InterestPosting.objects.get(period=date(2026, 4, 1))
    assert (row.since, row.until, row.charged_minor, row.unpaid_minor) == (row.until, row.since, 3_10, 0)
    assert (balance(current), internal("4200")) == (0, 4_10)


@pytest.fixture
def with_fees(alice: User) -> Account:
    """12.00 in a wallet that owes 5.00 for April and for May; its floor is zero."""
    set_test_fee("WAL-EUR", Operation.MONTHLY, flat(5_00))
    wallet = open_test_account(alice, "WAL-EUR", "12.00", OPENED)
    move(wallet, -10_00, OPENED)
    for month, now in ((4, datetime(2026, 5, 1, 1, tzinfo=UTC)), (5, datetime(2026, 6, 1, 1, tzinfo=UTC))):
        services.ask_account_fees(month=date(2026, month, 1), now=now, seconds=PATIENCE)
    assert AccountFee.objects.open().filter(account=wallet).count() == 2
    return wallet


def test_open_fees_are_taken_first_and_have_to_be_covered(with_fees: Account, alice: User) -> None:
    receiver = open_test_account(alice, "CUR-EUR", "10.00", OPENED)
    june = datetime(2026, 6, 10, tzinfo=UTC)
    with pytest.raises(services.AccountOwes) as refusal:
        close(with_fees, receiver, now=june)
    assert refusal.value.data == {"missing_minor": 8_00}
    move(with_fees, 20_00, june)
    close(with_fees, receiver, now=june)
    assert (balance(with_fees), balance(receiver), internal("4100")) == (0, 22_00, 10_00)
    assert not AccountFee.objects.open().filter(account=with_fees).exists()
    facts = AuditEvent.objects.get(action="account.closed", subject_id=str(with_fees.pk)).data
    assert (facts["fees_minor"], facts["paid_out_minor"]) == (10_00, 12_00)


def test_without_a_receiver_nothing_may_be_left_after_the_interest(savings: Account) -> None:
    move(savings, -9950_00, datetime(2026, 3, 5, tzinfo=UTC))
    with pytest.raises(services.AccountNotEmpty) as refusal:
        close(savings, None)
    # 10,000.00 for 4 days and 50.00 for 42 days at 10 %: 10.9589 + 0.5753 = 11.5342.
    assert refusal.value.data == {"posted_minor": 61_53, "held_minor": 0}


STEPS = {
    "set_floor": (closing.ledger, "set_floor"),
    "interest": (interest.ledger, "post_entry"),
    "interest row": (InterestPosting, "save"),
    "fee": (account_fees.ledger, "post_transfer"),
    "fee row": (AccountFee, "save"),
    "status": (Account, "save"),
    "ledger status": (ledger, "set_status"),
    "audit": (closing.audit, "record"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_raise_at_any_step_leaves_nothing_half_done(alice: User, monkeypatch: Any, step: str) -> None:
    Product.objects.filter(pk="SAV-EUR").update(interest_rate=10, compounding="NONE")
    set_test_fee("SAV-EUR", Operation.MONTHLY, flat(5_00))
    savings, target = (open_test_account(alice, code, "1000.00", OPENED) for code in ("SAV-EUR", "WAL-EUR"))
    move(savings, -949_00, OPENED)
    services.ask_account_fees(month=date(2026, 4, 1), now=datetime(2026, 5, 1, 1, tzinfo=UTC), seconds=PATIENCE)
    move(savings, 500_00, datetime(2026, 5, 2, tzinfo=UTC))
    before = ledger_queries.balance(savings.ledger_account_id)
    assert (before.posted, before.floor) == (551_00, 50_00)
    where, name = STEPS[step]

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the power went")

    monkeypatch.setattr(where, name, fail)
    with pytest.raises(RuntimeError):
        close(savings, target, now=datetime(2026, 5, 3, tzinfo=UTC))
    monkeypatch.undo()
    assert ledger_queries.balance(savings.ledger_account_id) == before
    assert (balance(target), InterestPosting.objects.count()) == (1000_00, 0)
    assert AccountFee.objects.open().count() == 1
    assert Account.objects.get(pk=savings.pk).status == Status.ACTIVE
    due = settlement(savings, now=datetime(2026, 5, 3, tzinfo=UTC))
    close(savings, target, now=datetime(2026, 5, 3, tzinfo=UTC), expected_rest_minor=due.rest.amount_minor)
    assert (balance(savings), balance(target)) == (0, 1000_00 + due.rest.amount_minor)


def test_nothing_happens_when_the_figures_moved_since_they_were_shown(savings: Account, target: Account) -> None:
    shown = settlement(savings, now=MID_APRIL).rest.amount_minor
    move(savings, 1, MID_APRIL)
    with pytest.raises(services.ClosingOutdated) as refusal:
        close(savings, target, expected_rest_minor=shown)
    assert refusal.value.data == {"rest_minor": shown + 1}
    assert Account.objects.get(pk=savings.pk).status == Status.ACTIVE


def test_a_wrong_pin_closes_nothing(savings: Account, target: Account, alice: User) -> None:
    with pytest.raises(identity.WrongPin):
        services.confirm_closing(
            actor=alice,
            account_id=savings.pk,
            pin="9173",
            expected_rest_minor=0,
            payout_account_id=target.pk,
            now=MID_APRIL,
        )
    assert balance(savings) == 10000_00


def test_the_page_shows_all_of_it_before_the_pin(
    savings: Account, target: Account, alice: User, login: Callable[[User], Client]
) -> None:
    set_test_fee("SAV-EUR", Operation.MONTHLY, flat(5_00))
    AccountFee.objects.create(
        account=savings,
        period=date(2026, 4, 1),
        fee_version=set_test_fee("SAV-EUR", Operation.MONTHLY, flat(5_00)),
        basis_minor=0,
        amount_minor=5_00,
        note="€5.00",
        asked_at=MID_APRIL,
        tried_at=MID_APRIL,
    )
    client, url = login(alice), f"/accounts/{savings.pk}/close/"
    rest = settlement(savings, now=timezone.now()).rest
    page = client.get(url).content.decode()
    assert "Account fee, April 2026" in page
    assert "earned up to yesterday" in page
    assert f"Move {rest} and close" in page
    told = {"payout": str(target.pk), "expected_minor": str(rest.amount_minor), "pin": PIN}
    moved = client.post(url, {**told, "expected_minor": "1"})
    assert moved.status_code == 422
    assert "The figures have changed" in moved.content.decode()
    assert f'value="{rest.amount_minor}"' in moved.content.decode()
    assert client.post(url, {**told, "pin": "9173"}).status_code == 422
    assert client.post(url, told).status_code == 302
    assert (balance(savings), balance(target)) == (0, 1_00 + rest.amount_minor)


def test_the_api_shows_and_closes_once(
    savings: Account, target: Account, alice: User, api: Callable[[User], APIClient]
) -> None:
    client, path = api(alice), f"/api/v1/accounts/{savings.pk}"
    shown = client.get(f"{path}/closing").json()
    assert (shown["balance"], shown["fees"]) == ("10000.00", [])
    told = {"pin": PIN, "expected_rest": shown["rest"], "payout_account": str(target.pk)}
    key = {"Idempotency-Key": str(uuid4())}
    for wrong, code in (
        ({"expected_rest": "1.00"}, "closing_outdated"),
        ({"payout_account": None}, "account_not_empty"),
        ({"pin": "9173"}, "wrong_pin"),
        ({"expected_rest": "1e3"}, "invalid_amount"),
        ({"payout_account": str(uuid4())}, "unknown_account"),
    ):
        answer = client.post(
            f"{path}/close", {**told, **wrong}, format="json", headers={"Idempotency-Key": str(uuid4())}
        )
        assert answer.json()["code"] == code
    first = client.post(f"{path}/close", told, format="json", headers=key)
    again = client.post(f"{path}/close", told, format="json", headers=key)
    assert (first.status_code, first.json()["status"], first.json()["balance"]) == (200, "CLOSED", "0.00")
    assert again.content == first.content
    assert balance(target) == Money.parse(shown["rest"], "EUR").amount_minor + 1_00


def test_staff_pay_the_rest_to_another_account_of_the_holder(
    savings: Account, target: Account, bob: User, administrator: User, login: Callable[[User], Client]
) -> None:
    bobs = open_test_account(bob, "CUR-EUR", "10.00")
    client, url = login(administrator), f"/admin/accounts/account/{savings.pk}/close/"
    page = client.get(url).content.decode()
    assert "Interest to pay" in page
    assert target.grouped_number in page
    assert bobs.grouped_number not in page
    reason = {"reason": "Asked by letter"}
    assert client.post(url, {**reason, "payout": str(bobs.pk)}).status_code == 422
    assert client.post(url, reason).status_code == 422
    assert client.post(url, {**reason, "payout": str(target.pk)}).status_code == 302
    assert balance(savings) == 0
