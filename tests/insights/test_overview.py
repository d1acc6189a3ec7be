"""The overview: figures worked by hand, what needs doing, and a constant number of statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Account, ReferenceRate
from common.money import Money
from identity.models import User
from insights import queries, views
from insights.rules.change import percent
from insights.rules.periods import month_to_date, same_days_of_last_month
from ledger import queries as ledger_queries
from ledger import services as ledger
from payments import services as payments
from payments.models import Channel
from tests.accounts.factories import open_test_account
from tests.kyc.factories import approve_kyc
from tests.payments.factories import pay

Login = Callable[[User], Client]


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def move(account: Account, minor: int, when: datetime) -> int:
    """Into the account (above zero) or out of it, against settlement; returns the entry."""
    outside = ledger_queries.internal_account("1100", account.currency)
    inward = minor > 0
    with transaction.atomic():
        return ledger.post_transfer(
            external_ref=uuid4(),
            debit_account_id=outside if inward else account.ledger_account_id,
            credit_account_id=account.ledger_account_id if inward else outside,
            amount_minor=abs(minor),
            kind="test",
            description="Salary" if inward else "Rent",
            source_kind="test",
            source_id="1",
            booked_at=when,
        ).entry_id


def test_months_compare_the_same_days() -> None:
    assert month_to_date(date(2026, 3, 31)) == (date(2026, 3, 1), date(2026, 4, 1))
    assert same_days_of_last_month(date(2026, 3, 1), date(2026, 4, 1)) == (date(2026, 2, 1), date(2026, 3, 1))
    assert same_days_of_last_month(date(2026, 1, 1), date(2026, 1, 11)) == (date(2025, 12, 1), date(2025, 12, 11))


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (1042, 1000, "+4.2%"),
        (958, 1000, "−4.2%"),
        (5, 5, "±0.0%"),
        (5, 0, ""),
        (100_000, 1, ""),
        (0, 10, "−100.0%"),
    ],
)
def test_changes_in_words(now: int, before: int, text: str) -> None:
    assert percent(now, before) == text


@pytest.mark.django_db
def test_income_and_spending_leave_out_transfers_between_own_accounts(alice: User) -> None:
    main = open_test_account(alice, amount="1000.00", now=at(1, 5))
    wallet = open_test_account(alice, product="WAL-EUR", amount="10.00", now=at(1, 5))
    move(main, 2000_00, at(2, 3))
    move(main, -500_00, at(2, 20))
    move(main, 2500_00, at(3, 3))
    move(main, -300_00, at(3, 4))
    with transaction.atomic():
        ledger.post_entry(
            external_ref=uuid4(),
            legs=[
                ledger.Leg(main.ledger_account_id, -100_50),
                ledger.Leg(wallet.ledger_account_id, 100_00),
                ledger.Leg(ledger_queries.internal_account("4100", "EUR"), 50),
            ],
            kind="test",
            description="Own transfer with a fee",
            source_kind="test",
            source_id="2",
            booked_at=at(3, 5),
        )
    flow = queries.overview(actor=alice, now=at(3, 10)).flow
    assert (flow.income.plain, flow.spending.plain) == ("2500.00", "300.50")
    # The rent of 20 February lies after the tenth day.
    assert (flow.last_income.plain, flow.last_spending.plain) == ("2000.00", "0.00")


@pytest.mark.django_db
def test_a_reversal_takes_back_what_it_reverses(alice: User) -> None:
    account = open_test_account(alice, amount="1000.00", now=at(1, 5))
    entry = move(account, -300_00, at(3, 4))
    with transaction.atomic():
        ledger.reverse_entry(
            entry_id=entry,
            external_ref=uuid4(),
            description="Back",
            booked_at=at(3, 6),
            source_kind="test",
            source_id="1",
        )
    flow = queries.overview(actor=alice, now=at(3, 10)).flow
    assert (flow.income.plain, flow.spending.plain) == ("0.00", "0.00")


@pytest.mark.django_db
def test_totals_are_per_currency_and_together_at_reference_rates(alice: User) -> None:
    ReferenceRate.objects.filter(pk="USD").update(rate_to_base=Decimal("0.5"))
    open_test_account(alice, amount="1000.00", now=at(3, 1))
    open_test_account(alice, product="WAL-USD", amount="100.00", now=at(3, 2))
    overview = queries.overview(actor=alice, now=at(3, 10))
    assert overview.total.by_currency == [Money(1000_00, "EUR"), Money(100_00, "USD")]
    assert overview.total.together == Money(1050_00, "EUR")
    assert len(overview.daily) == queries.CHART_DAYS
    figures = dict(overview.daily)
    assert [figures[date(2026, 2, 28)].plain, figures[date(2026, 3, 1)].plain] == ["0.00", "1000.00"]
    assert overview.daily[-1] == (date(2026, 3, 10), Money(1050_00, "EUR"))


@pytest.mark.django_db
def test_a_currency_without_a_rate_is_named_and_not_guessed(alice: User) -> None:
    ReferenceRate.objects.filter(pk="USD").delete()
    open_test_account(alice, amount="1000.00", now=at(3, 1))
    open_test_account(alice, product="WAL-USD", amount="100.00", now=at(3, 2))
    overview = queries.overview(actor=alice, now=at(3, 10))
    assert overview.total.together is None
    assert overview.left_out == ["USD"]
    assert overview.daily[-1][1] == Money(1000_00, "EUR")
    assert views.chart(overview)["note"] == "without USD"


@pytest.mark.django_db
def test_the_newest_postings_of_all_accounts_come_first(alice: User, bob: User) -> None:
    first = open_test_account(alice, amount="1000.00", now=at(3, 1))
    second = open_test_account(alice, product="WAL-EUR", amount="10.00", now=at(3, 3))
    open_test_account(bob, now=at(3, 4))
    move(first, -5_00, at(3, 5))
    activity = queries.overview(actor=alice, now=at(3, 10)).activity
    assert [(row.holding.account, row.amount.plain) for row in activity] == [
        (first, "-5.00"),
        (second, "10.00"),
        (first, "1000.00"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_payment_is_told_from_the_readers_side(alice: User, bob: User, officer: User) -> None:
    """The journal says the same to both sides; here each reads the other's name and what the payer wrote."""
    alices, bobs = open_test_account(alice), open_test_account(bob)
    savings = open_test_account(alice, product="SAV-EUR", amount="100.00")
    now = timezone.now()
    sent = pay(alice, alices, bobs, description="Football fees", now=now)
    payments.submit_own_transfer(
        actor=alice,
        debit_account_id=alices.pk,
        credit_account_id=savings.pk,
        amount="10.00",
        client_id=uuid4(),
        channel=Channel.PORTAL,
        now=now,
    )
    payments.reverse_payment(actor=officer, payment_id=sent.pk, reason="Sent twice", now=now)

    def told(reader: User) -> list[tuple[str, str]]:
        lines = queries.overview(actor=reader, now=now).activity
        return [(line.title, line.text) for line in lines if line.payment_id]

    assert (bob.full_name, "Football fees") in told(alice)
    assert (alice.full_name, "Football fees") in told(bob)
    assert [title for title, _ in told(alice)].count("Between own accounts") == 2
    for reader in (alice, bob):
        assert ("Reversal: Football fees", "") in told(reader)


@pytest.mark.django_db
def test_the_page_takes_the_same_queries_for_one_account_and_for_five(
    login: Login, alice: User, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    open_test_account(alice)
    client = login(alice)
    assert client.get("/overview/").status_code == 200
    with django_assert_max_num_queries(16) as first:
        client.get("/overview/")
    for _ in range(4):
        open_test_account(alice)
    with django_assert_num_queries(len(first.captured_queries)):
        client.get("/overview/")


@pytest.mark.django_db
def test_the_page_shows_money_chart_and_activity(login: Login, alice: User) -> None:
    open_test_account(alice, amount="1234.56")
    page = login(alice).get("/overview/").content.decode()
    assert "€1,234.56" in page
    assert 'id="balance-chart-data" type="application/json"' in page
    assert "Opening deposit, Current account" in page
    assert "Set a transaction PIN" in page


@pytest.mark.django_db
def test_a_newcomer_is_led_to_the_identity_check_and_then_to_an_account(login: Login, charlie: User) -> None:
    client = login(charlie)
    assert "Confirm who you are" in client.get("/overview/").content.decode()
    approve_kyc(charlie)
    page = client.get("/overview/").content.decode()
    assert "Open your first account" in page
    assert "Confirm who you are" not in page


@pytest.mark.django_db
def test_visitors_log_in_and_staff_go_to_the_back_office(login: Login, auditor: User) -> None:
    assert Client().get("/overview/").headers["Location"].startswith("/auth/login/")
    assert login(auditor).get("/overview/").headers["Location"] == "/admin/"


@pytest.mark.django_db
def test_a_stranger_sees_nothing_of_others(alice: User, charlie: User) -> None:
    open_test_account(alice)
    overview = queries.overview(actor=charlie, now=timezone.now())
    assert (overview.holdings, overview.activity, overview.daily) == ([], [], [])
