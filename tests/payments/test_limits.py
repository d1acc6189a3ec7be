"""Limits: how they combine, that they are counted under the lock, and who may change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, ReferenceRate
from audit.models import AuditEvent
from fraud import services as fraud
from identity.models import User
from identity.services import PermissionMissing, WrongPin
from payments import queries, services
from payments.models import Channel, Kind, Limit, Payment, Status
from payments.rules.limits import Excess, Limits, Used, Window, first_excess
from payments.services import limits
from tests.accounts.factories import open_test_account
from tests.payments.conftest import Bank
from tests.payments.factories import CHECKED, PIN, at, case_of, held_payment, pay

NOON = at("2026-03-17T12:00:00+00:00")


@pytest.mark.parametrize(
    ("amount", "used", "expected"),
    [
        (100, Used(daily=0, monthly=0, new_payee=None), None),
        (101, Used(daily=0, monthly=0, new_payee=None), Excess(Window.PER_PAYMENT, 100, 100)),
        (100, Used(daily=100, monthly=100, new_payee=None), None),
        (100, Used(daily=101, monthly=101, new_payee=None), Excess(Window.DAILY, 200, 99)),
        (50, Used(daily=0, monthly=280, new_payee=None), Excess(Window.MONTHLY, 300, 20)),
        (30, Used(daily=0, monthly=0, new_payee=21), Excess(Window.NEW_PAYEE, 50, 29)),
        (30, Used(daily=190, monthly=290, new_payee=45), Excess(Window.NEW_PAYEE, 50, 5)),
        (10, Used(daily=250, monthly=250, new_payee=None), Excess(Window.DAILY, 200, 0)),
    ],
)
def test_the_tightest_broken_limit_is_named(amount: int, used: Used, expected: Excess | None) -> None:
    all_set = Limits(per_payment=100, daily=200, monthly=300, new_payee=50)
    assert first_excess(amount=amount, limits=all_set, used=used) == expected


def test_without_a_limit_everything_passes() -> None:
    used = Used(daily=10**12, monthly=10**12, new_payee=10**12)
    assert first_excess(amount=10**12, limits=Limits(), used=used) is None


def test_own_limits_only_tighten() -> None:
    bank = Limits(per_payment=100, daily=200)
    own = Limits(per_payment=500, daily=50, monthly=70)
    assert bank.tightened_by(own) == Limits(per_payment=100, daily=50, monthly=70)


def bank_limits(customer: User | None, **minor: int | None) -> None:
    """What an officer would have set."""
    Limit.objects.update_or_create(
        customer=customer,
        channel=Channel.PORTAL,
        set_by=Limit.SetBy.BANK,
        defaults={
            "per_payment_minor": None,
            "daily_minor": None,
            "monthly_minor": None,
            "new_payee_minor": None,
            **minor,
            "changed_at": timezone.now(),
        },
    )


def refused(bank: Bank, amount: str, **overrides: object) -> dict[str, object]:
    before = Payment.objects.count()
    with pytest.raises(services.LimitExceeded) as refusal:
        pay(bank.alice, bank.current, bank.bobs, amount, **overrides)
    assert refusal.value.field == "amount"
    assert Payment.objects.count() == before
    return refusal.value.data


def test_the_day_is_full_to_the_cent(bank: Bank) -> None:
    bank_limits(bank.alice, daily_minor=100_00)
    pay(bank.alice, bank.current, bank.bobs, "60.00", now=NOON)
    assert refused(bank, "40.01", now=NOON)["left_minor"] == 40_00
    pay(bank.alice, bank.current, bank.bobs, "40.00", now=NOON)
    assert refused(bank, "0.01", now=NOON) == {
        "limit": "daily",
        "limit_minor": 100_00,
        "left_minor": 0,
        "currency": "EUR",
    }
    pay(bank.alice, bank.current, bank.bobs, "100.00", now=NOON + timedelta(days=1))


def test_a_month_ends_with_its_last_day(bank: Bank) -> None:
    bank_limits(bank.alice, monthly_minor=100_00)
    pay(bank.alice, bank.current, bank.bobs, "90.00", now=at("2026-02-28T23:59:59+00:00"))
    pay(bank.alice, bank.current, bank.bobs, "90.00", now=at("2026-03-01T00:00:01+00:00"))
    assert refused(bank, "10.01", now=at("2026-03-31T23:00:00+00:00"))["limit"] == "monthly"


def test_a_held_payment_counts_until_it_is_declined(bank: Bank, officer: User) -> None:
    bank_limits(bank.alice, daily_minor=100_00)
    payment = held_payment(bank.alice, bank.current, bank.bobs, "80.00")
    assert refused(bank, "30.00")["left_minor"] == 20_00
    fraud.decide_case(
        actor=officer,
        case_id=case_of(payment).pk,
        decision="DECLINE",
        reason="Not hers.",
        now=timezone.now(),
        checked=CHECKED,
    )
    assert pay(bank.alice, bank.current, bank.bobs, "30.00").status == Status.COMPLETED


def test_a_release_is_not_stopped_by_a_limit(bank: Bank, officer: User) -> None:
    payment = held_payment(bank.alice, bank.current, bank.bobs, "80.00")
    bank_limits(bank.alice, daily_minor=10_00)
    fraud.decide_case(
        actor=officer,
        case_id=case_of(payment).pk,
        decision="RELEASE",
        reason="She called.",
        now=timezone.now(),
        checked=CHECKED,
    )
    payment.refresh_from_db()
    assert payment.status == Status.COMPLETED


def test_channels_are_counted_apart_and_the_counter_not_at_all(bank: Bank, teller: User) -> None:
    bank_limits(bank.alice, daily_minor=100_00)
    pay(bank.alice, bank.current, bank.bobs, "100.00")
    assert pay(bank.alice, bank.current, bank.bobs, "100.00", channel=Channel.API).status == Status.COMPLETED
    services.withdraw_cash(
        actor=teller,
        account_number=bank.current.number,
        amount="50.00",
        client_id=uuid4(),
        now=timezone.now(),
    )


def test_own_transfers_are_not_limited(bank: Bank) -> None:
    bank_limits(bank.alice, per_payment_minor=1_00)
    services.submit_own_transfer(
        actor=bank.alice,
        debit_account_id=bank.current.pk,
        credit_account_id=bank.savings.pk,
        amount="200.00",
        client_id=uuid4(),
        channel=Channel.PORTAL,
        now=timezone.now(),
    )


def test_withdrawals_share_the_limit(bank: Bank) -> None:
    bank_limits(bank.alice, daily_minor=100_00)
    pay(bank.alice, bank.current, bank.bobs, "60.00")
    with pytest.raises(services.LimitExceeded):
        services.withdraw(
            actor=bank.alice,
            debit_account_id=bank.current.pk,
            iban="DE89370400440532013000",
            amount="40.01",
            client_id=uuid4(),
            channel=Channel.PORTAL,
            now=timezone.now(),
        )


def test_amounts_in_another_currency_count_at_the_reference_rate(bank: Bank, bob: User) -> None:
    dollars = open_test_account(bank.alice, "WAL-USD", "1000.00")
    bobs = open_test_account(bob, "WAL-USD", "100.00")
    ReferenceRate.objects.filter(currency="USD").update(rate_to_base=Decimal("0.5"))
    bank_limits(bank.alice, daily_minor=100_00)
    payment = pay(bank.alice, dollars, bobs, "150.00")
    assert payment.amount_base_minor == 75_00
    assert refused(bank, "25.01")["left_minor"] == 25_00
    ReferenceRate.objects.filter(currency="USD").delete()
    with pytest.raises(services.NoReferenceRate):
        pay(bank.alice, dollars, bobs, "1.00")


def test_a_new_payee_gets_less_until_a_day_has_passed(bank: Bank) -> None:
    bank_limits(bank.alice, new_payee_minor=50_00)
    pay(bank.alice, bank.current, bank.bobs, "30.00", now=NOON)
    assert refused(bank, "20.01", now=NOON + timedelta(hours=23)) == {
        "limit": "new_payee",
        "limit_minor": 50_00,
        "left_minor": 20_00,
        "currency": "EUR",
    }
    pay(bank.alice, bank.current, bank.bobs, "400.00", now=NOON + timedelta(hours=24))


def test_a_payee_saved_a_day_ago_is_not_new(bank: Bank) -> None:
    bank_limits(bank.alice, new_payee_minor=50_00)
    services.save_payee(actor=bank.alice, name="Bob Baker", number=bank.bobs.number, pin=PIN, now=NOON)
    assert refused(bank, "50.01", now=NOON + timedelta(hours=23))["limit"] == "new_payee"
    pay(bank.alice, bank.current, bank.bobs, "50.01", now=NOON + timedelta(hours=24))


def test_another_customers_payments_do_not_count(bank: Bank, charlie: User) -> None:
    theirs = open_test_account(charlie, "CUR-EUR", "500.00")
    bank_limits(None, daily_minor=100_00)
    pay(charlie, theirs, bank.bobs, "100.00")
    pay(bank.alice, bank.current, bank.bobs, "100.00")


def test_the_review_says_so_before_the_pin(bank: Bank) -> None:
    bank_limits(bank.alice, per_payment_minor=10_00)
    with pytest.raises(services.LimitExceeded, match="one payment"):
        services.review_transfer(
            actor=bank.alice,
            debit_account_id=bank.current.pk,
            payee_number=bank.bobs.number,
            payee_name="Bob Baker",
            amount="10.01",
            now=timezone.now(),
        )


def set_own(actor: User, *, pin: str = PIN, **values: int | None) -> None:
    services.set_own_limits(actor=actor, channel=Channel.PORTAL, limits=Limits(**values), pin=pin, now=timezone.now())


def test_a_customer_tightens_own_limits_with_the_pin_only(bank: Bank) -> None:
    with pytest.raises(WrongPin):
        set_own(bank.alice, pin="0000", daily=10_00)
    set_own(bank.alice, daily=10_00)
    assert refused(bank, "10.01")["limit"] == "daily"
    with pytest.raises(services.LimitTooHigh) as refusal:
        set_own(bank.alice, daily=25_000_01)
    assert refusal.value.field == "daily"
    set_own(bank.alice, daily=None)
    pay(bank.alice, bank.current, bank.bobs, "10.01")


def test_own_limits_never_exceed_what_the_bank_sets_later(bank: Bank) -> None:
    set_own(bank.alice, daily=500_00)
    bank_limits(bank.alice, daily_minor=20_00)
    assert queries.effective_limits(customer_id=bank.alice.pk, channel=Channel.PORTAL).daily == 20_00


def test_staff_set_limits_for_a_customer_with_a_reason(bank: Bank, administrator: User, teller: User) -> None:
    facts = {"customer": bank.alice, "channel": Channel.PORTAL, "limits": Limits(daily=5_00), "now": timezone.now()}
    with pytest.raises(PermissionMissing):
        services.set_bank_limits(actor=teller, reason="Why not.", **facts)
    services.set_bank_limits(actor=administrator, reason="Asked for by letter.", **facts)
    assert refused(bank, "5.01")["limit"] == "daily"
    event = AuditEvent.objects.get(action="limits.set")
    assert (event.actor, event.reason, event.data["daily_minor"]) == (administrator, "Asked for by letter.", 500)


def test_nobody_sets_the_banks_limits_on_own_accounts(administrator: User) -> None:
    with pytest.raises(services.OwnLimits):
        services.set_bank_limits(
            actor=administrator,
            customer=administrator,
            channel=Channel.PORTAL,
            limits=Limits(),
            reason="Because I can.",
            now=timezone.now(),
        )


def test_the_account_that_pays_is_found_by_index(bank: Bank, django_assert_max_num_queries: object) -> None:
    account: Account = bank.current
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        limits.require_within(
            customer_id=account.owner_id,
            kind=Kind.TRANSFER,
            channel=Channel.PORTAL,
            amount_base_minor=1,
            payee=queries.Target(bank.bobs.pk, ""),
            now=timezone.now(),
        )


def test_staff_change_the_default_and_set_a_customers_limits_in_the_back_office(
    bank: Bank, administrator: User, login: Callable[[User], Client]
) -> None:
    office = login(administrator)
    default = Limit.objects.get(customer=None, channel="PORTAL")
    page = office.get(f"/admin/payments/limit/{default.pk}/change-limits/").content.decode()
    assert 'value="25000.00"' in page
    amounts = {
        "per_payment": "100.00",
        "daily": "100.00",
        "monthly": "",
        "new_payee": "50.00",
        "reason": "A new policy.",
    }
    assert office.post(f"/admin/payments/limit/{default.pk}/change-limits/", amounts).status_code == 302
    assert queries.effective_limits(customer_id=bank.bob.pk, channel=Channel.PORTAL) == Limits(
        per_payment=100_00, daily=100_00, new_payee=50_00
    )
    ones = amounts | {"email": "Alice@Example.com ", "channel": "PORTAL", "daily": "70.00"}
    assert office.post("/admin/payments/limit/set-for-customer/", ones).status_code == 302
    assert queries.effective_limits(customer_id=bank.alice.pk, channel=Channel.PORTAL).daily == 70_00
    unknown = office.post("/admin/payments/limit/set-for-customer/", ones | {"email": "nobody@example.com"})
    assert unknown.status_code == 422
    assert "No customer logs in with this address." in unknown.content.decode()
    assert (
        office.post(f"/admin/payments/limit/{default.pk}/change-limits/", amounts | {"daily": "-1"}).status_code == 422
    )


def test_what_a_customer_set_is_not_changed_in_the_back_office(
    bank: Bank, administrator: User, login: Callable[[User], Client]
) -> None:
    set_own(bank.alice, daily=10_00)
    row = Limit.objects.get(set_by="CUSTOMER")
    office = login(administrator)
    assert office.get(f"/admin/payments/limit/{row.pk}/change-limits/").status_code in {403, 404}
    assert "change-limits" not in office.get(f"/admin/payments/limit/{row.pk}/change/").content.decode()
