"""What an amount costs under flat, percentage and tiered fees, worked out in full."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import fees
from accounts.rules.fees import Band, Tariff
from common.money import Money

PERCENT = Tariff((Band(0, 0, Decimal("0.25")),), least_minor=1_00, most_minor=12_50)
# Up to 1,000.00 it is 0.90; up to 10,000.00 it is 0.90 and 0.1 per cent; from there on 0.05 per cent.
TIERED = Tariff(
    (Band(0, 90, Decimal(0)), Band(1_000_00, 90, Decimal("0.1")), Band(10_000_00, 0, Decimal("0.05"))), most_minor=20_00
)


def cost(tariff: Tariff, minor: int) -> int:
    return fees.charge(tariff, Money(minor, "EUR")).fee.amount_minor


@pytest.mark.parametrize("amount", [0, 1, 10_000_000_00])
def test_a_flat_fee_is_the_same_for_every_amount(amount: int) -> None:
    assert cost(fees.flat(1_50), amount) == 1_50


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (1_00, 1_00),  # 0.0025, at least 1.00
        (400_00, 1_00),  # 1.00 exactly
        (402_00, 1_00),  # 1.005: half to even
        (406_00, 1_02),  # 1.015: half to even
        (2_000_00, 5_00),
        (5_000_00, 12_50),  # the most exactly
        (9_999_99, 12_50),  # 24.99..., at most 12.50
    ],
)
def test_a_percentage_with_a_least_and_a_most(amount: int, fee: int) -> None:
    assert cost(PERCENT, amount) == fee


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (0, 90),
        (999_99, 90),
        (1_000_00, 1_90),  # 0.90 + 1.00
        (9_999_99, 10_90),  # 0.90 + 9.99999
        (10_000_00, 5_00),
        (50_000_00, 20_00),  # 25.00, at most 20.00
    ],
)
def test_the_band_of_the_amount_prices_all_of_it(amount: int, fee: int) -> None:
    assert cost(TIERED, amount) == fee


def test_a_free_band_stays_free_whatever_the_least() -> None:
    free_first = Tariff((Band(0, 0, Decimal(0)), Band(500_00, 0, Decimal(1))), least_minor=6_00)
    assert [cost(free_first, minor) for minor in (499_99, 500_00, 700_00)] == [0, 6_00, 7_00]


@pytest.mark.parametrize(
    ("tariff", "amount", "note"),
    [
        (fees.flat(1_50), 10_00, "€1.50"),
        (fees.flat(0), 10_00, ""),
        (PERCENT, 2_000_00, "0.25% of €2,000.00"),
        (PERCENT, 10_00, "0.25% of €10.00, at least €1.00"),
        (PERCENT, 9_000_00, "0.25% of €9,000.00, at most €12.50"),
        (TIERED, 10_00, "€0.90, for amounts below €1,000.00"),
        (TIERED, 2_000_00, "€0.90 and 0.1% of €2,000.00, for amounts from €1,000.00 to below €10,000.00"),
        (TIERED, 50_000_00, "0.05% of €50,000.00, for amounts from €10,000.00, at most €20.00"),
    ],
)
def test_says_how_a_fee_was_made_up(tariff: Tariff, amount: int, note: str) -> None:
    assert fees.charge(tariff, Money(amount, "EUR")).note == note


def test_a_price_list_says_it_in_a_line() -> None:
    assert fees.summary(None, "EUR") == fees.summary(fees.flat(0), "EUR") == "Free"
    assert fees.summary(PERCENT, "EUR") == "0.25%, at least €1.00, at most €12.50"
    assert fees.summary(TIERED, "EUR") == (
        "€0.90 below €1,000.00, €0.90 and 0.1% from €1,000.00 to below €10,000.00, 0.05% from €10,000.00, at most €20.00"
    )


@pytest.mark.parametrize(
    "tariff",
    [
        Tariff(()),
        Tariff((Band(1, 0, Decimal(1)),)),
        Tariff((Band(0, 0, Decimal(1)), Band(0, 1, Decimal(1)))),
        Tariff((Band(0, 0, Decimal(1)), Band(20, 1, Decimal(1)), Band(10, 1, Decimal(1)))),
        Tariff((Band(0, -1, Decimal(0)),)),
        Tariff((Band(0, 0, Decimal("100.01")),)),
        Tariff((Band(0, 0, Decimal(1)),), least_minor=2, most_minor=1),
        Tariff((Band(0, 0, Decimal(1)),), least_minor=-1),
        Tariff((Band(0, 5, Decimal(0)),), most_minor=3),
        Tariff(tuple(Band(minor, 0, Decimal(1)) for minor in range(5))),
    ],
)
def test_what_is_no_tariff_says_why(tariff: Tariff) -> None:
    assert fees.flaw(tariff)
    assert not fees.flaw(PERCENT)
    assert not fees.flaw(TIERED)


@given(
    amount=st.integers(0, 10**12),
    fixed=st.integers(0, 10**6),
    rate=st.decimals(0, 100, places=4),
    least=st.integers(0, 10**4),
    spread=st.integers(0, 10**6),
)
def test_never_outside_its_bounds_and_less_than_a_unit_from_exact(
    amount: int, fixed: int, rate: Decimal, least: int, spread: int
) -> None:
    tariff = Tariff((Band(0, fixed, rate),), least, least + spread)
    minor = cost(tariff, amount)
    if rate:
        assert least <= minor <= least + spread
    exact = fixed + Fraction(rate) * amount / 100
    if not rate or least < exact < least + spread:
        assert abs(minor - exact) <= Fraction(1, 2)


def test_a_negative_amount_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        cost(PERCENT, -1)
