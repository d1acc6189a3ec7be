"""Look-ups by number, conversions, and how many queries they take."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts import queries, services
from accounts.models import ReferenceRate
from accounts.reference import ensure
from common.money import Money
from common.spreadsheets import text_cell
from identity.models import User
from tests.accounts.factories import open_test_account

pytestmark = pytest.mark.django_db


def day(number: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, number, hour, tzinfo=UTC)


@pytest.fixture
def moved(alice: User) -> Any:
    """1,000.00 on the 2nd; 300.00 out on the 5th, 20.00 out at midnight of the 10th."""
    account = open_test_account(alice, amount="1000.00", now=day(2))
    source = services.own_account(account.pk)
    for amount, now in [("300.00", day(5)), ("20.00", day(10, 0))]:
        services.open_account(
            actor=alice,
            owner=alice,
            product_code="WAL-EUR",
            opening=Money.parse(amount, "EUR"),
            source=source,
            client_id=uuid4(),
            now=now,
        )
    return account


def test_balances_of_many_accounts_take_two_queries(alice: User, moved: Any, django_assert_num_queries: Any) -> None:
    open_test_account(alice, product="WAL-USD", amount="5.00")
    with django_assert_num_queries(2):
        holdings = queries.accounts_for(alice)
    assert [holding.posted.plain for holding in holdings] == ["680.00", "300.00", "20.00", "5.00"]


def test_nobody_sees_somebody_elses_accounts(moved: Any, charlie: User) -> None:
    assert queries.accounts_for(charlie) == []


def test_finds_an_account_by_its_number_as_people_write_it(moved: Any) -> None:
    assert queries.find_by_number(moved.grouped_number.lower()) == moved


def test_tells_a_typing_mistake_from_an_unknown_number(moved: Any) -> None:
    last = (int(moved.number[-1]) + 1) % 10
    for number, reason in [(moved.number[:-1] + str(last), "check_digits"), ("BP76000000000077", "unknown")]:
        with pytest.raises(services.UnknownAccount) as caught:
            queries.find_by_number(number)
        assert caught.value.error_code == "unknown_account"
        assert caught.value.data == {"reason": reason}


def test_the_payee_is_called_by_the_checked_name(moved: Any, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(full_name="Al the Great")
    assert queries.owner_display_name(queries.find_by_number(moved.number)) == "Alice Archer"


def test_converts_to_the_base_currency_half_to_even(django_assert_num_queries: Any) -> None:
    ReferenceRate.objects.filter(pk="USD").update(rate_to_base=Decimal("0.5"))
    assert queries.to_base(Money(1_01, "EUR")) == 1_01
    assert queries.to_base(Money(1_01, "USD")) == 50
    assert queries.to_base(Money(1_03, "USD")) == 52
    assert queries.to_base(Money(100, "JPY")) is None
    rates = queries.rates_to_base()
    with django_assert_num_queries(0):
        assert queries.to_base(Money(-10_00, "USD"), rates) == -5_00


def test_reference_data_comes_back_and_keeps_what_staff_changed() -> None:
    queries.Product.objects.filter(pk="SAL-EUR").delete()
    queries.Product.objects.filter(pk="CUR-EUR").update(name="Everyday")
    ReferenceRate.objects.filter(pk="USD").update(rate_to_base=Decimal("0.8"))
    ensure()
    assert queries.get_product("SAL-EUR").min_opening == Money(1_00, "EUR")
    assert queries.get_product("CUR-EUR").name == "Everyday"
    assert queries.rates_to_base()["USD"].rate_to_base == Decimal("0.8")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_look_like_formulas_stay_text(start: str) -> None:
    assert text_cell(f"{start}1+1") == f"'{start}1+1"
    assert text_cell("Rent 1+1") == "Rent 1+1"


def test_a_leading_space_hides_no_formula() -> None:
    assert text_cell("  =1+1") == "'  =1+1"


def test_the_newest_lines_come_first(moved: Any) -> None:
    assert [line.amount.plain for line in queries.recent_lines(moved, limit=2)] == ["-20.00", "-300.00"]
