"""The yearly cost, fees included."""

from __future__ import annotations

from decimal import Decimal

from loans.rules.apr import effective_rate, yearly_rate
from tests.loans.conftest import schedule


def test_a_loan_of_one_year_paid_at_once_costs_its_rate() -> None:
    made = schedule(start_date="2026-01-01", every=12, instalments=1, day_count="ACTUAL/365")

    assert effective_rate(made) == Decimal("12.00")


def test_monthly_instalments_cost_their_compounded_rate() -> None:
    made = schedule(start_date="2025-01-01", principal="100000")

    # 1.01^12 - 1 = 12.68 % for equal months; the calendar's unequal ones move it by a few hundredths.
    assert abs(effective_rate(made) - Decimal("12.68")) <= Decimal("0.10")


def test_fees_raise_the_cost() -> None:
    fee = {"timing": "DISBURSEMENT", "basis": "FLAT", "amount": "100"}
    made = schedule(start_date="2026-01-01", every=12, instalments=1, day_count="ACTUAL/365", fees=[fee])

    # 1344.00 after a year for 1100.00 today.
    assert effective_rate(made) == Decimal("22.18")


def test_no_interest_and_no_fee_cost_nothing() -> None:
    assert effective_rate(schedule(annual_rate="0")) == 0


def test_fees_that_eat_the_loan_have_no_rate() -> None:
    fee = {"timing": "DISBURSEMENT", "basis": "FLAT", "amount": "1200"}

    assert effective_rate(schedule(fees=[fee])) is None


def test_solves_what_was_made_from_a_known_rate() -> None:
    from datetime import date

    rate = yearly_rate(
        [(date(2025, 1, 1), 100_000_000), (date(2026, 1, 1), -60_000_000), (date(2027, 1, 1), -60_500_000)]
    )

    # 60/1.1335... solved by the quadratic formula: x = (-60 + sqrt(3600 + 4 * 100 * 60.5)) / (2 * 60.5).
    discount = (Decimal(-60) + Decimal(3600 + 24200).sqrt()) / Decimal(121)
    assert abs(rate - (1 / discount - 1)) < Decimal("1e-10")
