"""Interest comes out to the last digit as in Apache Fineract's own tests, and day counts as ISDA defines them.

The table of figures: apache/fineract at 4198b0bcf9a94e1c7aa0f386317ba71f40ceb1d9, SavingsInterestPostingJobIntegrationTest
(10 % a year, actual/365, posted every day, 4 decimals half-even) and FixedDepositAccountInterestCalculationServiceImplTest.
"""

from __future__ import annotations

import struct
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from accounts.rules.interest import Compounding, DayCount, Terms, interest, rounded, share_of_year

TEN = Terms(rate=Decimal(10), compounding=Compounding.DAILY)
START = date(2025, 1, 1)


def held(balance: str | int, since: date, until: date) -> list[tuple[date, Decimal]]:
    """The same closing balance on each day of [since, until)."""
    return [(since + timedelta(days=n), Decimal(balance)) for n in range((until - since).days)]


def posted_daily(principal: str, days: int) -> tuple[Decimal, Decimal]:
    """The balance after so many days of posting at four decimals, and the last day's interest."""
    balance, earned = Decimal(principal), Decimal(0)
    for number in range(days):
        earned = rounded(interest([(START + timedelta(days=number), balance)], TEN), places=4)
        balance += earned
    return balance, earned


@pytest.mark.parametrize(
    ("principal", "days", "last", "balance"),
    [
        ("10000", 1, "2.7397", "10002.7397"),
        ("10000", 2, "2.7405", "10005.4802"),
        ("10000", 47, None, "10129.5818"),
        ("800", 2, None, "800.4384"),
    ],
)
def test_savings_posted_every_day(principal: str, days: int, last: str | None, balance: str) -> None:
    after, earned = posted_daily(principal, days)
    assert after == Decimal(balance)
    if last is not None:
        assert earned == Decimal(last)


def test_after_47_days_it_is_the_same_single_precision_number_as_in_fineract() -> None:
    """Their test reads the balance from JSON as a 32-bit float, which has no more digits than 10129.582."""
    after, _ = posted_daily("10000", 47)
    assert struct.pack("f", after) == struct.pack("f", Decimal("10129.5820"))
    assert struct.pack("f", after) != struct.pack("f", Decimal("10129.5810"))


def test_an_overdraft_of_ten_thousand_costs_as_much() -> None:
    owed = -Decimal(-10000)
    assert rounded(interest([(START, owed)], TEN), places=4) == Decimal("2.7397")


@pytest.mark.parametrize(
    ("principal", "compounding", "maturity"),
    [
        ("10000", Compounding.QUARTERLY, "10509.4533691406250000"),
        ("100", Compounding.HALF_YEARLY, "105.062500"),
    ],
)
def test_fixed_deposits_of_a_year_are_exact(principal: str, compounding: Compounding, maturity: str) -> None:
    terms = Terms(rate=Decimal(5), day_count=DayCount.THIRTY_360, compounding=compounding)
    earned = interest(held(principal, date(2025, 1, 1), date(2026, 1, 1)), terms)
    assert Fraction(principal) + earned == Fraction(maturity)


@pytest.mark.parametrize(
    ("day_count", "since", "until", "share"),
    [
        (DayCount.ACTUAL_365, date(2024, 1, 1), date(2025, 1, 1), Fraction(366, 365)),
        (DayCount.ACTUAL_360, date(2025, 1, 1), date(2026, 1, 1), Fraction(365, 360)),
        (DayCount.ACTUAL_ACTUAL, date(2024, 1, 1), date(2025, 1, 1), Fraction(1)),
        # ISDA's own example of a period across the end of a leap year.
        (DayCount.ACTUAL_ACTUAL, date(2003, 11, 1), date(2004, 5, 1), Fraction(61, 365) + Fraction(121, 366)),
        (DayCount.THIRTY_360, date(2025, 1, 31), date(2025, 2, 28), Fraction(28, 360)),
        (DayCount.THIRTY_360, date(2025, 2, 28), date(2025, 3, 31), Fraction(32, 360)),
        (DayCount.THIRTY_360, date(2024, 8, 31), date(2025, 2, 28), Fraction(178, 360)),
        (DayCount.THIRTY_360, date(2024, 1, 1), date(2025, 1, 1), Fraction(1)),
    ],
)
def test_day_counts(day_count: DayCount, since: date, until: date, share: Fraction) -> None:
    assert sum(share_of_year(day, day_count) for day, _ in held(0, since, until)) == share


def test_a_month_with_a_changing_balance_is_the_sum_of_its_days() -> None:
    balances = [*held(1000_00, date(2025, 3, 1), date(2025, 3, 11)), *held(400_00, date(2025, 3, 11), date(2025, 4, 1))]
    earned = interest(balances, Terms(rate=Decimal("2.50")))
    assert earned == Fraction(5, 200) * Fraction(10 * 1000_00 + 21 * 400_00, 365)
    assert rounded(earned) == Decimal(126)


def test_monthly_compounding_from_the_end_of_a_long_month() -> None:
    terms = Terms(rate=Decimal(12), day_count=DayCount.THIRTY_360, compounding=Compounding.MONTHLY)
    # 31 January to 28 February are 28 days of thirty-day months, then two more to 30 March as its 31st.
    first = Fraction(12, 100) * Fraction(28, 360)
    second = (1 + first) * Fraction(12, 100) * Fraction(32, 360)
    assert interest(held(1, date(2025, 1, 31), date(2025, 3, 31)), terms) == first + second


@pytest.mark.parametrize(
    ("exact", "places", "expected"),
    [
        (Fraction(5, 2), 0, "2"),
        (Fraction(7, 2), 0, "4"),
        (Fraction(25, 1000), 2, "0.02"),
        (Fraction(35, 1000), 2, "0.04"),
        (Fraction(251, 10000), 2, "0.03"),
    ],
)
def test_rounds_half_to_even(exact: Fraction, places: int, expected: str) -> None:
    assert rounded(exact, places=places) == Decimal(expected)


def test_nothing_earns_nothing() -> None:
    assert interest([], TEN) == 0
    assert interest(held(10000, START, date(2026, 1, 1)), Terms(rate=Decimal(0))) == 0
